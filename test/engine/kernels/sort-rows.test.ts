/** Goal: encoded keys compare as the values do, and sorting in slices of any size is stable. */
import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import {
  type EncodeSort,
  sortEntrySize,
  sortLayout,
  sortRowSizeOf,
} from '../../../engine/kernels/sort-kernels.ts';
import type { SortKey, SortType } from '../../../engine/kernels/sort-keys.ts';
import { compareRows, type SortValue } from '../../../engine/kernels/sort-rows.ts';
import { encode, KernelArena, type TestColumn } from './kernel-arena.ts';

const arena = new KernelArena();
beforeEach(() => arena.reset());

const { kernels } = arena;
/** A decimal is two keys, and has its own test. */
type OneKeyType = Exclude<SortType, 'decimal'>;
interface OneKey extends SortKey {
  readonly type: OneKeyType;
}
const encoders: Record<OneKeyType, EncodeSort> = {
  bool: kernels.encodeSortBool,
  int8: kernels.encodeSortInt8,
  int16: kernels.encodeSortInt16,
  int32: kernels.encodeSortInt32,
  uint8: kernels.encodeSortUint8,
  uint16: kernels.encodeSortUint16,
  uint32: kernels.encodeSortUint32,
  int64: kernels.encodeSortInt64,
  float32: kernels.encodeSortFloat32,
  float64: kernels.encodeSortFloat64,
  utf8: kernels.encodeSortUtf8,
};

function putColumn(type: OneKeyType, values: readonly SortValue[]): TestColumn {
  switch (type) {
    case 'bool':
      return arena.putBools(values as (boolean | null)[]);
    case 'int8':
      return arena.putSmall('Int8', values as (number | null)[]);
    case 'int16':
      return arena.putSmall('Int16', values as (number | null)[]);
    case 'int32':
      return arena.putInt32s(values as (number | null)[]);
    case 'uint8':
      return arena.putSmall('Uint8', values as (number | null)[]);
    case 'uint16':
      return arena.putSmall('Uint16', values as (number | null)[]);
    case 'uint32':
      return arena.putSmall('Uint32', values as (number | null)[]);
    case 'float32':
      return arena.putSmall('Float32', values as (number | null)[]);
    case 'int64':
      return arena.putInt64s(values as (bigint | null)[]);
    case 'float64':
      return arena.putFloat64s(values as (number | null)[]);
    case 'utf8':
      return arena.putTexts(values as (Uint8Array | null)[]);
  }
}

const bitsOf = (keys: readonly SortKey[]) =>
  keys.reduce((bits, key, index) => bits | (Number(key.isDescending) << index), 0);

/** Encodes rows of values; the number of a row is its index. */
function putSortRows(keys: readonly OneKey[], rows: readonly (readonly SortValue[])[]): number {
  const stride = sortRowSizeOf(keys.length);
  const address = arena.room(rows.length * stride);
  kernels.startSortRows(0, 0, rows.length, address, stride, 0);
  keys.forEach((key, index) => {
    const { values, validity } = putColumn(
      key.type,
      rows.map((row) => row[index] ?? null),
    );
    const order = Number(key.isDescending) + 2 * Number(key.areNullsLast);
    encoders[key.type](values, validity, 0, 0, rows.length, address, stride, index, order);
  });
  expect(arena.isUntouched(address + rows.length * stride)).toBe(true);
  return address;
}

function sortNumbers(keys: readonly SortKey[], rows: number, count: number, steps: number) {
  const entries = arena.room(count * sortEntrySize);
  const scratch = arena.room(count * sortEntrySize);
  const state = arena.put(new Uint8Array(sortLayout.size));
  const set = (offset: number, value: number) => arena.view.setUint32(state + offset, value, true);
  const stride = sortRowSizeOf(keys.length);
  const isText = Number(keys[0]?.type === 'utf8');
  const isFixed = Number(keys.length <= 2 && keys.every(({ type }) => type !== 'utf8'));
  kernels.makeSortEntries(rows, count, stride, isText, isFixed, bitsOf(keys), entries);
  set(sortLayout.entries, entries);
  set(sortLayout.scratch, scratch);
  set(sortLayout.count, count);
  set(sortLayout.keyCount, keys.length);
  set(sortLayout.descendingBits, bitsOf(keys));
  for (let calls = 0; kernels.sortSlice(state, steps) === 0; calls++) {
    expect(calls).toBeLessThan(100_000);
  }
  expect(kernels.sortSlice(state, steps)).toBe(1);
  const out = arena.room(count * 4);
  kernels.sortedRowNumbers(arena.uint32(state + sortLayout.entries), count, out);
  expect(arena.isUntouched(entries + count * sortEntrySize)).toBe(true);
  expect(arena.isUntouched(scratch + count * sortEntrySize)).toBe(true);
  return arena.uint32s(out, count);
}

const expectedOrder = (keys: readonly SortKey[], rows: readonly (readonly SortValue[])[]) =>
  rows.map((_, index) => index).sort((a, b) => compareRows(rows[a] ?? [], rows[b] ?? [], keys));

const text = fc
  .array(
    fc.constantFrom('', 'a', 'b', '\0', 'é', '😀', '\uffff', 'prefix__', 'longer and longer '),
    { maxLength: 4 },
  )
  .map((pieces) => encode(pieces.join('')));
const whole = (min: number, max: number) =>
  fc.oneof(fc.integer({ min, max }), fc.constantFrom(min, max, 0, 1));
const arbitraryOf: Record<OneKeyType, fc.Arbitrary<SortValue>> = {
  bool: fc.boolean(),
  int8: whole(-128, 127),
  int16: whole(-32_768, 32_767),
  uint8: whole(0, 255),
  uint16: whole(0, 65_535),
  uint32: whole(0, 2 ** 32 - 1),
  float32: fc.oneof(fc.float(), fc.constantFrom(0, -0, Number.NaN, Infinity, -Infinity)),
  int32: fc.oneof(fc.integer({ min: -3, max: 3 }), fc.integer()),
  int64: fc.oneof(
    fc.bigInt({ min: -3n, max: 3n }),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  ),
  float64: fc.oneof(fc.double(), fc.constantFrom(0, -0, Number.NaN, Infinity, -Infinity, 5e-324)),
  utf8: text,
};
const key: fc.Arbitrary<OneKey> = fc.record({
  type: fc.constantFrom(...(Object.keys(encoders) as OneKeyType[])),
  isDescending: fc.boolean(),
  areNullsLast: fc.boolean(),
});
const table = fc.array(key, { minLength: 1, maxLength: 4 }).chain((keys) =>
  fc.tuple(
    fc.constant(keys),
    fc.array(fc.tuple(...keys.map(({ type }) => fc.option(arbitraryOf[type], { freq: 4 }))), {
      maxLength: 90,
    }),
  ),
);

test('any keys in any order, sorted in slices of any size', () => {
  fc.assert(
    fc.property(table, fc.integer({ min: 1, max: 50 }), ([keys, rows], steps) => {
      arena.reset();
      const address = putSortRows(keys, rows);
      expect(sortNumbers(keys, address, rows.length, steps)).toEqual(expectedOrder(keys, rows));
    }),
    { numRuns: 500 },
  );
});

test('two sort rows compare as their values do', () => {
  fc.assert(
    fc.property(table, ([keys, rows]) => {
      arena.reset();
      const stride = sortRowSizeOf(keys.length);
      const address = putSortRows(keys, rows);
      for (let index = 1; index < rows.length; index++) {
        const a = address + (index - 1) * stride;
        const order = kernels.compareSortRows(a, a + stride, keys.length, bitsOf(keys));
        const expected = compareRows(rows[index - 1] ?? [], rows[index] ?? [], keys);
        expect(order).toBe(Math.sign(expected));
      }
    }),
    { numRuns: 300 },
  );
});

test('rows before a bound are kept in place and in order', () => {
  fc.assert(
    fc.property(table, fc.nat(), ([keys, rows], pick) => {
      if (rows.length === 0) return;
      arena.reset();
      const stride = sortRowSizeOf(keys.length);
      const address = putSortRows(keys, rows);
      const boundIndex = pick % rows.length;
      const bound = arena.put(
        arena.bytes.slice(address + boundIndex * stride, address + (boundIndex + 1) * stride),
      );
      const kept = kernels.keepRowsBefore(
        address,
        rows.length,
        stride,
        bound,
        keys.length,
        bitsOf(keys),
      );
      const expected = rows.flatMap((row, index) =>
        compareRows(row, rows[boundIndex] ?? [], keys) < 0 ? [index] : [],
      );
      const numbers = Array.from({ length: kept }, (_, index) =>
        arena.uint32(address + index * stride),
      );
      expect(numbers).toEqual(expected);
    }),
    { numRuns: 200 },
  );
});

const shapes: Record<string, (index: number) => number> = {
  ascending: (index) => index,
  descending: (index) => -index,
  equal: () => 7,
  'a saw': (index) => index % 100,
  scattered: (index) => Math.imul(index, 0x9e3779b1) >> 7,
};

test.each(Object.entries(shapes))('20,000 rows that are %s', (_, make) => {
  const keys: OneKey[] = [{ type: 'int32', isDescending: false, areNullsLast: false }];
  const rows = Array.from({ length: 20_000 }, (_, index) => [make(index)]);
  const address = putSortRows(keys, rows);
  expect(sortNumbers(keys, address, rows.length, 65_536)).toEqual(expectedOrder(keys, rows));
});

test.each([0, 1, 2, 15, 16, 17, 31, 32, 33, 64, 65])('%i rows', (count) => {
  const keys: OneKey[] = [{ type: 'int64', isDescending: true, areNullsLast: true }];
  const rows = Array.from({ length: count }, (_, index) => [
    index % 5 === 0 ? null : BigInt((index * 7) % 11),
  ]);
  const address = putSortRows(keys, rows);
  for (const steps of [1, 3, 16, 1000]) {
    expect(sortNumbers(keys, address, count, steps)).toEqual(expectedOrder(keys, rows));
  }
});

/** Texts that part at every byte around the two words of an entry, some only by length. */
const partings = [0, 7, 8, 9, 15, 16, 17, 24, 25].flatMap((length) =>
  ['', '\0', 'a', 'b\0', 'é'].map((end) => encode('abcdefgh'.repeat(4).slice(0, length) + end)),
);

test.each`
  first      | second     | isDescending
  ${'utf8'}  | ${'int32'} | ${false}
  ${'utf8'}  | ${'int32'} | ${true}
  ${'int32'} | ${'utf8'}  | ${false}
  ${'int32'} | ${'utf8'}  | ${true}
`('$first, then $second: texts of 0 to 26 bytes with equal beginnings', (row) => {
  const { first, second, isDescending } = row;
  const keys: OneKey[] = [
    { type: first, isDescending, areNullsLast: false },
    { type: second, isDescending, areNullsLast: true },
  ];
  const rows = Array.from({ length: 600 }, (_, index): SortValue[] => {
    const parting = index % 11 === 0 ? null : (partings[(index * 7) % partings.length] ?? null);
    const tie = index % 13 === 0 ? null : index % 3;
    return first === 'utf8' ? [parting, tie] : [tie, parting];
  });
  const address = putSortRows(keys, rows);
  expect(sortNumbers(keys, address, rows.length, 100)).toEqual(expectedOrder(keys, rows));
});

/** Texts whose padding could be mistaken for bytes, around the 8 and 16 bytes that an entry holds. */
const endings = [0, 1, 7, 8, 9, 15, 16, 17].flatMap((length) =>
  ['', '\0', '\0\0', 'a', 'a\0', '\0a'].map((end) =>
    encode('abcdefghabcdefgha'.slice(0, Math.max(0, length - end.length)) + end),
  ),
);

test.each([false, true])(
  'a text alone, descending %s: NUL is a byte, ties keep order',
  (isDescending) => {
    const keys: OneKey[] = [{ type: 'utf8', isDescending, areNullsLast: isDescending }];
    const rows = Array.from({ length: 700 }, (_, index): SortValue[] => [
      index % 11 === 0 ? null : (endings[(index * 7) % endings.length] ?? null),
    ]);
    const address = putSortRows(keys, rows);
    expect(sortNumbers(keys, address, rows.length, 100)).toEqual(expectedOrder(keys, rows));
  },
);

test('texts of up to 18 bytes over NUL and two letters', () => {
  const few = fc
    .array(fc.constantFrom(0, 97, 98), { maxLength: 18 })
    .map((b) => Uint8Array.from(b));
  const near = fc
    .tuple(fc.constantFrom(6, 7, 8, 14, 15, 16), fc.array(fc.constantFrom(0, 97), { maxLength: 3 }))
    .map(([length, end]) => Uint8Array.from([...new Array<number>(length).fill(97), ...end]));
  const rowsOf = fc.array(fc.tuple(fc.option(fc.oneof(few, near))), { maxLength: 80 });
  fc.assert(
    fc.property(rowsOf, fc.boolean(), (rows, isDescending) => {
      arena.reset();
      const keys: OneKey[] = [{ type: 'utf8', isDescending, areNullsLast: true }];
      const address = putSortRows(keys, rows);
      expect(sortNumbers(keys, address, rows.length, 7)).toEqual(expectedOrder(keys, rows));
    }),
    { numRuns: 500 },
  );
});

test('rows that an entry holds wholly are not read while sorting', () => {
  const keys: OneKey[] = [{ type: 'utf8', isDescending: false, areNullsLast: false }];
  const words = ['b', 'a', 'sixteen bytes ab', '', 'a', 'sixteen bytes ab', 'b'].map(encode);
  const rows = words.map((word) => [word]);
  const address = putSortRows(keys, rows);
  const stride = sortRowSizeOf(1);
  const entries = arena.room(words.length * sortEntrySize);
  kernels.makeSortEntries(address, words.length, stride, 1, 0, 0, entries);
  const ranks = words.map((_, index) => arena.uint32(entries + index * sortEntrySize + 16));
  expect(ranks).toEqual(words.map(() => 0x80000001));
});

test('a selection and a first number make the row numbers', () => {
  const keys: OneKey[] = [{ type: 'int32', isDescending: false, areNullsLast: false }];
  const column = arena.putInt32s([50, 40, 30, 20, 10]);
  const selection = arena.putUint32([0, 2, 4]);
  const rows = arena.room(2 * 24);
  kernels.startSortRows(selection, 1, 2, rows, 24, 8192);
  kernels.encodeSortInt32(column.values, 0, selection, 1, 2, rows, 24, 0, 0);
  expect(sortNumbers(keys, rows, 2, 100)).toEqual([8196, 8194]);
});
