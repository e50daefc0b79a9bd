/** Q18, last bid: of each bidder on each auction. */
import type { Events } from '../events.ts';

export function q18({ bid }: Events) {
  return bid
    .over(
      {
        partitionBy: (row) => [row.bidder, row.auction],
        orderBy: (row) => [row.date_time.desc(), row.price.desc(), row.extra.asc()],
      },
      ({ rowNumber }) => ({ place: rowNumber() }),
    )
    .where((row) => row.place.eq(1))
    .select(({ auction, bidder, price, date_time, extra }) => {
      return { auction, bidder, price, dt: date_time, extra };
    });
}
