/** Q11, user sessions: how many bids each user made without a pause of more than ten seconds. */
import { agg, session } from 'millrace';
import type { Events } from '../events.ts';

export function q11({ bid }: Events) {
  return bid
    .keyBy((row) => row.bidder)
    .window(session({ gapMs: 10_000 }))
    .aggregate({ c: agg.count() })
    .select(({ bidder, c, windowStart, windowEnd }) => {
      return { bidder, c, s: windowStart.epochMs(), e: windowEnd.epochMs() };
    });
}
