/** Q2, selection: the bids on some auctions. */
import type { Events } from '../events.ts';

export function q2({ bid }: Events) {
  return bid
    .where((row) => row.auction.mod(123).eq(0))
    .select(({ auction, price }) => ({ auction, price }));
}
