/** Q5, hot items: the auctions with the most bids in each window of ten seconds, every two seconds. */
import { agg, sliding } from 'millrace';
import type { Events } from '../events.ts';

export function q5({ bid }: Events) {
  const counts = bid
    .keyBy((row) => row.auction)
    .window(sliding({ sizeMs: 10_000, slideMs: 2000 }))
    .aggregate({ num: agg.count() })
    .select(({ auction, num, windowEnd }) => ({ auction, num, wend: windowEnd.epochMs() }));
  const most = counts
    .keyBy((row) => ({ mend: row.wend }))
    .aggregate({ maxn: agg.max((row) => row.num) });
  return counts.join(most, {
    on: (row, top) => row.wend.eq(top.mend).and(row.num.eq(top.maxn)),
    select: ({ auction, num, wend }) => ({ auction, num, wend }),
  });
}
