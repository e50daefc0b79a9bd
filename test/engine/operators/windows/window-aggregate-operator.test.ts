/**
 * Goal: windows of every kind give what a row-by-row reference gives, between the same watermarks, however
 * batches and marks come; in one phase and in two.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { OperatorContext } from '../../../../engine/operators/operator.ts';
import { WindowAggregateOperator } from '../../../../engine/operators/windows/window-aggregate-operator.ts';
import { firesOnce } from '../../../../engine/plan/window-spec.ts';
import {
  batchOf,
  CollectingOutbox,
  checkOperator,
  feed,
  newContext,
  type Step,
} from '../../../support/operator-harness.ts';
import {
  input,
  optionsOf,
  partialOptionsOf,
  place,
  specs,
  steps,
  twoPhases,
} from './window-aggregate-cases.ts';
import { windowReference } from './window-reference.ts';

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
