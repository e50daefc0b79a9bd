/**
 * Q4, average price of a category: of the highest bid that each auction got while it was open. The sum and the
 * count of auctions are given rather than their quotient, so that nothing is rounded.
 */
import { agg } from 'millrace';
import type { Events } from '../events.ts';

export function q4({ bid, auction }: Events) {
  return auction
    .join(bid, {
      on: (item, offer) =>
        item.id.eq(offer.auction).and(offer.date_time.between(item.date_time, item.expires)),
      select: (item, offer) => ({ id: item.id, category: item.category, price: offer.price }),
    })
    .keyBy(({ id, category }) => ({ id, category }))
    .aggregate({ final: agg.max((row) => row.price) })
    .keyBy((row) => row.category)
    .aggregate({ s: agg.sum((row) => row.final), c: agg.count() });
}
