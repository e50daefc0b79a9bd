/**
 * Goal: windows that come out early by event time and for each late row come, in the end, to the rows of the batch job, with
 * any number of tasks, accumulating and discarding, rows in order and out of order.
 */
import fc from 'fast-check';
import {
  agg,
  type Column,
  cumulating,
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
import { rowsSink, runPlan, tableSource } from '../../support/plan-runner.ts';

const Event = t.struct({ user: t.int32(), at: t.timestampMs(), v: t.int32() });
type Events = Stream<{
  user: Column<'int32', number, false, 'user'>;
  at: Column<'timestampMs', number, false, 'at'>;
  v: Column<'int32', number, false, 'v'>;
}>;

/** Times go on by and by; out of order by less than the lateness. */
const latenessMs = 40;
const row = fc.record({
  stepMs: fc.nat(9),
  behindMs: fc.constantFrom(0, 0, 0, 7, latenessMs - 1),
  user: fc.nat(3),
  v: fc.integer({ min: -9, max: 9 }),
});
const rowsOf = fc.tuple(fc.array(row, { maxLength: 80 }), fc.boolean()).map(([drawn, isSorted]) => {
  let now = 0;
  return drawn.map(({ stepMs, behindMs, user, v }): Row => {
    now += stepMs;
    return { user, at: BigInt(now - (isSorted ? 0 : behindMs)), v };
  });
});
const windows = {
  tumbling: tumbling({ sizeMs: 20, offsetMs: 3 }),
  sliding: sliding({ sizeMs: 30, slideMs: 10 }),
  cumulating: cumulating({ sizeMs: 30, stepMs: 10 }),
  session: session({ gapMs: 6 }),
};
const kinds = fc.constantFrom(...(Object.keys(windows) as (keyof typeof windows)[]));
const cases = fc.record({
  rows: rowsOf,
  kind: kinds,
  everyEventTimeMs: fc.constantFrom(undefined, 1, 7, 25),
  isDiscarding: fc.boolean(),
  outOfOrdernessMs: fc.constantFrom(0, 10),
  parallelism: fc.constantFrom(1, 2, 3, 7),
});
type Case = typeof cases extends fc.Arbitrary<infer C> ? C : never;

function graphOf({ kind, everyEventTimeMs, isDiscarding, outOfOrdernessMs }: Case) {
  const options: WindowOptions = {
    allowedLatenessMs: latenessMs,
    lateFiring: 'perRow',
    ...(kind !== 'session' && everyEventTimeMs !== undefined && { early: { everyEventTimeMs } }),
    ...(isDiscarding && kind === 'tumbling' && { accumulate: 'discarding' }),
  };
  const job = defineJob({
    name: 'triggers',
    build: (({ read }: { read: (source: unknown) => Events }) =>
      read(tableSource('events', Event.schema))
        .eventTime((event) => event.at, { outOfOrdernessMs })
        .keyBy((event) => event.user)
        .window(windows[kind], options)
        .aggregate({ n: agg.count(), sum: agg.sum((event) => event.v) })
        .writeTo(rowsSink('out'))) as never,
  });
  return buildJob(job, {}).graph;
}

/** What comes out of each window and key, in turn. */
function byGroup(rows: readonly Row[]): Map<string, Row[]> {
  return Map.groupBy(rows, (one) => `${one['windowStart']} ${one['windowEnd']} ${one['user']}`);
}

test('windows that come out several times come to the rows of the batch job', () => {
  let repeated = 0;
  fc.assert(
    fc.property(cases, (given) => {
      const { rows, kind, isDiscarding, parallelism } = given;
      const run = (mode: 'batch' | 'streaming') => {
        const physical = planJob(graphOf(given), { parallelism, mode });
        const inputs = { tables: { events: rows }, functions: new Map() };
        return byGroup(runPlan(physical, inputs).get('out') ?? []);
      };
      const found = run('streaming');
      for (const group of found.values()) repeated += group.length - 1;
      const total = (group: readonly Row[], name: string) =>
        group.reduce((sum, one) => sum + BigInt(String(one[name])), 0n);
      const isSummed = isDiscarding && kind === 'tumbling';
      const lastOf = (group: readonly Row[] = []) =>
        isSummed
          ? { ...group[0], n: total(group, 'n'), sum: total(group, 'sum') }
          : { ...group.at(-1) };
      const expected = run('batch');
      for (const [key, group] of expected) expect(lastOf(found.get(key))).toEqual(group[0]);
      // A session that has come out may grow, and comes again with other bounds.
      if (kind !== 'session') expect(found.size).toBe(expected.size);
    }),
    { numRuns: 150 },
  );
  expect(repeated).toBeGreaterThan(0);
});
