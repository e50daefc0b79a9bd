/**
 * The questions of the nexmark and windows benches, of whose answers only the sums of stream_queries.py are written:
 * beside Flink, whose sinks sum as well, and to see what writing an answer costs.
 */
import { agg, type Column, defineJob, t } from 'millrace';
import { files } from 'millrace/files';
import { type Events, eventsOf } from '../../jobs/nexmark/events.ts';
import { q1 } from '../../jobs/nexmark/queries/q1.ts';
import { q2 } from '../../jobs/nexmark/queries/q2.ts';
import { q4 } from '../../jobs/nexmark/queries/q4.ts';
import { q5 } from '../../jobs/nexmark/queries/q5.ts';
import { q7 } from '../../jobs/nexmark/queries/q7.ts';
import { q8 } from '../../jobs/nexmark/queries/q8.ts';
import { q11 } from '../../jobs/nexmark/queries/q11.ts';
import { windowsOf } from '../../jobs/windows/job.ts';

const base = 1_700_000_000_000;
const prime = 1_000_000_007;
const whole = t.int64({ js: 'number' });

interface Read {
  readonly events: Events;
  readonly windows: ReturnType<typeof windowsOf>;
}

type Row = { readonly row: Column<'int64', unknown, boolean> };

const rows = agg.count();
/** Of rows as one number each, which differs when a column does. */
const row = agg.sum((answer: Row) => answer.row.mod(prime));

/** By question: the answer's sums. */
const sums = {
  q1: ({ events }: Read) =>
    q1(events)
      .select(({ auction, bidder, price, dt, extra }) => {
        const sum = auction.mul(1_000_003).add(bidder.mul(10_007)).add(dt.sub(base));
        return { row: sum.add(price.mul(1000).cast(whole).mul(101)), size: extra.length() };
      })
      .aggregate({ rows, row, length: agg.sum(({ size }) => size) }),
  q2: ({ events }: Read) =>
    q2(events)
      .select(({ auction, price }) => ({ row: auction.mul(1_000_003).add(price) }))
      .aggregate({ rows, row }),
  q4: ({ events }: Read) =>
    q4(events).aggregate({
      rows,
      category: agg.sum((answer) => answer.category),
      s: agg.sum((answer) => answer.s),
      c: agg.sum((answer) => answer.c),
    }),
  q5: ({ events }: Read) =>
    q5(events)
      .select(({ auction, num, wend }) => {
        return { row: auction.mul(1_000_003).add(num.mul(10_007)).add(wend.sub(base)) };
      })
      .aggregate({ rows, row }),
  q7: ({ events }: Read) =>
    q7(events)
      .select(({ auction, price, bidder, dt, extra }) => {
        const sum = auction.mul(1_000_003).add(price.mul(10_007)).add(dt.sub(base));
        return { row: sum.add(bidder.mul(101)), size: extra.length() };
      })
      .aggregate({ rows, row, length: agg.sum(({ size }) => size) }),
  q8: ({ events }: Read) =>
    q8(events)
      .select(({ id, name, ws }) => {
        const sum = id.mul(1_000_003).add(ws.sub(base));
        return { row: sum.add(name.length().cast(whole).mul(10_007)) };
      })
      .aggregate({ rows, row }),
  q11: ({ events }: Read) =>
    q11(events)
      .select(({ bidder, c, s, e }) => {
        const sum = bidder.mul(1_000_003).add(c.mul(10_007)).add(e.sub(base));
        return { row: sum.add(s.sub(base).mul(101)) };
      })
      .aggregate({ rows, row }),
  windows: ({ windows }: Read) =>
    windows
      .select(({ key, ws, c, s, mn, mx }) => {
        const sum = key.cast(whole).mul(1_000_003).add(c.mul(10_007));
        return { row: sum.add(ws.sub(base)), s, mn, mx };
      })
      .aggregate({
        rows,
        row,
        s: agg.sum(({ s }) => s.mul(4)),
        mn: agg.sum(({ mn }) => mn.mul(4)),
        mx: agg.sum(({ mx }) => mx.mul(4)),
      }),
};

type Question = keyof typeof sums;

export default defineJob({
  name: 'summed-answers',
  mode: 'streaming',
  params: {
    query: t.utf8().choices(...(Object.keys(sums) as Question[])),
    input: t.path(),
    format: t.utf8().choices('parquet', 'arrow'),
    output: t.path(),
  },
  build: ({ read, params: { query, input, format, output } }) => {
    const windows = windowsOf({ input, format, sizeMs: 10_000 }, { read });
    const events = eventsOf({ input, format, events: 0, sideInput: '' }, { read });
    const answer = sums[query]({ events, windows });
    return answer.writeTo(files.sink({ path: output }));
  },
});
