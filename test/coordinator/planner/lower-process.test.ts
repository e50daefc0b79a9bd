/**
 * Goal: a control stream reaches every task of a process in one order. One that ends is there before the first row, so
 * batch and stream give the rows of a plain loop with any number of tasks; one without an end is read beside the rows.
 */
import fc from 'fast-check';
import { state, t } from 'millrace';
import { expect, test } from 'vitest';
import { planJob } from '../../../coordinator/planner/planner.ts';
import { buildJob } from '../../../engine/api/build-job.ts';
import { defineJob } from '../../../engine/api/define-job.ts';
import type { Stream } from '../../../engine/api/stream.ts';
import type { JobMode } from '../../../engine/plan/logical-graph.ts';
import { hasBuildSide, hasSecondStream } from '../../../engine/plan/physical-graph.ts';
import type { Row } from '../../support/operator-harness.ts';
import { rowsSink, runPlan, tableSource, textsOf } from '../../support/plan-runner.ts';

const number = t.int64({ js: 'number' });
const Payment = t.struct({ id: number, account: number, at: t.timestampMs() });
const Rule = t.struct({ name: t.utf8(), most: number, at: t.timestampMs() });
const Seen = t.struct({ id: number, rules: t.utf8() });

interface JobShape {
  readonly hasControlEnd: boolean;
  readonly hasControlTime: boolean;
}

/** Says at the end of time for each account which rules its task knows, and for each payment which there were. */
function jobOf({ hasControlEnd, hasControlTime }: JobShape) {
  const job = defineJob({
    name: 'rules',
    build: (({ read }: { read: (source: unknown) => Stream<never> }) => {
      const time = ((row: { at: never }) => row.at) as never;
      const late = { outOfOrdernessMs: 1000 };
      const end = hasControlEnd ? {} : { isUnbounded: true };
      const rules = read({ ...tableSource('rules', Rule.schema), ...end });
      return read(tableSource('payments', Payment.schema))
        .eventTime(time, late)
        .keyBy(((payment: { account: unknown }) => payment.account) as never)
        .process({
          state: { rules: state.broadcast(t.utf8(), number) },
          output: Seen,
          control: hasControlTime ? rules.eventTime(time, late) : rules,
          onControl: (rule: { name: string; most: number }, { state: { rules: all } }: never) => {
            set(all, rule);
          },
          onRow({ id }: { id: number }, { state: { rules: all }, timers, emit }: Context) {
            timers.eventTime(8_000_000_000_000);
            emit({ id, rules: JSON.stringify(all.entries()) });
          },
          onTimer(_: number, { state: { rules: all }, emit }: Context) {
            emit({ id: -1, rules: JSON.stringify(all.entries()) });
          },
        } as never)
        .writeTo(rowsSink('out') as never);
    }) as never,
  });
  return buildJob(job, {});
}

interface Context {
  readonly state: { readonly rules: { entries(): unknown } };
  readonly timers: { eventTime(timeMs: number): void };
  emit(row: Row): void;
}

function set(all: Map<string, number>, { name, most }: { name: string; most: number }): void {
  if (most === 0) all.delete(name);
  else all.set(name, most);
}

const time = fc.integer({ min: 0, max: 900 });
const payments = fc.array(fc.record({ account: fc.integer({ min: 0, max: 5 }), at: time }), {
  maxLength: 40,
});
/** No two rules are of one time, so there is one order. */
const rules = fc.uniqueArray(
  fc.record({
    name: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    most: fc.integer({ min: 0, max: 9 }),
    at: time,
  }),
  { selector: ({ at }) => at, maxLength: 30 },
);
const parallelism = fc.constantFrom(1, 2, 3, 7);
const modes = fc.constantFrom<JobMode>('batch', 'streaming');

function tablesOf(drawnPayments: readonly Row[], drawnRules: readonly Row[]) {
  const timed = (row: Row) => ({ ...row, at: BigInt(row.at as number) });
  return {
    payments: drawnPayments.map((row, id) => ({ ...timed(row), id })),
    rules: drawnRules.map(timed),
  };
}

test('control that ends comes first, in order of its time', { timeout: 120_000 }, () => {
  fc.assert(
    fc.property(payments, rules, parallelism, modes, (some, control, tasks, mode) => {
      const { graph, functions } = jobOf({ hasControlEnd: true, hasControlTime: true });
      const physical = planJob(graph, { parallelism: tasks, mode });
      const found = runPlan(physical, { tables: tablesOf(some, control), functions });
      const all = new Map<string, number>();
      for (const rule of control.toSorted((a, b) => a.at - b.at)) set(all, rule);
      const known = JSON.stringify([...all]);
      const accounts = new Set(some.map(({ account }) => account));
      const expected = [...some.keys(), ...[...accounts].map(() => -1)];
      expect(textsOf(found.get('out'))).toEqual(
        textsOf(expected.map((id) => ({ id, rules: known }))),
      );
    }),
    { numRuns: 60 },
  );
});

test('control without an end: all tasks have seen the same at the end', {
  timeout: 120_000,
}, () => {
  fc.assert(
    fc.property(payments, rules, parallelism, fc.boolean(), (some, control, tasks, isTimed) => {
      const { graph, functions } = jobOf({ hasControlEnd: false, hasControlTime: isTimed });
      const physical = planJob(graph, { parallelism: tasks, mode: 'streaming' });
      const found =
        runPlan(physical, { tables: tablesOf(some, control), functions }).get('out') ?? [];
      expect(found.filter(({ id }) => id !== -1)).toHaveLength(some.length);
      const atEnd = found.filter(({ id }) => id === -1);
      expect(atEnd).toHaveLength(new Set(some.map(({ account }) => account)).size);
      const logs = new Set(atEnd.map((one) => one.rules));
      expect(logs.size).toBeLessThanOrEqual(1);
      const names = new Set<string>(control.map(({ name }) => name));
      for (const log of logs) {
        const known = (JSON.parse(log as string) as [string, number][]).map(([name]) => name);
        expect(known.filter((name) => !names.has(name))).toEqual([]);
      }
    }),
    { numRuns: 60 },
  );
});

test.each`
  mode           | hasControlEnd | hasControlTime | kinds
  ${'batch'}     | ${true}       | ${true}        | ${['source', 'sort']}
  ${'batch'}     | ${true}       | ${false}       | ${['source', 'project']}
  ${'streaming'} | ${true}       | ${false}       | ${['source', 'project']}
  ${'streaming'} | ${false}      | ${false}       | ${['source', 'project']}
  ${'streaming'} | ${false}      | ${true}        | ${['source', 'eventTime', 'project']}
`(
  '$mode, control with an end: $hasControlEnd, with a time: $hasControlTime',
  ({ mode, kinds, ...shape }) => {
    const { graph } = jobOf(shape);
    const { vertices, edges } = planJob(graph, { parallelism: 3, mode });
    const process = vertices.find(({ chain }) => chain[0]?.kind === 'process');
    const [spec] = process?.chain ?? [];
    if (process === undefined || spec === undefined) throw new Error('the plan has a process');
    expect([hasBuildSide(spec), hasSecondStream(spec)]).toEqual([
      shape.hasControlEnd,
      !shape.hasControlEnd,
    ]);
    const into = edges.filter(({ to }) => to === process.id);
    expect(into.map(({ exchange, port }) => [exchange.kind, port])).toEqual([
      ['hash', 0],
      ['broadcast', 1],
    ]);
    const single = vertices.find(({ id }) => id === into[1]?.from);
    const before = edges.find(({ to }) => to === single?.id);
    const source = vertices.find(({ id }) => id === before?.from);
    expect([single?.parallelism, before?.exchange.kind]).toEqual([1, 'gather']);
    const chain = [...(source?.chain ?? []), ...(single?.chain ?? [])];
    expect(chain.map(({ kind }) => kind)).toEqual(kinds);
  },
);
