/** Q6, average selling price of a seller: of the last ten auctions that somebody won, as each of them is decided. */
import { least, t } from 'millrace';
import type { Events } from '../events.ts';
import { q9 } from './q9.ts';

const auctions = 10;

export function q6(events: Events) {
  const sales = q9(events);
  type Sale = Parameters<Parameters<typeof sales.where>[0]>[0];
  const order = {
    partitionBy: (row: Sale) => row.seller,
    orderBy: (row: Sale) => [row.dt.asc(), row.id.asc()],
  };
  return sales
    .over(order, ({ rowNumber, sum }, row) => ({
      place: rowNumber(),
      total: sum(row.price, { frame: 'rows' }),
    }))
    .over(order, ({ lag }, row) => ({ before: lag(row.total, auctions, 0) }))
    .select(({ seller, id, dt, total, before, place }) => {
      const sum = total.sub(before).cast(t.float64());
      return { seller, id, dt, average: sum.div(least(place, auctions)) };
    });
}
