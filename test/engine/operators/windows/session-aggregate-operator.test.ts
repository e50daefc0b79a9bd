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
import { fieldOf } from '../../../../engine/schema/schema.ts';
import { checkOperator } from '../../../support/operator-harness.ts';
import { ChainedOperators } from '../chained-operators.ts';
import {
  firings,
  gaps,
  keyKinds,
  keyTypes,
  optionsOf,
  steps,
  stepsWithKeys,
  withKeys,
} from './session-cases.ts';
import { sessionReference } from './session-reference.ts';

const time = { kind: 'timestamp', unit: 'ms' } as const;

/** A partial phase and a final one behind it. */
function twoPhases(context: OperatorContext, options: SessionAggregateOptions) {
  const { input, keys, output, aggregates } = options;
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
          // What a partial phase gives out at a barrier no late row can join there.
          isNotRestarted: true,
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
