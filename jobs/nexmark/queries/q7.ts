/**
 * Q7, highest bid: the bids with the highest price of each window of ten seconds. As in the published query a bid
 * at the very end of the window counts as well.
 */
import { agg, tumbling } from 'millrace';
import type { Events } from '../events.ts';

export function q7({ bid }: Events) {
  const highest = bid
    .window(tumbling({ sizeMs: 10_000 }))
    .aggregate({ maxprice: agg.max((row) => row.price) })
    .select((row) => ({
      maxprice: row.maxprice,
      first: row.windowStart.epochMs(),
      last: row.windowEnd.epochMs(),
    }));
  return bid.join(highest, {
    on: (row, top) => row.price.eq(top.maxprice).and(row.date_time.between(top.first, top.last)),
    select: ({ auction, price, bidder, date_time, extra }) => {
      return { auction, price, bidder, dt: date_time, extra };
    },
  });
}
