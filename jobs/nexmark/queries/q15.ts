/** Q15, bidding statistics: bids, bidders and auctions of each day, in all and by rank of price. */
import { agg, when } from 'millrace';
import type { Events } from '../events.ts';
import { priceRank } from '../price-rank.ts';

export function q15({ bid }: Events) {
  return bid
    .derive(({ price }) => ({ rank: priceRank(price) }))
    .keyBy((row) => ({ day: row.at.toDate() }))
    .aggregate({
      total_bids: agg.count(),
      rank1_bids: agg.count((row) => when(row.rank.eq(1), row.rank).otherwise(null)),
      rank2_bids: agg.count((row) => when(row.rank.eq(2), row.rank).otherwise(null)),
      rank3_bids: agg.count((row) => when(row.rank.eq(3), row.rank).otherwise(null)),
      total_bidders: agg.countDistinct((row) => row.bidder),
      rank1_bidders: agg.countDistinct((row) => when(row.rank.eq(1), row.bidder).otherwise(null)),
      rank2_bidders: agg.countDistinct((row) => when(row.rank.eq(2), row.bidder).otherwise(null)),
      rank3_bidders: agg.countDistinct((row) => when(row.rank.eq(3), row.bidder).otherwise(null)),
      total_auctions: agg.countDistinct((row) => row.auction),
      rank1_auctions: agg.countDistinct((row) => when(row.rank.eq(1), row.auction).otherwise(null)),
      rank2_auctions: agg.countDistinct((row) => when(row.rank.eq(2), row.auction).otherwise(null)),
      rank3_auctions: agg.countDistinct((row) => when(row.rank.eq(3), row.auction).otherwise(null)),
    });
}
