/**
 * Q12, windows of processing time: how many bids each user made in ten seconds of the clock. What is in a window depends on
 * when it was read.
 */
import { agg, tumbling } from 'millrace';
import type { Events } from '../events.ts';

export function q12({ bid }: Events) {
  return bid
    .ingestionTime('readAt')
    .keyBy((row) => row.bidder)
    .window(tumbling({ sizeMs: 10_000 }))
    .aggregate({ bid_count: agg.count() })
    .select(({ bidder, bid_count, windowStart, windowEnd }) => {
      return { bidder, bid_count, s: windowStart.epochMs(), e: windowEnd.epochMs() };
    });
}
