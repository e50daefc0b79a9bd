/** Goal: limit passes exactly the first rows, wherever batch borders are. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LimitOperator } from '../../../engine/operators/limit-operator.ts';
import { int32Type } from '../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../engine/schema/schema.ts';
import {
  batchOf,
  CollectingOutbox,
  checkOperator,
  feed,
  newContext,
} from '../../support/operator-harness.ts';
import { checkSnapshots } from '../../support/snapshot-harness.ts';

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

test('one task goes on with what it has let pass; several each with the least of it', () => {
  const rows = Array.from({ length: 30 }, (_, n) => ({ n }));
  const build = () => new LimitOperator(10);
  checkSnapshots({ input, rows, keys: [], build, expected: rows.slice(0, 10) });
  const { context } = newContext('tested');
  const [first, second] = [new LimitOperator(10), new LimitOperator(10)];
  const notes = [{ passed: 4 }, { passed: 10 }];
  const reader = { notes, keyGroups: { start: 0, end: 64 }, read: () => null };
  first.restore(reader);
  second.restore({ ...reader, keyGroups: { start: 64, end: 128 } });
  for (const operator of [first, second]) {
    const outbox = new CollectingOutbox();
    const batch = batchOf(context.scope, input, rows);
    feed(operator, batch, outbox);
    batch.release();
    expect(outbox.rows).toEqual(rows.slice(0, 6));
    operator.close();
  }
});
