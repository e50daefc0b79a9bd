/** Goal: a sort buffer gives all rows, or the first n, in the order of the reference. */
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SortBuffer, type SortBufferOptions } from '../../../engine/kernels/sort-buffer.ts';
import type { SortKey } from '../../../engine/kernels/sort-keys.ts';
import { compareRows, type SortValue } from '../../../engine/kernels/sort-rows.ts';
import { addressOf, SlotMemory } from '../../../engine/memory/slot-memory.ts';
import { encode, KernelArena, roomBytes } from './kernel-arena.ts';

const slot = new SlotMemory({ budgetBytes: 256 * 1024 * 1024, poison: true });
const columns = slot.scope('columns').allocate(roomBytes + 65_536);
const arena = new KernelArena(slot.memory, addressOf(columns));
const heldBefore = slot.usedBytes;
beforeEach(() => arena.reset());
afterEach(() => expect(slot.usedBytes).toBe(heldBefore));

const keys: SortKey[] = [
  { type: 'int64', isDescending: true, areNullsLast: true },
  { type: 'utf8', isDescending: false, areNullsLast: false },
];
type Row = readonly [bigint | null, Uint8Array | null];

const make = (options: SortBufferOptions) =>
  new SortBuffer(slot.scope('sort'), arena.kernels, options);

function inputOf(rows: readonly Row[], firstNumber: number) {
  const numbers = arena.putInt64s(rows.map(([number]) => number));
  const texts = arena.putTexts(rows.map(([, text]) => text));
  return { columns: [numbers, texts], selection: 0, rowCount: rows.length, firstNumber };
}

function addAll(buffer: SortBuffer, rows: readonly Row[], firstNumber: number): void {
  const input = inputOf(rows, firstNumber);
  for (let row = 0; row < rows.length; ) {
    row = buffer.addRows(input, row);
    if (row < rows.length) {
      expect(buffer.needsSort).toBe(true);
      while (!buffer.sortSlice());
    }
  }
}

function readAll(buffer: SortBuffer, rowsMax = 1000): number[] {
  while (!buffer.sortSlice());
  const out = arena.room(rowsMax * 4);
  const numbers: number[] = [];
  while (numbers.length < buffer.rowCount) {
    const count = buffer.readRowNumbers(numbers.length, rowsMax, out);
    numbers.push(...arena.uint32s(out, count));
  }
  return numbers;
}

const expectedOrder = (rows: readonly (readonly SortValue[])[]) =>
  rows.map((_, index) => index).sort((a, b) => compareRows(rows[a] ?? [], rows[b] ?? [], keys));

const row = fc.tuple(
  fc.option(fc.bigInt({ min: 0n, max: 9n })),
  fc.option(
    fc.string({ unit: fc.constantFrom('a', 'b', 'same prefix '), maxLength: 3 }).map(encode),
  ),
);

test('batches of rows, all or the first n', () => {
  const batches = fc.array(fc.array(row, { maxLength: 30 }), { maxLength: 6 });
  fc.assert(
    fc.property(batches, fc.option(fc.integer({ min: 1, max: 40 })), (parts, limit) => {
      arena.reset();
      const buffer = make({ keys, ...(limit !== null && { limit }) });
      let firstNumber = 0;
      parts.forEach((part, index) => {
        addAll(buffer, part, firstNumber);
        firstNumber += part.length;
        // Sorting in between sets the bound of a top-n, which later batches are held against.
        if (index % 2 === 1) while (!buffer.sortSlice());
      });
      const found = readAll(buffer, 7);
      buffer.close();
      expect(found).toEqual(
        expectedOrder(parts.flat()).slice(0, limit ?? Number.POSITIVE_INFINITY),
      );
    }),
    { numRuns: 200 },
  );
});

const many = (count: number): Row[] =>
  Array.from({ length: count }, (_, index) => [
    BigInt(Math.imul(index, 0x9e3779b1) >>> 18),
    encode(`row ${index % 1000} of many`),
  ]);

test('100,000 rows over several blocks and slices', () => {
  const rows = many(100_000);
  const buffer = make({ keys });
  for (let first = 0; first < rows.length; first += 8000)
    addAll(buffer, rows.slice(first, first + 8000), first);
  expect(readAll(buffer)).toEqual(expectedOrder(rows));
  const first = buffer.sortRowAt(0);
  expect(arena.kernels.compareSortRows(first, buffer.sortRowAt(1), 2, buffer.descendingBits)).toBe(
    -1,
  );
  buffer.close();
});

test('the first 100 of 100,000 rows, holding few of them', () => {
  const rows = many(100_000);
  const buffer = make({ keys, limit: 100 });
  for (let first = 0; first < rows.length; first += 8000) {
    addAll(buffer, rows.slice(first, first + 8000), first);
    expect(buffer.rowCount).toBeLessThanOrEqual(100 + 8192);
  }
  expect(readAll(buffer)).toEqual(expectedOrder(rows).slice(0, 100));
  buffer.close();
});

test('a top-n restarted with its own survivors goes on as before', () => {
  const rows = many(30_000);
  const buffer = make({ keys, limit: 50 });
  let kept: Row[] = [];
  for (let first = 0; first < rows.length; first += 5000) {
    arena.reset();
    const batch = rows.slice(first, first + 5000);
    buffer.restart(inputOf(kept, 0));
    addAll(buffer, batch, kept.length);
    const survivors: Row[] = [...kept, ...batch];
    kept = readAll(buffer).map((number) => survivors[number] ?? [null, null]);
    expect(buffer.isSorted).toBe(true);
  }
  buffer.close();
  const expected = expectedOrder(rows).slice(0, 50);
  expect(kept).toEqual(expected.map((index) => rows[index]));
});

test('an empty buffer sorts to nothing, also after clear', () => {
  const buffer = make({ keys });
  expect(readAll(buffer)).toEqual([]);
  addAll(buffer, many(10), 0);
  buffer.clear();
  expect(readAll(buffer)).toEqual([]);
  buffer.close();
});
