/**
 * Goal: distinct values in windows, counted or estimated, beside each other and beside other aggregates, are the same in
 * streams and in batch, at any parallelism, and those that can be counted are those of a plain loop.
 */
import fc from 'fast-check';
import { agg, type Column, cumulating, type Stream, sliding, t, tumbling } from 'millrace';
import { expect, test } from 'vitest';
import { planJob } from '../../../coordinator/planner/planner.ts';
import { buildJob } from '../../../engine/api/build-job.ts';
import { defineJob } from '../../../engine/api/define-job.ts';
import type { Row } from '../../support/operator-harness.ts';
import { rowsSink, runPlan, tableSource, textsOf } from '../../support/plan-runner.ts';

const Timed = t.struct({ key: t.utf8().nullable(), v: t.int32().nullable(), at: t.timestampMs() });
type Rows = Stream<{
  key: Column<'utf8', string, true, 'key'>;
  v: Column<'int32', number, true, 'v'>;
  at: Column<'timestampMs', number, false, 'at'>;
}>;

const windows = {
  tumbling: tumbling({ sizeMs: 40 }),
  sliding: sliding({ sizeMs: 40, slideMs: 20 }),
  cumulating: cumulating({ sizeMs: 60, stepMs: 20 }),
};

function built(kind: keyof typeof windows, isKeyed: boolean) {
  const job = defineJob({
    name: 'distinct',
    mode: 'streaming',
    build: ({ read }) => {
      const rows = read(tableSource('rows', Timed.schema) as never) as never as Rows;
      // No row is late: so the modes must agree.
      const timed = rows.eventTime((row) => row.at, { outOfOrdernessMs: 1_000 });
      const aggregates = {
        rows: agg.count(),
        values: agg.countDistinct<{ v: Column<'int32', number, true, 'v'> }>((row) => row.v),
        about: agg.approxDistinct<{ v: Column<'int32', number, true, 'v'> }>((row) => row.v),
        times: agg.countDistinct<{ at: Column<'timestampMs', number, false, 'at'> }>(
          (row) => row.at,
        ),
      };
      const by = windows[kind];
      const results = isKeyed
        ? timed
            .keyBy((row) => row.key)
            .window(by)
            .aggregate(aggregates as never)
        : timed.window(by).aggregate(aggregates as never);
      return (results as never as Stream<object>).writeTo(rowsSink('out'));
    },
  });
  return buildJob(job, {});
}

const someRows = fc.array(
  fc.record({
    key: fc.constantFrom('a', 'b', null),
    v: fc.option(fc.integer({ min: 0, max: 12 })),
    at: fc.nat(150),
  }),
  { minLength: 1, maxLength: 120 },
);

const cases = (Object.keys(windows) as (keyof typeof windows)[]).flatMap((kind) => [
  [kind, true] as const,
  [kind, false] as const,
]);

test.each(cases)('%s windows, by key: %s', (kind, isKeyed) => {
  const { graph, functions } = built(kind, isKeyed);
  fc.assert(
    fc.property(someRows, fc.constantFrom(1, 2, 3), (given, parallelism) => {
      const rows = given.map((row): Row => ({ ...row, at: BigInt(row.at) }));
      const run = (mode: 'batch' | 'streaming', tasks: number) => {
        const plan = planJob(graph, { parallelism: tasks, mode });
        return runPlan(plan, { tables: { rows }, functions }).get('out') ?? [];
      };
      const found = run('streaming', parallelism);
      expect(textsOf(found)).toEqual(textsOf(run('batch', 1)));
      for (const one of found) {
        const own = given.filter(({ key, at }) => {
          const isIn = at >= Number(one['windowStart']) && at < Number(one['windowEnd']);
          return isIn && (!isKeyed || key === one['key']);
        });
        const values = new Set(own.flatMap(({ v }) => v ?? []));
        const times = new Set(own.map(({ at }) => at));
        expect(one).toMatchObject({
          ...{ rows: BigInt(own.length), values: BigInt(values.size) },
          // So few values are estimated exactly.
          ...{ about: BigInt(values.size), times: BigInt(times.size) },
        });
      }
    }),
    { numRuns: 20 },
  );
});
