/**
 * Goal: aggregates of rows in an order, and quantiles, by windows that come once: the same in streams and in batch, at any
 * parallelism, as a plain loop over the rows; and what windows don't have is refused.
 */
import fc from 'fast-check';
import {
  agg,
  type Column,
  cumulating,
  globalWindow,
  type Stream,
  session,
  sliding,
  t,
  tumbling,
  type WindowOptions,
} from 'millrace';
import { expect, test } from 'vitest';
import { planJob } from '../../../coordinator/planner/planner.ts';
import { buildJob } from '../../../engine/api/build-job.ts';
import { defineJob } from '../../../engine/api/define-job.ts';
import type { Row } from '../../support/operator-harness.ts';
import { rowsSink, runPlan, tableSource, textsOf } from '../../support/plan-runner.ts';

const Timed = t.struct({
  key: t.utf8().nullable(),
  word: t.utf8().nullable(),
  place: t.int32(),
  at: t.timestampMs(),
});
interface Columns {
  readonly key: Column<'utf8', string, true, 'key'>;
  readonly word: Column<'utf8', string, true, 'word'>;
  readonly place: Column<'int32', number, false, 'place'>;
  readonly at: Column<'timestampMs', number, false, 'at'>;
}

const windows = {
  tumbling: tumbling({ sizeMs: 40 }),
  offset: tumbling({ sizeMs: 30, offsetMs: 7 }),
  sliding: sliding({ sizeMs: 40, slideMs: 20 }),
  cumulating: cumulating({ sizeMs: 60, stepMs: 20 }),
};

const aggregates = {
  rows: agg.count(),
  words: agg.stringAgg<Columns, true>((row) => row.word, '+', {
    orderBy: (row) => row.place.desc(),
  }),
  firstWord: agg.first((row: Columns) => row.word, { orderBy: (row) => row.place.desc() }),
  values: agg.countDistinct((row: Columns) => row.word),
  middle: agg.approxQuantile((row: Columns) => row.place, 0.5),
  middleAt: agg.approxQuantile((row: Columns) => row.at, 0.5),
};

type Given = 'ordered' | 'in time' | 'again';

function built(by: unknown, isKeyed: boolean, given: Given, options?: WindowOptions) {
  const job = defineJob({
    name: 'ordered',
    mode: 'streaming',
    build: ({ read }) => {
      const rows = read(tableSource('rows', Timed.schema) as never) as never as Stream<never>;
      // No row is late: so the modes must agree.
      const timed = rows.eventTime((row: Columns) => row.at as never, { outOfOrdernessMs: 1_000 });
      const wanted =
        given === 'ordered'
          ? aggregates
          : { words: agg.stringAgg((row: Columns) => row.word, '+') };
      const keyed = isKeyed ? timed.keyBy((row: Columns) => row.key) : timed;
      const results = keyed.window(by as never, options).aggregate(wanted as never) as never;
      if (given !== 'again') return (results as Stream<object>).writeTo(rowsSink('out'));
      const regrouped = (results as Stream<never>)
        .keyBy((row: { readonly windowEnd: Column<'timestampMs'> }) => row.windowEnd as never)
        .aggregate({
          all: agg.stringAgg((row: { words: Column<'utf8', string, true> }) => row.words, '|', {
            orderBy: (row) => row.words.asc(),
          }),
        } as never);
      return (regrouped as never as Stream<object>).writeTo(rowsSink('out'));
    },
  });
  return buildJob(job, {});
}

const someRows = fc.array(
  fc.record({
    key: fc.constantFrom('a', 'b', 'a key of more than twelve bytes', null),
    word: fc.option(fc.constantFrom('x', 'y', 'a word of more than twelve bytes')),
    at: fc.nat(150),
  }),
  { minLength: 1, maxLength: 120 },
);

type Timed = { key: string | null; word: string | null; at: number; place: number };

function tableOf(given: readonly Omit<Timed, 'place'>[]) {
  // No two rows have the same place in the order.
  const all = given.map((row, index): Timed => ({ ...row, place: (index * 37) % 121 }));
  return { all, rows: all.map((row): Row => ({ ...row, at: BigInt(row.at) })) };
}

function runner({ graph, functions }: ReturnType<typeof built>, rows: readonly Row[]) {
  return (mode: 'batch' | 'streaming', parallelism: number) => {
    const plan = planJob(graph, { parallelism, mode });
    return runPlan(plan, { tables: { rows }, functions }).get('out') ?? [];
  };
}

/** The median as a straight line between two neighbours. */
function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const [low = 0, high = 0] = [sorted[Math.floor(middle)], sorted[Math.ceil(middle)]];
  return low + (high - low) * (middle - Math.floor(middle));
}

const cases = (Object.keys(windows) as (keyof typeof windows)[]).flatMap((kind) => [
  [kind, true] as const,
  [kind, false] as const,
]);

test.each(cases)('%s windows, by key: %s', (kind, isKeyed) => {
  const job = built(windows[kind], isKeyed, 'ordered');
  fc.assert(
    fc.property(someRows, fc.constantFrom(1, 2, 3), (given, parallelism) => {
      const { all, rows } = tableOf(given);
      const run = runner(job, rows);
      const found = run('streaming', parallelism);
      expect(textsOf(found)).toEqual(textsOf(run('batch', parallelism)));
      let count = 0;
      for (const one of found) {
        const own = all
          .filter(({ key, at }) => {
            const isIn = at >= Number(one['windowStart']) && at < Number(one['windowEnd']);
            return isIn && (!isKeyed || key === one['key']);
          })
          .toSorted((a, b) => b.place - a.place);
        const words = own.flatMap(({ word }) => word ?? []);
        count += own.length;
        expect(one).toMatchObject({
          rows: BigInt(own.length),
          words: words.length === 0 ? null : words.join('+'),
          // Nulls are passed over.
          firstWord: words[0] ?? null,
          values: BigInt(new Set(words).size),
        });
        expect(one['middle']).toBeCloseTo(medianOf(own.map(({ place }) => place)), 9);
        const middleAt = medianOf(own.map(({ at }) => at));
        expect(Math.abs(Number(one['middleAt']) - middleAt)).toBeLessThanOrEqual(0.5);
      }
      expect(count).toBeGreaterThanOrEqual(all.length);
    }),
    { numRuns: 12 },
  );
});

test('without an order texts are joined in that of event time, and windows can be grouped again', () => {
  const global = built(globalWindow(), true, 'in time');
  const once = built(windows.sliding, true, 'in time');
  const again = built(windows.sliding, true, 'again');
  fc.assert(
    fc.property(someRows, fc.constantFrom(1, 2, 3), (given, parallelism) => {
      // One row a moment, so that there is one order.
      const { all, rows } = tableOf(given.map((row, at) => ({ ...row, at: (at * 53) % 127 })));
      const run = runner(once, rows);
      const found = run('streaming', parallelism);
      expect(textsOf(found)).toEqual(textsOf(run('batch', parallelism)));
      for (const one of found) {
        const own = all.filter(({ key, at }) => {
          const isIn = at >= Number(one['windowStart']) && at < Number(one['windowEnd']);
          return isIn && key === one['key'];
        });
        const words = own.toSorted((a, b) => a.at - b.at).flatMap(({ word }) => word ?? []);
        expect(one['words']).toBe(words.length === 0 ? null : words.join('+'));
      }
      const joined = Map.groupBy(found, (one) => Number(one['windowEnd']));
      for (const mode of ['streaming', 'batch'] as const) {
        const grouped = runner(again, rows)(mode, parallelism);
        expect(grouped.length).toBe(joined.size);
        for (const one of grouped) {
          const own = joined.get(Number(one['windowEnd'])) ?? [];
          const texts = own.flatMap(({ words }) => (words === null ? [] : [String(words)]));
          expect(one['all']).toBe(texts.length === 0 ? null : texts.sort().join('|'));
        }
      }
      const keys = new Set(all.map(({ key }) => key));
      expect(runner(global, rows)('streaming', parallelism).length).toBe(keys.size);
    }),
    { numRuns: 12 },
  );
});

test.each([
  ['session windows', session({ gapMs: 5 }), undefined],
  ['given out again', windows.tumbling, { allowedLatenessMs: 10 }],
])('refused: %s', (text, by, options) => {
  const { graph } = built(by, true, 'in time', options);
  const plan = () => planJob(graph, { parallelism: 1, mode: 'streaming' });
  expect(plan).toThrow(
    expect.objectContaining({
      message: expect.stringContaining(text),
      info: expect.objectContaining({ code: 'PLAN_WINDOW_UNSUPPORTED' }),
    }),
  );
});
