/** Goal: a chained outbox holds one batch at most, keeps its position, and never loses or doubles a reference. */
import { expect, test } from 'vitest';
import { int32Type } from '../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../engine/schema/schema.ts';
import { ChainedOutbox } from '../../../engine/stream/outbox.ts';
import { batchOf, newContext } from '../../support/operator-harness.ts';

const schema = schemaOf(fieldOf('n', int32Type));
const rows = Array.from({ length: 5 }, (_, n) => ({ n }));

test('a batch that is not finished stays, and the next one is refused', () => {
  const { memory, scope } = newContext('tested');
  const calls: number[] = [];
  const outbox = new ChainedOutbox((batch, row) => {
    calls.push(row);
    return Math.min(row + 2, batch.rowCount);
  });
  const second = batchOf(scope, schema, rows);
  expect(outbox.offer(batchOf(scope, schema, rows))).toBe(true);
  expect(outbox.position).toBe(2);
  expect(outbox.offer(second)).toBe(false);
  expect([outbox.pump(), outbox.isEmpty, outbox.pump(), outbox.isEmpty]).toEqual([
    false,
    false,
    true,
    true,
  ]);
  expect(calls).toEqual([0, 2, 4]);
  expect(outbox.offer(second)).toBe(true);
  outbox.close();
  memory.assertEmpty();
});

test('a batch whose offer throws stays the caller’s; one whose pump throws is released by close', () => {
  const { memory, scope } = newContext('tested');
  let isFailing = true;
  const outbox = new ChainedOutbox(() => {
    if (isFailing) throw new Error('no luck');
    return 0;
  });
  const batch = batchOf(scope, schema, rows);
  expect(() => outbox.offer(batch)).toThrow('no luck');
  expect(outbox.isEmpty).toBe(true);
  isFailing = false;
  expect(outbox.offer(batch)).toBe(true);
  isFailing = true;
  expect(() => outbox.pump()).toThrow('no luck');
  outbox.close();
  memory.assertEmpty();
});

test('a position that goes back is a bug', () => {
  const { scope } = newContext('tested');
  const outbox = new ChainedOutbox(() => -1);
  expect(() => outbox.offer(batchOf(scope, schema, rows))).toThrow('a position only grows');
});
