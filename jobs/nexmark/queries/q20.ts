/** Q20, bids with their auctions: of one category. */
import type { Events } from '../events.ts';

export function q20({ bid, auction }: Events) {
  const items = auction.where((row) => row.category.eq(10));
  return bid.join(items, {
    on: (row, item) => row.auction.eq(item.id),
    select: (row, item) => ({
      auction: row.auction,
      bidder: row.bidder,
      price: row.price,
      dt: row.date_time,
      item_name: item.item_name,
      seller: item.seller,
      category: item.category,
    }),
  });
}
