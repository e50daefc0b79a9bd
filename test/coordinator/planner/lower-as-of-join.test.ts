/**
 * Goal: an as-of join gives the same rows whether all versions are read first or rows meet as they come, with any
 * number of tasks; and they are those of a loop over all versions.
 */
import fc from 'fast-check';
import { t } from 'millrace';
import { expect, test } from 'vitest';
import { planJob } from '../../../coordinator/planner/planner.ts';
import { buildJob } from '../../../engine/api/build-job.ts';
import { defineJob } from '../../../engine/api/define-job.ts';
import type { Stream } from '../../../engine/api/stream.ts';
import type { Row } from '../../support/operator-harness.ts';
import { rowsSink, runPlan, tableSource, textsOf } from '../../support/plan-runner.ts';

const Trade = t.struct({ id: t.int32(), symbol: t.int64().nullable(), at: t.timestampMs() });
const Quote = t.struct({ price: t.int32(), symbol: t.int64().nullable(), at: t.timestampUs() });

interface Case {
  readonly type: 'inner' | 'left';
  readonly toleranceMs: number | null;
  readonly trades: readonly Row[];
  readonly quotes: readonly Row[];
}

const moves = fc.array(
  fc.record({
    stepMs: fc.nat(9),
    behindMs: fc.nat(19),
    symbol: fc.option(fc.bigInt({ min: 0n, max: 3n }), { freq: 6 }),
  }),
  { maxLength: 50 },
);

/** Times go on by and by, out of order by less than 20 ms. */
function timed(make: (ms: number, symbol: bigint | null, index: number) => Row) {
  return moves.map((drawn) => {
    let now = -60;
    return drawn.map(({ stepMs, behindMs, symbol }, index) => {
      now += stepMs;
      return make(now - behindMs, symbol, index);
    });
  });
}

const cases: fc.Arbitrary<Case> = fc.record({
  type: fc.constantFrom('inner' as const, 'left' as const),
  toleranceMs: fc.option(fc.nat(25)),
  trades: timed((ms, symbol, id) => ({ id, symbol, at: BigInt(ms) })),
  // No two quotes of a symbol are of one time.
  quotes: timed((ms, symbol, index) => ({ price: index, symbol, at: BigInt(ms * 1000 + index) })),
});

type Columns = Record<string, { eq(other: unknown): unknown }>;

function jobOf({ type, toleranceMs }: Case) {
  const job = defineJob({
    name: 'as-of',
    build: (({ read }: { read: (source: unknown) => Stream<never> }) => {
      const time = (row: { at: never }) => row.at;
      const [trades, quotes] = [
        tableSource('trades', Trade.schema),
        tableSource('quotes', Quote.schema),
      ].map((source) => read(source).eventTime(time as never, { outOfOrdernessMs: 20 }));
      const on = (trade: Columns, quote: Columns) => trade.symbol?.eq(quote.symbol);
      const select = (trade: Columns, quote: Columns) => {
        return { id: trade.id, at: trade.at, price: quote.price, time: quote.at };
      };
      const asOf = toleranceMs === null ? {} : { toleranceMs };
      return trades
        ?.join(quotes as never, { on, type, asOf, select } as never)
        .writeTo(rowsSink('out') as never);
    }) as never,
  });
  return buildJob(job, {});
}

/** A loop over all versions. */
function expectedRows({ type, toleranceMs, trades, quotes }: Case): Row[] {
  return trades.flatMap((trade): Row[] => {
    const time = Number(trade.at) * 1000;
    const versions = quotes.filter(
      ({ symbol, at }) => symbol !== null && symbol === trade.symbol && Number(at) <= time,
    );
    const last = versions.toSorted((a, b) => Number(a.at) - Number(b.at)).at(-1);
    const isOld = toleranceMs !== null && time - Number(last?.at ?? 0) > toleranceMs * 1000;
    const version = isOld ? undefined : last;
    if (version === undefined && type === 'inner') return [];
    const { id, at } = trade;
    return [{ id, at, price: version?.price ?? null, time: version?.at ?? null }];
  });
}

test('both modes give the rows of a loop over all versions', { timeout: 120_000 }, () => {
  fc.assert(
    fc.property(cases, fc.constantFrom(1, 2, 3, 7), (one, parallelism) => {
      const { graph, functions } = jobOf(one);
      const tables = { trades: one.trades, quotes: one.quotes };
      const expected = textsOf(expectedRows(one));
      for (const [mode, kind] of [
        ['batch', 'asOfProbe'],
        ['streaming', 'asOfJoin'],
      ] as const) {
        const physical = planJob(graph, { parallelism, mode });
        const kinds = physical.vertices.flatMap(({ chain }) => chain.map((spec) => spec.kind));
        expect(kinds).toContain(kind);
        const found = runPlan(physical, { tables, functions });
        expect(textsOf(found.get('out')), mode).toEqual(expected);
      }
    }),
    { numRuns: 60 },
  );
});
