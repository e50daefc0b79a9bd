/** Goal: to touch keys finds no fault with any of them, there or not, and leaves all entries as they are. */
import { expect, test } from 'vitest';
import { addressOf } from '../../../engine/memory/slot-memory.ts';
import { EntryTable, touchedRowsMax } from '../../../engine/state/entry-table.ts';
import { KeyCursor } from '../../../engine/state/key-cursor.ts';
import { newContext } from '../../support/operator-harness.ts';

/** So that the table is larger than what is not worth touching. */
const entryCount = 100_000;

test('keys that are touched, also those that are not there, are found as before', () => {
  const { memory, scope } = newContext('tested');
  const table = new EntryTable(scope);
  const cursor = new KeyCursor(scope);
  const bytes = scope.allocate(8);
  const hashes = scope.allocate(touchedRowsMax * 4);
  const hashOf = (n: number) => Math.imul(n + 1, 0x9e37_79b1) >>> 0;
  const keyOf = (n: number) => {
    memory.uint32[addressOf(bytes) >>> 2] = n;
    memory.uint32[(addressOf(bytes) >>> 2) + 1] = 0;
    cursor.load(addressOf(bytes), 8, hashOf(n));
    return cursor;
  };
  // Before there is anything, too.
  table.touch(addressOf(hashes), touchedRowsMax);
  for (let n = 0; n < entryCount; n++) table.put(keyOf(n), 8, Number.POSITIVE_INFINITY);
  const before = Array.from({ length: 1_000 }, (_, n) => table.find(keyOf(n * 100)));
  for (let first = 0; first < 2 * entryCount; first += 997) {
    for (let at = 0; at < touchedRowsMax; at++) {
      memory.uint32[(addressOf(hashes) >>> 2) + at] = at === 0 ? 0 : hashOf(first + at);
    }
    table.touch(addressOf(hashes), touchedRowsMax);
  }
  expect(table.touched).toBeGreaterThan(0);
  expect(table.entryCount).toBe(entryCount);
  expect(Array.from({ length: 1_000 }, (_, n) => table.find(keyOf(n * 100)))).toEqual(before);
  expect(table.find(keyOf(entryCount))).toBe(0);
  expect(() => table.touch(addressOf(hashes), touchedRowsMax + 1)).toThrow('no more keys');
  table.clear();
  cursor.close();
  for (const block of [bytes, hashes]) memory.release(block);
  memory.assertEmpty();
});
