/**
 * Q13, bounded side input: every bid beside the row of a small table. Each task has the whole table before the first
 * bid comes.
 */
import type { Events } from '../events.ts';

/** Keys of the table are below this. */
const keys = 10_000;

export function q13({ bid, sideInput }: Events) {
  return bid.join(sideInput(), {
    on: (row, side) => row.auction.mod(keys).eq(side.key),
    ...{ build: 'right', broadcast: true },
    select: ({ auction, bidder, price, date_time }, { value }) => {
      return { auction, bidder, price, dt: date_time, value };
    },
  });
}
