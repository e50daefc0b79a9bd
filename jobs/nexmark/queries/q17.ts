/** Q17, auctions: bids and prices of each auction by day. */
import { agg, when } from 'millrace';
import type { Events } from '../events.ts';
import { priceRank } from '../price-rank.ts';

export function q17({ bid }: Events) {
  return bid
    .derive(({ price }) => ({ rank: priceRank(price) }))
    .keyBy((row) => ({ auction: row.auction, day: row.at.toDate() }))
    .aggregate({
      total_bids: agg.count(),
      rank1_bids: agg.count((row) => when(row.rank.eq(1), row.rank).otherwise(null)),
      rank2_bids: agg.count((row) => when(row.rank.eq(2), row.rank).otherwise(null)),
      rank3_bids: agg.count((row) => when(row.rank.eq(3), row.rank).otherwise(null)),
      min_price: agg.min((row) => row.price),
      max_price: agg.max((row) => row.price),
      avg_price: agg.avg((row) => row.price),
      sum_price: agg.sum((row) => row.price),
    });
}
