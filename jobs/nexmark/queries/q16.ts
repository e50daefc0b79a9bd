/** Q16, channels: the same by channel and day, with the last minute of its bids. */
import { agg, when } from 'millrace';
import type { Events } from '../events.ts';
import { priceRank } from '../price-rank.ts';

export function q16({ bid }: Events) {
  return bid
    .derive(({ price }) => ({ rank: priceRank(price) }))
    .keyBy((row) => ({ channel: row.channel, day: row.at.toDate() }))
    .aggregate({
      last_dt: agg.max((row) => row.date_time),
      total_bids: agg.count(),
      rank1_bids: agg.count((row) => when(row.rank.eq(1), row.rank).otherwise(null)),
      rank2_bids: agg.count((row) => when(row.rank.eq(2), row.rank).otherwise(null)),
      rank3_bids: agg.count((row) => when(row.rank.eq(3), row.rank).otherwise(null)),
      total_bidders: agg.countDistinct((row) => row.bidder),
      total_auctions: agg.countDistinct((row) => row.auction),
    });
}
