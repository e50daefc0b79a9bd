/** Goal: rows brought together by counting are those of a Map of arrays, in both orders of arrival. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { GroupTable } from '../../../engine/kernels/group-table.ts';
import { orderGroups } from '../../../engine/kernels/order-groups.ts';
import { addressOf, SlotMemory } from '../../../engine/memory/slot-memory.ts';
import { KernelArena, roomBytes } from './kernel-arena.ts';

const slot = new SlotMemory({ budgetBytes: 256 * 1024 * 1024, poison: true });
const columns = slot.scope('columns').allocate(roomBytes + 65_536);
const arena = new KernelArena(slot.memory, addressOf(columns));
const { kernels } = arena;

/** Numbers the keys' groups with a table, a few rows a call, and orders the rows by group. */
function orderedRows(keys: readonly (bigint | null)[], step: number, selection: number[] | null) {
  const table = new GroupTable(slot.scope('group'), kernels, {
    keyForm: 'int64',
    accumulators: [{ function: 'count', type: 'int64' }],
    isNumbered: true,
  });
  const key = arena.putInt64s(keys);
  const selected = selection === null ? 0 : arena.putUint32(selection);
  const rowCount = selection?.length ?? keys.length;
  const numbers = arena.room(rowCount * 4);
  const counts = arena.room((rowCount + 1) * 4);
  for (let row = 0; row < rowCount; ) {
    const rows = {
      key,
      inputs: [],
      selection: selected,
      rowCount: Math.min(rowCount, row + step),
      numbering: { numbers, counts },
    };
    row = table.addRows(rows, row);
    while (!table.grow());
  }
  const { groupCount } = table;
  table.close();
  const middle = groupCount >> 1;
  const first = kernels.startsOfCounts(counts, middle, 0);
  const end = kernels.startsOfCounts(counts + middle * 4, groupCount - middle, first);
  expect(end).toBe(rowCount);
  const out = arena.room(rowCount * 4);
  for (let row = 0; row < rowCount; row += step) {
    const count = Math.min(step, rowCount - row);
    kernels.placeByGroup(numbers + row * 4, selected, row, count, 8192, counts, out);
  }
  expect(arena.isUntouched(numbers + rowCount * 4)).toBe(true);
  expect(arena.isUntouched(out + rowCount * 4)).toBe(true);
  const ends = arena.uint32s(counts, groupCount);
  const rows = arena.uint32s(out, rowCount);
  return ends.map((each, group) => rows.slice(ends[group - 1] ?? 0, each));
}

const keysOf = fc.array(fc.option(fc.bigInt({ min: -5n, max: 5n })), { maxLength: 60 });

test('any keys, numbered and placed a few rows a call', () => {
  fc.assert(
    fc.property(keysOf, fc.integer({ min: 1, max: 20 }), (keys, step) => {
      arena.reset();
      const expected = orderGroups(keys).map((rows) => rows.map((row) => 8192 + row));
      expect(orderedRows(keys, step, null)).toEqual(expected);
    }),
  );
});

test('under a selection the numbers are those of stored rows', () => {
  arena.reset();
  const keys = [7n, 8n, null, 7n, 8n, 7n, null];
  const found = orderedRows(keys, 2, [1, 2, 3, 5, 6]);
  expect(found).toEqual([[8193], [8194, 8198], [8195, 8197]]);
});

test('numbers stay while the table grows', () => {
  arena.reset();
  const keys = Array.from({ length: 30_000 }, (_, row) => BigInt((row * 7) % 9001));
  const expected = orderGroups(keys).map((rows) => rows.map((row) => 8192 + row));
  expect(orderedRows(keys, 4096, null)).toEqual(expected);
});

test('a cleared table numbers from 0 again', () => {
  arena.reset();
  const options = { keyForm: 'int64', accumulators: [], isNumbered: true } as const;
  const table = new GroupTable(slot.scope('group'), kernels, options);
  const numbers = arena.room(3 * 4);
  const counts = arena.room(3 * 4);
  for (const keys of [
    [5n, 6n, 5n],
    [6n, 5n, 6n],
  ]) {
    const numbering = { numbers, counts };
    const key = arena.putInt64s(keys);
    table.addRows({ key, inputs: [], selection: 0, rowCount: 3, numbering }, 0);
    expect(arena.uint32s(numbers, 3)).toEqual([0, 1, 0]);
    expect(arena.uint32s(counts, 2)).toEqual([2, 1]);
    table.clear();
  }
  table.close();
});
