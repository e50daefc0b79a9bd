/**
 * Goal: whatever a job is, a plan that is adapted while it runs gives the rows of the plan as it was, with sizes so
 * small that all choices are made: partitions joined and split, build sides that all tasks read.
 */
import fc from 'fast-check';
import { agg, defineJob, type JoinType, t } from 'millrace';
import { expect, test } from 'vitest';
import type { Adaptation } from '../../../coordinator/adaptive/adapt-plan.ts';
import type { AdaptiveOptions } from '../../../coordinator/adaptive/adaptive-options.ts';
import { planJob } from '../../../coordinator/planner/planner.ts';
import { buildJob } from '../../../engine/api/build-job.ts';
import { joinTypes } from '../../../engine/plan/join-type.ts';
import { runAdaptedPlan } from '../../support/adapted-plan.ts';
import {
  referenceOutputs,
  rowsSink,
  runPlan,
  tableSource,
  textsOf,
} from '../../support/plan-runner.ts';
import { expectSameRows, randomJobs } from '../../support/random-jobs.ts';

const sizes: fc.Arbitrary<AdaptiveOptions> = fc.record({
  taskBytesMin: fc.constantFrom(1, 200, 1000),
  taskBytesMax: fc.constantFrom(1000, 100_000),
  skewFactor: fc.constantFrom(0, 1, 3),
  skewBytesMin: fc.constantFrom(1, 300),
  splitBytesMin: fc.constantFrom(1, 100),
  broadcastBytesMax: fc.constantFrom(-1, 500, 100_000),
  broadcastCopiesBytesMax: fc.constantFrom(1000, 1_000_000),
});
const taskCounts = fc.integer({ min: 2, max: 5 });

test('a random job gives what its nodes give', { timeout: 240_000 }, () => {
  const seen = new Map<string, number>();
  fc.assert(
    fc.property(randomJobs(), taskCounts, sizes, (job, parallelism, options) => {
      const plan = planJob(job.graph, { parallelism, shuffle: 'disk' });
      const { outputs, adaptations } = runAdaptedPlan(plan, job, { options, slotCount: 2 });
      expectSameRows(job, outputs, referenceOutputs(job.graph, job));
      count(seen, adaptations);
    }),
    { numRuns: 80 },
  );
  expect(seen.get('joined')).toBeGreaterThan(5);
});

const Row = t.struct({ key: t.int32().nullable(), text: t.utf8() });
/** Verbs whose types depend on the columns, which are the same for all types of joins here. */
type Rows = Readonly<
  Record<
    'select' | 'join' | 'keyBy' | 'aggregate' | 'writeTo' | 'where',
    (...args: unknown[]) => Rows
  >
>;
type Columns = Readonly<
  Record<string, { eq(other: unknown): unknown; ne(other: unknown): unknown }>
>;

/** A join of two tables, of whose left side one half may come by another way; its rows, and their groups. */
function joinJob(type: JoinType, isUnion: boolean) {
  const build = ({ read }: { read: (spec: never) => unknown }) => {
    const table = (name: string) => read(tableSource(name, Row.schema) as never) as Rows;
    const named = (rows: Rows, side: string) =>
      rows.select((row: Columns) => ({ [`${side}Key`]: row.key, [`${side}Text`]: row.text }));
    const left = named(table('left'), 'left') as Rows & { union(other: Rows): Rows };
    const both = isUnion ? left.union(named(table('more'), 'left')) : left;
    const joined = both.join(named(table('right'), 'right'), {
      on: (a: Columns, b: Columns) => a.leftKey?.eq(b.rightKey),
      type,
    });
    const groups = joined.keyBy((row: Columns) => row.leftText).aggregate({ count: agg.count() });
    return [joined.writeTo(rowsSink('rows') as never), groups.writeTo(rowsSink('groups') as never)];
  };
  return buildJob(defineJob({ name: 'joins', params: {}, build } as never), {});
}

/** One key has most of the rows; nulls meet nobody. */
const keys = fc.oneof(
  { weight: 6, arbitrary: fc.constant(7) },
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 9 }) },
  { weight: 1, arbitrary: fc.constant(null) },
);
const table = (maxLength: number) =>
  fc.array(fc.record({ key: keys, text: fc.constantFrom('a', 'b', 'a longer text') }), {
    maxLength,
  });

test.each(joinTypes)('a join with frequent keys: %s', { timeout: 240_000 }, (type) => {
  const seen = new Map<string, number>();
  const tables = fc.record({ left: table(60), more: table(20), right: table(40) });
  fc.assert(
    fc.property(tables, fc.boolean(), taskCounts, sizes, (given, isUnion, parallelism, options) => {
      const job = joinJob(type, isUnion);
      const inputs = { tables: given, functions: job.functions };
      const plan = planJob(job.graph, { parallelism, shuffle: 'disk' });
      const expected = runPlan(plan, inputs);
      const { outputs, adaptations } = runAdaptedPlan(plan, inputs, { options, slotCount: 2 });
      for (const name of ['rows', 'groups']) {
        expect(textsOf(outputs.get(name))).toEqual(textsOf(expected.get(name)));
      }
      count(seen, adaptations);
    }),
    { numRuns: 40 },
  );
  expect(seen.get('joined')).toBeGreaterThan(5);
  // A full join needs all rows of both sides in one place.
  expect((seen.get('split') ?? 0) > 2, 'splits').toBe(type !== 'full');
  const isOpen = type !== 'full' && type !== 'right';
  expect((seen.get('broadcast') ?? 0) > 2, 'whole build sides').toBe(isOpen);
});

function count(seen: Map<string, number>, adaptations: readonly Adaptation[]): void {
  for (const { kind } of adaptations) seen.set(kind, (seen.get(kind) ?? 0) + 1);
}
