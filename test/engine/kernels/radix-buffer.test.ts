/** Goal: a radix buffer orders rows of fixed-width keys as the reference does, in slices, stably. */
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isRadixSortable, RadixBuffer } from '../../../engine/kernels/radix-buffer.ts';
import { radixLayout } from '../../../engine/kernels/sort-kernels.ts';
import type { SortKey } from '../../../engine/kernels/sort-keys.ts';
import { compareRows, type SortValue } from '../../../engine/kernels/sort-rows.ts';
import { addressOf, SlotMemory } from '../../../engine/memory/slot-memory.ts';
import { KernelArena, roomBytes } from './kernel-arena.ts';

const slot = new SlotMemory({ budgetBytes: 256 * 1024 * 1024, poison: true });
const columns = slot.scope('columns').allocate(roomBytes + 65_536);
const arena = new KernelArena(slot.memory, addressOf(columns));
const heldBefore = slot.usedBytes;
beforeEach(() => arena.reset());
afterEach(() => expect(slot.usedBytes).toBe(heldBefore));

type Row = readonly SortValue[];

const int64s = fc.oneof(
  fc.bigInt({ min: -3n, max: 3n }),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
);
const float64s = fc.oneof(fc.double(), fc.constantFrom(0, -0, Number.NaN, 1, -1));
type Kind = 'int64' | 'float64' | 'int32' | 'bool';
const valuesOf: Record<Kind, fc.Arbitrary<SortValue>> = {
  int64: int64s,
  float64: float64s,
  int32: fc.oneof(fc.integer(), fc.integer({ min: 0, max: 3 })),
  bool: fc.boolean(),
};

function putColumn(type: Kind, values: readonly SortValue[]) {
  switch (type) {
    case 'int64':
      return arena.putInt64s(values as (bigint | null)[]);
    case 'float64':
      return arena.putFloat64s(values as (number | null)[]);
    case 'int32':
      return arena.putInt32s(values as (number | null)[]);
    case 'bool':
      return arena.putBools(values as (boolean | null)[]);
  }
}

function inputOf(keys: readonly SortKey[], rows: readonly Row[], firstNumber: number) {
  const put = keys.map(({ type }, index) =>
    putColumn(
      type as Kind,
      rows.map((row) => row[index] ?? null),
    ),
  );
  return { columns: put, selection: 0, rowCount: rows.length, firstNumber };
}

function readAll(buffer: RadixBuffer, rowsMax = 1000): number[] {
  while (!buffer.sortSlice());
  const out = arena.room(rowsMax * 4);
  const numbers: number[] = [];
  while (numbers.length < buffer.rowCount) {
    const count = buffer.readRowNumbers(numbers.length, rowsMax, out);
    numbers.push(...arena.uint32s(out, count));
  }
  return numbers;
}

const expectedOrder = (rows: readonly Row[], keys: readonly SortKey[]) =>
  rows.map((_, index) => index).sort((a, b) => compareRows(rows[a] ?? [], rows[b] ?? [], keys));

const keysOf = fc.array(
  fc.record({
    type: fc.constantFrom<Kind>('int64', 'float64', 'int32', 'bool'),
    isDescending: fc.boolean(),
    areNullsLast: fc.boolean(),
  }),
  { minLength: 1, maxLength: 4 },
);

test('rows of any fixed-width keys, nulls and ties among them', () => {
  const cases = keysOf.chain((keys) =>
    fc.tuple(
      fc.constant(keys),
      fc.array(
        fc.array(fc.tuple(...keys.map(({ type }) => fc.option(valuesOf[type]))), { maxLength: 20 }),
        {
          maxLength: 5,
        },
      ),
    ),
  );
  fc.assert(
    fc.property(cases, ([keys, parts]) => {
      arena.reset();
      const buffer = new RadixBuffer(slot.scope('sort'), arena.kernels, keys);
      let firstNumber = 0;
      for (const part of parts) {
        expect(buffer.addRows(inputOf(keys, part, firstNumber), 0)).toBe(part.length);
        firstNumber += part.length;
      }
      const found = readAll(buffer, 7);
      buffer.close();
      expect(found).toEqual(expectedOrder(parts.flat(), keys));
    }),
    { numRuns: 300 },
  );
});

const key = (type: Kind): SortKey => ({ type, isDescending: false, areNullsLast: true });

test.each([
  ['int32', (index: number) => Math.imul(index, 0x9e3779b1)],
  ['float64', (index: number) => Math.imul(index, 0x9e3779b1) / 7],
  ['int32', (index: number) => index % 3],
  ['int32', () => 7],
] as const)('200,000 rows of %s, over blocks and slices (case %#)', (type, valueAt) => {
  const rows = Array.from({ length: 200_000 }, (_, index): Row => [valueAt(index)]);
  const keys = [key(type)];
  const buffer = new RadixBuffer(slot.scope('sort'), arena.kernels, keys);
  for (let first = 0; first < rows.length; first += 7000) {
    arena.reset();
    const part = rows.slice(first, first + 7000);
    buffer.addRows(inputOf(keys, part, first), 0);
  }
  arena.reset();
  const found = readAll(buffer, 5000);
  buffer.close();
  expect(found).toEqual(expectedOrder(rows, keys));
});

test('the kernel may be stopped after any row', () => {
  const random = fc.array(fc.tuple(fc.option(int64s)), { maxLength: 60 });
  fc.assert(
    fc.property(
      random,
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
      (rows, steps) => {
        arena.reset();
        const state = arena.room(radixLayout.size);
        const stride = 16;
        const entries = arena.room(rows.length * stride + 16);
        const scratch = arena.room(rows.length * stride + 16);
        const { columns: put } = inputOf([key('int64')], rows, 0);
        const { kernels } = arena;
        kernels.startSortRows(0, 0, rows.length, entries, stride, 0);
        const [column] = put;
        const { values = 0, validity = 0 } = column ?? {};
        kernels.encodeSortInt64(values, validity, 0, 0, rows.length, entries, stride, 0, 2 + 4);
        const words = slot.uint32;
        words.fill(0, state >>> 2, (state + radixLayout.size) >>> 2);
        words.set([entries, scratch, rows.length, stride, 1], state >>> 2);
        let calls = 0;
        while (kernels.radixSlice(state, steps[calls % steps.length] ?? 1) === 0) calls++;
        const out = arena.room(rows.length * 4);
        kernels.rowNumbersOf(words[state >>> 2] ?? 0, rows.length, stride, out);
        expect([...arena.uint32s(out, rows.length)]).toEqual(expectedOrder(rows, [key('int64')]));
      },
    ),
    { numRuns: 200 },
  );
});

test('text is not radix sortable', () => {
  expect(isRadixSortable([key('int32')])).toBe(true);
  expect(isRadixSortable([key('int32'), { ...key('bool'), type: 'utf8' }])).toBe(false);
  expect(isRadixSortable([{ ...key('bool'), type: 'decimal' }])).toBe(true);
});

test('an empty buffer sorts to nothing, also after clear, before and after sorting', () => {
  const keys = [key('int32')];
  const buffer = new RadixBuffer(slot.scope('sort'), arena.kernels, keys);
  expect(readAll(buffer)).toEqual([]);
  buffer.clear();
  const rows: Row[] = [[2], [1]];
  buffer.addRows(inputOf(keys, rows, 0), 0);
  buffer.clear();
  expect(readAll(buffer)).toEqual([]);
  buffer.clear();
  buffer.addRows(inputOf(keys, rows, 0), 0);
  expect(readAll(buffer)).toEqual([1, 0]);
  buffer.close();
});
