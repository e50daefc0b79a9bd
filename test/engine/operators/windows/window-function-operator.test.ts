/**
 * Goal: the function is called for each window and key with the rows of a row-by-row reference, in the order of time,
 * before the watermark goes on; late rows are put aside; and memory need not hold the rows.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { batchRowsMax } from '../../../../engine/batch/batch.ts';
import type { OperatorContext } from '../../../../engine/operators/operator.ts';
import {
  WindowFunctionOperator,
  type WindowFunctionOptions,
} from '../../../../engine/operators/windows/window-function-operator.ts';
import type { TimeWindowSpec } from '../../../../engine/plan/window-spec.ts';
import { fieldOf, type Schema } from '../../../../engine/schema/schema.ts';
import { MemoryDisk } from '../../../support/memory-disk.ts';
import {
  batchOf,
  CollectingOutbox,
  checkOperator,
  feed,
  newContext,
  type Row,
  runModes,
  runOperator,
  type Step,
} from '../../../support/operator-harness.ts';
import { takeOver } from '../../../support/restarted-operator.ts';
import { checkSnapshotsOnce } from '../../../support/snapshot-harness.ts';
import { spillSpace } from '../../../support/spill-space.ts';
import { keptRowsReference, type Timed } from './kept-rows-reference.ts';
import { stepsOf } from './window-steps.ts';

const time = { kind: 'timestamp', unit: 'ms' } as const;
const input: Schema = {
  fields: [
    fieldOf('k', { kind: 'utf8' }, true),
    fieldOf('at', time, true),
    fieldOf('v', { kind: 'int32' }),
    fieldOf('hidden', { kind: 'utf8' }, true),
  ],
};
const output: Schema = {
  fields: [
    fieldOf('key', { kind: 'utf8' }, true),
    fieldOf('start', { kind: 'float64' }),
    fieldOf('end', { kind: 'float64' }),
    fieldOf('values', { kind: 'utf8' }),
  ],
};
const place = { offsetMs: 0, timeZone: null };
const specs: readonly TimeWindowSpec[] = [
  { kind: 'tumbling', sizeMs: 10, ...place },
  { kind: 'tumbling', sizeMs: 7, offsetMs: 3, timeZone: null },
  { kind: 'sliding', sizeMs: 10, slideMs: 4, ...place },
  { kind: 'cumulating', sizeMs: 12, stepMs: 4, ...place },
  { kind: 'global' },
];

type WindowOf = { readonly start: number; readonly end: number; readonly key: Row };

/** One row of all values, and one for each value of 9. */
function* process(rows: Iterable<Row>, { start, end, key }: WindowOf) {
  const all = [...rows];
  const row = { key: key.name ?? null, start, end };
  for (const one of all) expect(Object.keys(one)).toEqual(['k', 'at', 'v']);
  yield { ...row, values: all.map(({ v }) => v).join() };
  for (const { v } of all) if (v === 9) yield { ...row, values: 'nine' };
}

function optionsOf(window: TimeWindowSpec, isKeyed = true): WindowFunctionOptions {
  return {
    ...{ input, output, window, fieldCount: 3, missing: 'late', process: process as never },
    column: window.kind === 'global' ? null : 'at',
    keys: isKeyed ? [{ name: 'name', column: 'hidden' }] : [],
  };
}

interface Given extends Timed {
  readonly hidden: string | null;
  readonly v: number;
}

/** Rows and marks that come out, and the late rows. */
function reference(steps: readonly Step[], window: TimeWindowSpec, isKeyed: boolean) {
  return keptRowsReference<Given>(steps, window, function* (rows, bounds) {
    const own = rows.toSorted((a, b) => (window.kind === 'global' ? 0 : (a.at ?? 0) - (b.at ?? 0)));
    for (const [key, group] of Map.groupBy(own, (row) => (isKeyed ? row.hidden : null))) {
      const given = group.map(({ k, at, v }) => ({ k, at, v }));
      yield* process(given, { ...bounds, key: { name: key } });
    }
  });
}

const row = fc.record({
  k: fc.constantFrom(null, 'x'),
  at: fc.option(fc.integer({ min: -20, max: 40 }), { freq: 12 }),
  v: fc.integer({ min: 0, max: 9 }),
  hidden: fc.constantFrom(null, 'a', 'a key of more than twelve bytes', 'b'),
});
const someSteps = stepsOf(row);

test('it is called with the rows of the reference', () => {
  fc.assert(
    fc.property(someSteps, fc.constantFrom(...specs), fc.boolean(), (steps, window, wantsKeys) => {
      const isKeyed = wantsKeys || window.kind === 'global';
      const { rows, late } = reference(steps, window, isKeyed);
      const options = optionsOf(window, isKeyed);
      checkOperator({
        ...{ input, steps, isOrdered: false, hasMarks: true },
        // Each window is a sorter, which takes a while to make: restarts have a test of their own.
        isNotRestarted: true,
        build: (context) => new WindowFunctionOperator(context, options),
        expected: rows,
        expectedLate: late,
      });
    }),
    { numRuns: 120 },
  );
});

test('rows that memory can not hold are on disk until their window is complete', () => {
  const window = { kind: 'tumbling', sizeMs: 1_000, ...place } as const;
  const steps = Array.from({ length: 40_000 }, (_, id): Step => {
    const hidden = id % 5 === 0 ? null : `a key of more than twelve bytes, ${id % 7}`;
    return { row: { k: null, at: (id * 7919) % 1_500, v: id % 9, hidden } };
  });
  const { rows } = reference(steps, window, true);
  const [mode] = runModes;
  if (mode === undefined) throw new Error('there are modes');
  const given = { input, steps, expected: [], shareBytes: 16 << 20 };
  const build = (context: never) => new WindowFunctionOperator(context, optionsOf(window));
  const texts = (all: readonly Row[]) => all.map((one) => JSON.stringify(one)).sort();
  expect(texts(runOperator({ ...given, build: build as never }, mode))).toEqual(texts(rows));
});

test('a function that throws is told with its window', () => {
  const failing = () => {
    throw new Error('no such path');
  };
  const options = { ...optionsOf(specs[0] as TimeWindowSpec), process: failing };
  const steps = [{ row: { k: null, at: 3, v: 1, hidden: 'a' } }];
  const run = () =>
    checkOperator({
      ...{ input, steps, expected: [] },
      build: (context) => new WindowFunctionOperator(context, options),
    });
  expect(run).toThrow(
    expect.objectContaining({ info: expect.objectContaining({ code: 'USER_FUNCTION_FAILED' }) }),
  );
});

test('rows of open windows go on in other tasks, in their order, on disk too', () => {
  const seeds = fc.integer({ min: 1, max: 1_000_000 });
  const window = fc.constantFrom(...specs);
  const steps = stepsOf(row, { rowsMax: 12, gapMax: 6, isLong: true });
  fc.assert(
    fc.property(steps, window, fc.boolean(), seeds, (given, spec, wantsKeys, seed) => {
      const isKeyed = wantsKeys || spec.kind === 'global';
      const options = optionsOf(spec, isKeyed);
      const build = (context: OperatorContext) => new WindowFunctionOperator(context, options);
      const keys = isKeyed ? ['hidden'] : [];
      checkSnapshotsOnce({ input, steps: given, keys, build }, seed);
    }),
    { numRuns: 30 },
  );
});

test('rows of open windows that are on disk are in the snapshot', () => {
  const rows = Array.from({ length: 40_000 }, (_, id): Row => {
    return { k: null, at: (id * 7919) % 1_500, v: id % 9, hidden: `a key of more than ${id % 7}` };
  });
  const options = optionsOf({ kind: 'tumbling', sizeMs: 1_000, ...place });
  const { scope, kernels, context, memory } = newContext('windows');
  const disk = new MemoryDisk();
  const operators = ['first', 'next'].map((prefix) => {
    const spill = { ...spillSpace(16 << 20, disk), prefix };
    return new WindowFunctionOperator({ ...context, spill }, options);
  });
  const [first, next] = operators as [WindowFunctionOperator, WindowFunctionOperator];
  const never = { offer: () => false };
  for (let from = 0; from < rows.length; from += batchRowsMax) {
    const batch = batchOf(scope, input, rows.slice(from, from + batchRowsMax));
    feed(first, batch, never);
    batch.release();
  }
  expect([...disk.files.keys()].length).toBeGreaterThan(0);
  takeOver(first, next, { scope, kernels }, never);
  const outbox = new CollectingOutbox();
  while (!next.finish(outbox));
  next.close();
  memory.assertEmpty();
  const [mode] = runModes;
  const build = (own: OperatorContext) => new WindowFunctionOperator(own, options);
  const expected = runOperator({ input, rows, build, expected: [] }, mode as never);
  const texts = (all: readonly Row[]) => all.map((one) => JSON.stringify(one)).sort();
  expect(texts(outbox.rows)).toEqual(texts(expected));
});
