/** Goal: a table that grows finds the rows that a map finds, for every form of key, between any two batches. */
import { expect, test } from 'vitest';
import { GrowingJoinTable, joinScratchBytes } from '../../../engine/kernels/growing-join-table.ts';
import { addressOf } from '../../../engine/memory/slot-memory.ts';
import { newContext } from '../../support/operator-harness.ts';

/** Keys are short views, or 16 bytes, or 8: a number that repeats after a while. */
test.each([
  ['int64', 8],
  ['int128', 16],
  ['view', 16],
] as const)('keys of form %s', (keyForm, keyBytes) => {
  const { scope, kernels, memory } = newContext('join');
  const blocks = [joinScratchBytes, 8192 * 16, 8192 * 4].map((size) => scope.allocate(size));
  const [scratch = 0, values = 0, heads = 0] = blocks.map(addressOf);
  const table = new GrowingJoinTable({ scope, kernels, keyForm, scratch });
  const { uint32, bytes } = memory;
  const put = (keys: readonly number[]) => {
    bytes.fill(0, values, values + keys.length * keyBytes);
    for (const [at, key] of keys.entries()) {
      const place = (values + at * keyBytes) >>> 2;
      if (keyForm === 'view') uint32[place] = 4;
      uint32[place + (keyForm === 'view' ? 2 : 0)] = Math.imul(key, 0x9e3779b1);
    }
  };
  const wanted = new Map<number, number[]>();
  const rowsOf = (head: number): number[] => {
    const rows: number[] = [];
    for (let link = head; link !== 0; link = uint32[(table.next >>> 2) + link - 1] ?? 0)
      rows.push(link - 1);
    return rows.sort((a, b) => a - b);
  };
  let rowCount = 0;
  for (const size of [0, 1, 5, 200, 60, 3000, 1, 8192, 17]) {
    const keys = Array.from({ length: size }, (_, at) => (rowCount + at) % 4999);
    put(keys);
    const told = table.sizeBytesWith(size);
    table.insert(values, size);
    expect(table.sizeBytesWith(0)).toBe(told);
    for (const [at, key] of keys.entries()) {
      wanted.set(key, [...(wanted.get(key) ?? []), rowCount + at]);
    }
    rowCount += size;
    const asked = Array.from({ length: 5005 }, (_, key) => key);
    put(asked);
    table.find({ values, selection: 0 }, asked.length, heads);
    const found = asked.map((at) => rowsOf(uint32[(heads >>> 2) + at] ?? 0));
    expect(found).toEqual(asked.map((key) => wanted.get(key) ?? []));
  }
  expect(table.rowCount).toBe(rowCount);
  table.close();
  for (const block of blocks) memory.release(block);
  memory.assertEmpty();
});
