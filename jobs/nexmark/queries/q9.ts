/** Q9, winning bids: for each auction the highest bid while it was open, the earliest of equal ones. */
import type { Events } from '../events.ts';

export function q9({ bid, auction }: Events) {
  return auction
    .join(bid, {
      on: (item, offer) =>
        item.id.eq(offer.auction).and(offer.date_time.between(item.date_time, item.expires)),
      select: (item, offer) => ({
        id: item.id,
        seller: item.seller,
        category: item.category,
        bidder: offer.bidder,
        price: offer.price,
        dt: offer.date_time,
      }),
    })
    .over(
      {
        partitionBy: (row) => row.id,
        orderBy: (row) => [row.price.desc(), row.dt.asc(), row.bidder.asc()],
      },
      ({ rowNumber }) => ({ place: rowNumber() }),
    )
    .where((row) => row.place.eq(1))
    .select(({ id, seller, category, bidder, price, dt }) => {
      return { id, seller, category, bidder, price, dt };
    });
}
