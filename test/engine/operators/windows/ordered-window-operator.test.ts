/**
 * Goal: groups of a window come out once, before the watermark goes on, as a plain loop over its rows gives them; late
 * rows are put aside.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { OperatorContext } from '../../../../engine/operators/operator.ts';
import { OrderedWindowOperator } from '../../../../engine/operators/windows/ordered-window-operator.ts';
import type { TimeWindowSpec } from '../../../../engine/plan/window-spec.ts';
import { fieldOf, type Schema } from '../../../../engine/schema/schema.ts';
import { ascending } from '../../../../engine/stream/row-order.ts';
import {
  checkOperator,
  type Row,
  runModes,
  runOperator,
  type Step,
} from '../../../support/operator-harness.ts';
import { checkSnapshotsOnce } from '../../../support/snapshot-harness.ts';
import { keptRowsReference, type Timed } from './kept-rows-reference.ts';
import { stepsOf } from './window-steps.ts';

const time = { kind: 'timestamp', unit: 'ms' } as const;
const text = { kind: 'utf8' } as const;
const input: Schema = {
  fields: [
    fieldOf('k', text, true),
    fieldOf('at', time, true),
    fieldOf('word', text, true),
    fieldOf('place', { kind: 'int32' }),
  ],
};
const output: Schema = {
  fields: [
    ...[fieldOf('windowStart', time), fieldOf('windowEnd', time), fieldOf('k', text, true)],
    ...[fieldOf('words', text, true), fieldOf('rows', { kind: 'int64', js: 'bigint' })],
  ],
};
const at = { offsetMs: 0, timeZone: null };
const specs: readonly TimeWindowSpec[] = [
  { kind: 'tumbling', sizeMs: 10, ...at },
  { kind: 'sliding', sizeMs: 10, slideMs: 4, ...at },
  { kind: 'cumulating', sizeMs: 12, stepMs: 4, ...at },
];

interface Given extends Timed {
  readonly k: string | null;
  readonly word: string | null;
  readonly place: number;
}

/** Rows and marks that come out, and the late rows. */
function reference(steps: readonly Step[], window: TimeWindowSpec) {
  return keptRowsReference<Given>(steps, window, function* (rows, { start, end }) {
    for (const [k, group] of Map.groupBy(rows, (row) => row.k)) {
      const words = group.toSorted((a, b) => a.place - b.place).flatMap(({ word }) => word ?? []);
      const bounds = { windowStart: BigInt(start), windowEnd: BigInt(end) };
      const joined = words.length === 0 ? null : words.join(', ');
      yield { ...bounds, k, words: joined, rows: BigInt(group.length) };
    }
  });
}

const row = fc.record({
  k: fc.constantFrom(null, 'a', 'a key of more than twelve bytes'),
  at: fc.option(fc.integer({ min: -20, max: 40 }), { freq: 12 }),
  word: fc.constantFrom(null, 'x', 'a word of more than twelve bytes'),
});
/** No two rows have the same place in the order. */
function placed(steps: readonly Step[]): Step[] {
  let count = 0;
  return steps.map((step): Step => {
    return 'row' in step ? { row: { ...step.row, place: (count++ * 37) % 101 } } : step;
  });
}
const someSteps = stepsOf(row).map(placed);

function build(window: TimeWindowSpec) {
  return (context: OperatorContext) =>
    new OrderedWindowOperator(context, {
      ...{ input, output, window, column: 'at', missing: 'late', keys: ['k'] },
      order: [ascending('place')],
      aggregates: [
        { name: 'words', function: 'stringAgg', input: 'word', separator: ', ' },
        { name: 'rows', function: 'count', columns: [] },
      ],
    });
}

test('groups are those of the reference', () => {
  fc.assert(
    fc.property(someSteps, fc.constantFrom(...specs), (steps, window) => {
      const { rows, late } = reference(steps, window);
      checkOperator({
        ...{ input, steps, isOrdered: false, hasMarks: true, build: build(window) },
        // Each window is a sorter, which takes a while to make: restarts have a test of their own.
        isNotRestarted: true,
        ...{ expected: rows, expectedLate: late },
      });
    }),
    { numRuns: 60 },
  );
});

test('rows that memory can not hold are on disk until their window is complete', () => {
  const window = { kind: 'tumbling', sizeMs: 1_000, ...at } as const;
  const steps = Array.from({ length: 40_000 }, (_, id): Step => {
    const k = id % 5 === 0 ? null : `a key of more than twelve bytes, ${id % 7000}`;
    const word = `a word of more than twelve bytes, ${id}`;
    return { row: { k, at: (id * 7919) % 1_500, word, place: (id * 7919) % 40_009 } };
  });
  const open = new Map<string, Row[]>();
  for (const step of steps) {
    const given = (step as { readonly row: Given }).row;
    const key = JSON.stringify([given.k, Math.floor((given.at ?? 0) / 1_000)]);
    const own = open.get(key) ?? [];
    open.set(key, own);
    own.push(given);
  }
  const [mode] = runModes;
  if (mode === undefined) throw new Error('there are modes');
  const given = { input, steps, expected: [], shareBytes: 16 << 20 };
  const found = runOperator({ ...given, build: build(window) }, mode);
  expect(found.length).toBe(open.size);
  for (const one of found) {
    const key = JSON.stringify([one.k, Number(one.windowStart) / 1_000]);
    const own = (open.get(key) ?? []) as Given[];
    const words = own.toSorted((a, b) => a.place - b.place).map(({ word }) => word);
    expect(one.words).toBe(words.join(', '));
  }
});

test('rows of open windows go on in other tasks', () => {
  const seeds = fc.integer({ min: 1, max: 1_000_000 });
  const long = stepsOf(row, { rowsMax: 12, gapMax: 6, isLong: true }).map(placed);
  fc.assert(
    fc.property(long, fc.constantFrom(...specs), seeds, (steps, window, seed) => {
      checkSnapshotsOnce({ input, steps, keys: ['k'], build: build(window) }, seed);
    }),
    { numRuns: 30 },
  );
});
