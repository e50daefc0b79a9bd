/** Goal: limit passes exactly the first rows, wherever batch borders are. */
import fc from 'fast-check';
import { test } from 'vitest';
import { LimitOperator } from '../../../engine/operators/limit-operator.ts';
import { int32Type } from '../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../engine/schema/schema.ts';
import { checkOperator } from '../../support/operator-harness.ts';

const input = schemaOf(fieldOf('n', int32Type));

test('the first rows pass', () => {
  fc.assert(
    fc.property(fc.array(fc.integer(), { maxLength: 30 }), fc.nat(40), (numbers, count) => {
      const rows = numbers.map((n) => ({ n: n | 0 }));
      checkOperator({
        input,
        rows,
        build: () => new LimitOperator(count),
        expected: rows.slice(0, count),
      });
    }),
    { numRuns: 30 },
  );
});
