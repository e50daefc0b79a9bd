/**
 * Goal: sessions are those of a row-by-row reference, however rows and watermarks come: in one phase and in two, with
 * keys of every form, and where rows join sessions that were two.
 */
import fc from 'fast-check';
import { describe, test } from 'vitest';
import type { OperatorContext } from '../../../../engine/operators/operator.ts';
import {
  SessionAggregateOperator,
  type SessionAggregateOptions,
} from '../../../../engine/operators/windows/session-aggregate-operator.ts';
import { aggregatePartsOf } from '../../../../engine/plan/aggregate-parts.ts';
import { firesOnce } from '../../../../engine/plan/window-spec.ts';
import { int64Type } from '../../../../engine/schema/field-type.ts';
import { type Field, fieldOf, type Schema } from '../../../../engine/schema/schema.ts';
import { checkOperator, type Row, type Step } from '../../../support/operator-harness.ts';
import { ChainedOperators } from '../chained-operators.ts';
import { sessionReference } from './session-reference.ts';
import { stepsOf } from './window-steps.ts';

const time = { kind: 'timestamp', unit: 'ms' } as const;
const keyTypes = {
  int32: { field: fieldOf('k', { kind: 'int32' }, true), of: (k: number) => k as unknown },
  text: {
    field: fieldOf('k', { kind: 'utf8' }, true),
    of: (k: number) => (k === 0 ? 'a' : `a key of more than 8 bytes, ${k}`),
  },
  decimal: {
    field: fieldOf('k', { kind: 'decimal', precision: 38, scale: 0 }, true),
    of: (k: number) => `${k + 1}000000000000000000000`,
  },
};
const aggregates = [
  { name: 'n', function: 'count', columns: [] },
  { name: 'sum', function: 'sum', columns: ['v'] },
  { name: 'least', function: 'min', columns: ['v'] },
  { name: 'mean', function: 'avg', columns: ['v'] },
] as const;

function schemasOf(key: Field): { readonly input: Schema; readonly output: Schema } {
  const v = fieldOf('v', { kind: 'int32' }, true);
  const results = [
    fieldOf('n', int64Type),
    fieldOf('sum', int64Type, true),
    fieldOf('least', { kind: 'int32' }, true),
    fieldOf('mean', { kind: 'float64' }, true),
  ];
  const bounds = [fieldOf('windowStart', time), fieldOf('windowEnd', time)];
  return {
    input: { fields: [key, fieldOf('at', time, true), v] },
    output: { fields: [...bounds, key, ...results] },
  };
}

function optionsOf(key: Field, gapMs: number): SessionAggregateOptions {
  return { ...schemasOf(key), phase: 'whole', gapMs, column: 'at', keys: ['k'], aggregates };
}

/** A partial phase and a final one behind it. */
function twoPhases(context: OperatorContext, options: SessionAggregateOptions) {
  const { input, keys, output } = options;
  const groups = { fields: output.fields.slice(2) };
  const parts = aggregatePartsOf({ keys, aggregates, output: groups }, input);
  const bounds = [fieldOf('first', time), fieldOf('final', time)];
  const between = { fields: [...bounds, ...parts.schema.fields] };
  const partial = { ...options, phase: 'partial', output: between } as const;
  const times = { column: 'first', lastColumn: 'final' };
  const merged = { ...options, ...times, input: between, aggregates: parts.aggregates };
  return new ChainedOperators([
    new SessionAggregateOperator(context, partial),
    new SessionAggregateOperator(context, { ...merged, phase: 'final' }),
  ]);
}

const row = fc.record({
  k: fc.option(fc.integer({ min: 0, max: 2 })),
  at: fc.integer({ min: -20, max: 40 }),
  v: fc.option(fc.integer({ min: -9, max: 9 })),
});
const steps = stepsOf(row);
const gaps = fc.integer({ min: 1, max: 7 });
/** Each once, or again for late rows: with the next watermark, or at once. */
const firings = fc.constantFrom(
  { allowedLatenessMs: 0, isLatePerRow: false },
  { allowedLatenessMs: 6, isLatePerRow: false },
  { allowedLatenessMs: 6, isLatePerRow: true },
);
const keyKinds = fc.constantFrom(...Object.values(keyTypes));

/** The same with keys of another type. */
function withKeys(
  rows: readonly Row[],
  { of, field }: (typeof keyTypes)[keyof typeof keyTypes],
): Row[] {
  const isDecimal = field.type.kind === 'decimal';
  return rows.map((one) => {
    if (!('k' in one) || one.k === null) return one;
    const key = of(one.k as number);
    return { ...one, k: isDecimal ? String(key) : key };
  });
}

function stepsWithKeys(
  given: readonly Step[],
  key: (typeof keyTypes)[keyof typeof keyTypes],
): Step[] {
  return given.map((step) => {
    return 'row' in step ? { row: withKeys([step.row], key)[0] as Row } : step;
  });
}

describe('sessions', () => {
  test('are those of the reference, late rows too', () => {
    fc.assert(
      fc.property(steps, gaps, firings, keyKinds, (given, gapMs, when, key) => {
        const expected = sessionReference(given, { gapMs, ...when });
        const firing = { ...firesOnce, ...when };
        const options = { ...optionsOf(key.field, gapMs), firing };
        checkOperator({
          ...{ input: options.input, steps: stepsWithKeys(given, key) },
          ...{ isOrdered: false, hasMarks: true },
          build: (context) => new SessionAggregateOperator(context, options),
          expected: withKeys(expected.rows, key),
          expectedLate: withKeys(expected.late, key),
        });
      }),
      { numRuns: 120 },
    );
  });

  test('are the same in two phases', () => {
    fc.assert(
      fc.property(steps, gaps, keyKinds, (given, gapMs, key) => {
        const expected = sessionReference(given, { gapMs });
        const options = optionsOf(key.field, gapMs);
        checkOperator({
          ...{ input: options.input, steps: stepsWithKeys(given, key) },
          ...{ isOrdered: false, hasMarks: true },
          build: (context) => twoPhases(context, options),
          expected: withKeys(expected.rows, key),
          expectedLate: withKeys(expected.late, key),
        });
      }),
      { numRuns: 60 },
    );
  });
});

test('rows without a time are late where that is asked for', () => {
  const options = optionsOf(keyTypes.int32.field, 5);
  const firing = { ...firesOnce, missing: 'late' } as const;
  const none = { k: 1, at: null, v: 2 };
  const group = { k: 1, n: 1n, sum: 3n, least: 3, mean: 3 };
  checkOperator({
    input: options.input,
    steps: [{ row: none }, { row: { k: 1, at: 7, v: 3 } }],
    build: (context) => new SessionAggregateOperator(context, { ...options, firing }),
    expected: [{ windowStart: 7n, windowEnd: 12n, ...group }],
    expectedLate: [none],
  });
});
