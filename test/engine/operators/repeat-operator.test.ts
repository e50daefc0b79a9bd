/** Goal: rows come as often as their count says, whatever the batches, and counts of billions take no room. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RepeatOperator } from '../../../engine/operators/repeat-operator.ts';
import { int64Type, utf8Type } from '../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../engine/schema/schema.ts';
import {
  batchOf,
  CollectingOutbox,
  checkOperator,
  newContext,
} from '../../support/operator-harness.ts';

const text = fieldOf('text', utf8Type, true);
const input = schemaOf(fieldOf('copies', int64Type), text);
const options = { input, output: schemaOf(text), column: 'copies' };

test('each row comes as often as its count says', () => {
  const row = fc.record({
    text: fc.option(fc.constantFrom('a', 'a text that is longer than a view')),
    copies: fc.oneof(fc.bigInt({ min: -2n, max: 3n }), fc.constantFrom(8191n, 8192n, 9000n)),
  });
  fc.assert(
    fc.property(fc.array(row, { maxLength: 12 }), (rows) =>
      checkOperator({
        input,
        rows,
        keepsNothing: true,
        build: (context) => new RepeatOperator(context, options),
        expected: rows.flatMap((one) =>
          Array.from({ length: Math.max(0, Number(one.copies)) }, () => ({ text: one.text })),
        ),
      }),
    ),
    { numRuns: 20 },
  );
});

test('the copies of one row are given out batch by batch', () => {
  const { context, scope, memory } = newContext('tested', true);
  const operator = new RepeatOperator(context, options);
  const batch = batchOf(scope, input, [{ text: 'x', copies: 10_000_000_000n }]);
  const outbox = new CollectingOutbox();
  for (let calls = 1; calls <= 3; calls++) {
    expect(operator.process(batch, 0, outbox)).toBe(0);
    expect(outbox.rows.length).toBe(calls * 8192);
  }
  operator.close();
  batch.release();
  memory.assertEmpty();
});
