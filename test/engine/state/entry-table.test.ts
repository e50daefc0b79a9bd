/** Goal: to touch keys says which are not there, and leaves all entries as they are. */
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
  const hashes = new Uint32Array(touchedRowsMax);
  const hashOf = (n: number) => Math.imul(n + 1, 0x9e37_79b1) >>> 0;
  const keyOf = (n: number) => {
    memory.uint32[addressOf(bytes) >>> 2] = n;
    memory.uint32[(addressOf(bytes) >>> 2) + 1] = 0;
    cursor.load(addressOf(bytes), 8, hashOf(n));
    return cursor;
  };
  // Before there is anything, too.
  expect(table.touch(hashes, touchedRowsMax)).toBe(touchedRowsMax);
  for (let n = 0; n < entryCount; n++) table.put(keyOf(n), 8, Number.POSITIVE_INFINITY);
  const before = Array.from({ length: 1_000 }, (_, n) => table.find(keyOf(n * 100)));
  for (let first = 0; first < 2 * entryCount; first += 997) {
    const numbers = Array.from({ length: touchedRowsMax }, (_, at) => first + at);
    hashes.set(numbers.map(hashOf));
    const missing = numbers.filter((n) => n >= entryCount).map(hashOf);
    expect(table.touch(hashes, touchedRowsMax)).toBe(missing.length);
    expect([...hashes.subarray(0, missing.length)]).toEqual(missing);
  }
  expect(table.touched).toBeGreaterThan(0);
  expect(table.entryCount).toBe(entryCount);
  expect(Array.from({ length: 1_000 }, (_, n) => table.find(keyOf(n * 100)))).toEqual(before);
  expect(table.find(keyOf(entryCount))).toBe(0);
  expect(() => table.touch(hashes, touchedRowsMax + 1)).toThrow('no more keys');
  table.clear();
  cursor.close();
  memory.release(bytes);
  memory.assertEmpty();
});
