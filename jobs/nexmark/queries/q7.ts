/**
 * Q7, highest bid: the bids with the highest price of each window of ten seconds. As in the published query a bid
 * at the very end of the window counts as well.
 */
import { agg, tumbling } from 'millrace';
import type { Events } from '../events.ts';

const sizeMs = 10_000;

export function q7({ bid }: Events) {
  const highest = bid
    .window(tumbling({ sizeMs }))
    .aggregate({ maxprice: agg.max((row) => row.price) })
    .select((row) => ({ maxprice: row.maxprice, wend: row.windowEnd }))
    .eventTime((row) => row.wend);
  return bid.join(highest, {
    on: (row, top) => row.price.eq(top.maxprice),
    within: { afterMs: sizeMs },
    select: ({ auction, price, bidder, date_time, extra }) => {
      return { auction, price, bidder, dt: date_time, extra };
    },
  });
}
