/**
 * Goal: windows of every kind give what a row-by-row reference gives, between the same watermarks, however
 * batches and marks come; in one phase and in two.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { OperatorContext } from '../../../../engine/operators/operator.ts';
import {
  WindowAggregateOperator,
  type WindowAggregateOptions,
} from '../../../../engine/operators/windows/window-aggregate-operator.ts';
import { aggregatePartsOf } from '../../../../engine/plan/aggregate-parts.ts';
import { firesOnce, type TimeWindowSpec } from '../../../../engine/plan/window-spec.ts';
import { int64Type as int64 } from '../../../../engine/schema/field-type.ts';
import { fieldOf, type Schema } from '../../../../engine/schema/schema.ts';
import {
  batchOf,
  CollectingOutbox,
  checkOperator,
  feed,
  newContext,
  type Step,
} from '../../../support/operator-harness.ts';
import { ChainedOperators } from '../chained-operators.ts';
import { windowReference } from './window-reference.ts';

const time = { kind: 'timestamp', unit: 'ms' } as const;
const input: Schema = {
  fields: [
    fieldOf('k', { kind: 'int32' }, true),
    fieldOf('at', time, true),
    fieldOf('v', { kind: 'int32' }, true),
  ],
};
const aggregates = [
  { name: 'n', function: 'count', columns: [] },
  { name: 'sum', function: 'sum', columns: ['v'] },
  { name: 'least', function: 'min', columns: ['v'] },
  { name: 'mean', function: 'avg', columns: ['v'] },
] as const;
const results = [
  fieldOf('k', { kind: 'int32' }, true),
  fieldOf('n', int64),
  fieldOf('sum', int64, true),
  fieldOf('least', { kind: 'int32' }, true),
  fieldOf('mean', { kind: 'float64' }, true),
];

function optionsOf(window: TimeWindowSpec): WindowAggregateOptions {
  const bounds = [fieldOf('windowStart', time), fieldOf('windowEnd', time)];
  const output = { fields: window.kind === 'global' ? results : [...bounds, ...results] };
  return { input, output, phase: 'whole', window, column: 'at', keys: ['k'], aggregates };
}

function partsOf({ keys }: WindowAggregateOptions) {
  return aggregatePartsOf({ keys, aggregates, output: { fields: results } }, input);
}

function partialOptionsOf(options: WindowAggregateOptions): WindowAggregateOptions {
  const output = { fields: [fieldOf('pane', time), ...partsOf(options).schema.fields] };
  return { ...options, phase: 'partial', output };
}

/** A partial phase and a final one behind it. */
function twoPhases(context: OperatorContext, options: WindowAggregateOptions) {
  const first = partialOptionsOf(options);
  const partial = new WindowAggregateOperator(context, first);
  const merged = { phase: 'final', input: first.output, column: 'pane' } as const;
  const given = { ...options, ...merged, aggregates: partsOf(options).aggregates };
  return new ChainedOperators([partial, new WindowAggregateOperator(context, given)]);
}

const place = { offsetMs: 0, timeZone: null };
const specs = fc.oneof(
  fc
    .record({ sizeMs: fc.integer({ min: 1, max: 9 }), offsetMs: fc.integer({ min: -4, max: 4 }) })
    .map((one) => ({ kind: 'tumbling', ...one, timeZone: null }) as const),
  fc
    .constantFrom([4, 2], [6, 4], [7, 3], [5, 1], [3, 3])
    .map(([sizeMs = 1, slideMs = 1]) => ({ kind: 'sliding', sizeMs, slideMs, ...place }) as const),
  fc
    .constantFrom([4, 2], [6, 2], [9, 3])
    .map(([sizeMs = 1, stepMs = 1]) => ({ kind: 'cumulating', sizeMs, stepMs, ...place }) as const),
  fc.constant({ kind: 'global' } as const),
);
const row = fc.record({
  k: fc.option(fc.integer({ min: 0, max: 3 })),
  at: fc.integer({ min: -20, max: 40 }),
  v: fc.option(fc.integer({ min: -9, max: 9 })),
});
/** Rows around a time that goes on, and marks behind it. */
const steps = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 4 }), fc.array(row, { maxLength: 6 })), {
    maxLength: 6,
  })
  .map((stretches) => {
    const all: Step[] = [];
    let mark = -18;
    for (const [step, rows] of stretches) {
      all.push(...rows.map((one) => ({ row: { ...one } })));
      mark += step * 3 + 1;
      all.push({ watermark: mark });
    }
    return all;
  });

describe('windows of time', () => {
  test('are those of the reference, late rows too', () => {
    fc.assert(
      fc.property(specs, steps, fc.constantFrom(0, 0, 5), (spec, given, allowedLatenessMs) => {
        const { rows, late } = windowReference(given, { spec, allowedLatenessMs });
        const firing = { ...firesOnce, allowedLatenessMs };
        const options = { ...optionsOf(spec), firing };
        checkOperator({
          ...{ input, steps: given, isOrdered: false, hasMarks: true },
          build: (context) => new WindowAggregateOperator(context, options),
          expected: rows,
          expectedLate: late,
        });
      }),
      { numRuns: 60 },
    );
  });

  test('are the same in two phases', () => {
    fc.assert(
      fc.property(specs, steps, (spec, given) => {
        const { rows, late } = windowReference(given, { spec });
        checkOperator({
          ...{ input, steps: given, isOrdered: false, hasMarks: true },
          build: (context) => twoPhases(context, optionsOf(spec)),
          expected: rows,
          expectedLate: late,
        });
      }),
      { numRuns: 40 },
    );
  });

  test('that are discarding have new rows only', () => {
    fc.assert(
      fc.property(steps, (given) => {
        const spec = { kind: 'tumbling', sizeMs: 5, ...place } as const;
        const firing = { ...firesOnce, allowedLatenessMs: 7, isDiscarding: true };
        const { rows, late } = windowReference(given, {
          spec,
          allowedLatenessMs: 7,
          isDiscarding: true,
        });
        checkOperator({
          ...{ input, steps: given, isOrdered: false, hasMarks: true },
          build: (context) => new WindowAggregateOperator(context, { ...optionsOf(spec), firing }),
          expected: rows,
          expectedLate: late,
        });
      }),
      { numRuns: 30 },
    );
  });
});

test('a partial phase without room gives panes out, and the result is the same', () => {
  const spec = { kind: 'sliding', sizeMs: 6, slideMs: 2, ...place } as const;
  const given = Array.from({ length: 300 }, (_, index): Step => {
    return { row: { k: index % 4, at: (index * 7) % 30, v: index % 5 } };
  });
  const expected = windowReference(given, { spec }).rows;
  const noRoom = (context: OperatorContext): OperatorContext => {
    return { ...context, spill: { ...context.spill, share: context.spill.share.part(1e-6) } };
  };
  checkOperator({
    ...{ input, steps: given, isOrdered: false, hasMarks: true, expected },
    build: (context) => twoPhases(noRoom(context), optionsOf(spec)),
  });
  const { output } = partialOptionsOf(optionsOf(spec));
  const outbox = new CollectingOutbox();
  const { memory, context } = newContext('tested');
  const operator = new WindowAggregateOperator(noRoom(context), partialOptionsOf(optionsOf(spec)));
  for (let count = 0; count < 8; count++) {
    const batch = batchOf(memory.scope('input'), input, [{ k: 1, at: count, v: 1 }]);
    feed(operator, batch, outbox);
    batch.release();
  }
  operator.close();
  memory.assertEmpty();
  // Four panes of two milliseconds, before any watermark.
  expect(outbox.rows.map((one) => one[output.fields[0]?.name ?? ''])).toEqual([0n, 2n, 4n, 6n]);
});
