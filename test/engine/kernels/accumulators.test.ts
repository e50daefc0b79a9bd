/** Goal: accumulators of 16 and 24 bytes give what their references say, group by group. */
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { foldInt64, foldInt128, foldTexts, momentsOf } from '../../../engine/kernels/accumulate.ts';
import { type AccumulatorSpec, cellsOf } from '../../../engine/kernels/accumulators.ts';
import { groupRows } from '../../../engine/kernels/group.ts';
import { type ColumnAddress, GroupTable } from '../../../engine/kernels/group-table.ts';
import { addressOf, SlotMemory } from '../../../engine/memory/slot-memory.ts';
import { KernelArena, roomBytes } from './kernel-arena.ts';

const slot = new SlotMemory({ budgetBytes: 256 * 1024 * 1024, poison: true });
const columns = slot.scope('columns').allocate(roomBytes + 65_536);
const arena = new KernelArena(slot.memory, addressOf(columns));
const heldBefore = slot.usedBytes;
beforeEach(() => arena.reset());
afterEach(() => expect(slot.usedBytes).toBe(heldBefore));

const rowsMax = 256;

/** Groups rows by `keys` with one accumulator per input; the addresses of results, by group in order. */
function accumulate(
  keys: readonly bigint[],
  specs: readonly AccumulatorSpec[],
  inputs: readonly ColumnAddress[],
) {
  const accumulators = specs;
  const table = new GroupTable(slot.scope('group'), arena.kernels, {
    keyForm: 'int64',
    accumulators,
  });
  const rows = { key: arena.putInt64s(keys), inputs, selection: 0, rowCount: keys.length };
  for (let row = 0; row < keys.length && table.overflow === null; ) {
    row = table.addRows(rows, row);
    while (!table.grow());
  }
  const key = { values: arena.room(rowsMax * 8), validity: 0 };
  const results = table.resultSizes.map((size) => ({
    values: arena.room(rowsMax * size),
    validity: arena.room(rowsMax / 8),
  }));
  const { rowCount } = table.readGroups(0, rowsMax, { key, results });
  const numbers = arena.int64s(key.values, rowCount);
  const order = numbers.map((_, at) => at).sort((a, b) => Number(numbers[a]) - Number(numbers[b]));
  const valid = results.map(({ validity }) => arena.bits(validity, rowCount));
  return { table, order, results, valid };
}

/** The rows of each key, keys ascending. */
function membersOf<T>(keys: readonly bigint[], values: readonly T[]): T[][] {
  return [...groupRows(keys)]
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(([, rows]) => rows.map((row) => values[row] as T));
}

const keyed = <T>(value: fc.Arbitrary<T>) =>
  fc
    .array(fc.tuple(fc.bigInt({ min: 0n, max: 5n }), fc.option(value, { freq: 4 })), {
      maxLength: 120,
    })
    .map((rows) => ({ keys: rows.map(([key]) => key), values: rows.map(([, value]) => value) }));

const limit = 10n ** 38n - 1n;
const int128 = fc.oneof(
  fc.bigInt({ min: -1000n, max: 1000n }),
  fc.bigInt({ min: -(2n ** 66n), max: 2n ** 66n }),
  fc.bigInt({ min: -limit, max: limit }),
  fc.constantFrom(limit, -limit, 0n, -1n, 2n ** 64n, -(2n ** 64n), 2n ** 63n),
);

function putInt128s(values: readonly (bigint | null)[]): ColumnAddress {
  const address = arena.room(values.length * 16);
  values.forEach((value, index) => {
    arena.view.setBigUint64(address + index * 16, BigInt.asUintN(64, value ?? 7n), true);
    arena.view.setBigInt64(address + index * 16 + 8, (value ?? 7n) >> 64n, true);
  });
  return { values: address, validity: arena.putBits(values.map((value) => value !== null)) };
}

const readInt128 = (address: number) =>
  (arena.view.getBigInt64(address + 8, true) << 64n) | arena.view.getBigUint64(address, true);

test('int128 sums, extremes, first and last', () => {
  const folds = ['min', 'max', 'first', 'last', 'sum'] as const;
  const specs = folds.map((fold) => ({ function: fold, type: 'int128' }) as const);
  fc.assert(
    fc.property(keyed(int128), ({ keys, values }) => {
      arena.reset();
      const input = putInt128s(values);
      const { table, order, results, valid } = accumulate(
        keys,
        specs,
        specs.map(() => input),
      );
      const expected = membersOf(keys, values).map((group) =>
        folds.map((fold) => foldInt128(fold, group)),
      );
      if (expected.some((group) => group.includes('overflow'))) {
        expect(table.overflow?.accumulator).toBe(4);
      } else {
        const found = order.map((group) =>
          results.map(({ values: at }, index) =>
            valid[index]?.[group] ? readInt128(at + group * 16) : null,
          ),
        );
        expect(found).toEqual(expected);
      }
      table.close();
    }),
    { numRuns: 200 },
  );
});

test('a sum of int64 values in 128 bits has no overflow', () => {
  const value = fc.oneof(
    fc.constantFrom(2n ** 63n - 1n, -(2n ** 63n)),
    fc.bigInt({ min: -9n, max: 9n }),
  );
  fc.assert(
    fc.property(keyed(value), ({ keys, values }) => {
      arena.reset();
      const spec = { function: 'sum', type: 'int64Wide' } as const;
      const { table, order, results } = accumulate(keys, [spec], [arena.putInt64s(values)]);
      const found = order.map((group) => readInt128((results[0]?.values ?? 0) + group * 16));
      const sums = membersOf(keys, values).map((group) => foldInt128('sum', group) ?? 0n);
      expect(found).toEqual(sums);
      table.close();
    }),
    { numRuns: 100 },
  );
});

test('the first and the last of 8 bytes', () => {
  const specs = (['first', 'last'] as const).map(
    (fold) => ({ function: fold, type: 'int64' }) as const,
  );
  fc.assert(
    fc.property(keyed(fc.bigInt({ min: -9n, max: 9n })), ({ keys, values }) => {
      arena.reset();
      const input = arena.putInt64s(values);
      const { table, order, results, valid } = accumulate(keys, specs, [input, input]);
      const found = order.map((group) =>
        results.map(({ values: at }, index) =>
          valid[index]?.[group] ? arena.view.getBigInt64(at + group * 8, true) : null,
        ),
      );
      const folded = membersOf(keys, values).map((group) =>
        specs.map((spec) => foldInt64(spec.function, group)),
      );
      expect(found).toEqual(folded);
      table.close();
    }),
    { numRuns: 100 },
  );
});

const text = fc.oneof(
  fc.uint8Array({ maxLength: 12 }),
  fc
    .array(fc.constantFrom(0, 97, 98, 255), { maxLength: 40 })
    .map((bytes) => Uint8Array.from(bytes)),
  fc.integer({ min: 0, max: 300 }).map((length) => new Uint8Array(length).fill(97)),
);

test('texts: least, greatest, first and last, whatever their lengths', () => {
  const folds = ['min', 'max', 'first', 'last'] as const;
  const specs = folds.map((fold) => ({ function: fold, type: 'text' }) as const);
  fc.assert(
    fc.property(keyed(text), ({ keys, values }) => {
      arena.reset();
      const input = arena.putTexts(values);
      const { table, order, results, valid } = accumulate(
        keys,
        specs,
        specs.map(() => input),
      );
      const found = order.map((group) =>
        results.map(({ values: at }, index) =>
          valid[index]?.[group] ? [...(arena.texts(at + group * 16, 1)[0] ?? [])] : null,
        ),
      );
      const expected = membersOf(keys, values).map((group) =>
        folds.map((fold) => {
          const bytes = foldTexts(fold, group);
          return bytes === null ? null : [...bytes];
        }),
      );
      expect(found).toEqual(expected);
      table.close();
    }),
    { numRuns: 200 },
  );
});

test('the last of many long texts takes room for a few', () => {
  const keys = Array.from({ length: 8000 }, () => 1n);
  const values = keys.map((_, row) => new Uint8Array(500 + (row % 400)).fill(97));
  const input = arena.putTexts(values);
  const spec = { function: 'last', type: 'text' } as const;
  const { table } = accumulate(keys, [spec], [input]);
  // Room is made for a chunk of rows in advance, not for all of them.
  expect(table.sizeBytes).toBeLessThan(3 * 1024 * 1024);
  table.close();
});

test('a bounded table that has no room for texts is full, and goes on once it is cleared', () => {
  const memory = new SlotMemory({ budgetBytes: 2 * 1024 * 1024, poison: true });
  const rowCount = 100;
  const own = new KernelArena(
    memory.memory,
    addressOf(memory.scope('input').allocate(1024 * 1024)),
  );
  const table = new GroupTable(memory.scope('group'), own.kernels, {
    keyForm: 'int64',
    accumulators: [
      { function: 'max', type: 'text' },
      { function: 'count', type: 'int64' },
    ],
    slotsMax: 1024,
  });
  const values = Array.from({ length: rowCount }, () => new Uint8Array(5000).fill(97));
  const inputs = [own.putTexts(values), { values: 0, validity: 0 }];
  const rowsOf = (first: bigint) => ({
    key: own.putInt64s(values.map((_, row) => first + BigInt(row))),
    inputs,
    selection: 0,
    rowCount,
  });
  expect(table.addRows(rowsOf(0n), 0)).toBe(rowCount);
  const next = rowsOf(100n);
  expect(table.addRows(next, 0)).toBe(0);
  expect(table.isFull).toBe(true);
  table.clear();
  expect(table.addRows(next, 0)).toBe(rowCount);
  expect(table.groupCount).toBe(rowCount);
  table.close();
});

test('moments, a value at a time and group by group', () => {
  const specs = [{ function: 'moments', type: 'float64' }] as const;
  const merging = [{ function: 'mergeMoments', type: 'float64' }] as const;
  fc.assert(
    fc.property(keyed(fc.integer({ min: -1000, max: 1000 })), ({ keys, values }) => {
      arena.reset();
      const shifted = values.map((value) => (value === null ? null : value + 1e9));
      const { table, order, results } = accumulate(keys, specs, [arena.putFloat64s(shifted)]);
      const [counts, means, m2s] = results;
      // The groups of an even and of an odd half are merged.
      const parts = keys.map((key, row) => key * 2n + BigInt(row % 2));
      const halves = accumulate(parts, specs, [arena.putFloat64s(shifted)]);
      const moments = arena.room(halves.order.length * 24);
      halves.order.forEach((group, at) => {
        halves.results.forEach(({ values: from }, part) => {
          const word = arena.view.getBigInt64(from + group * 8, true);
          arena.view.setBigInt64(moments + at * 24 + part * 8, word, true);
        });
      });
      const partKeys = [...new Set(parts)].sort((a, b) => Number(a - b)).map((key) => key >> 1n);
      const validity = arena.putBits(
        halves.order.map((group) => halves.valid[0]?.[group] ?? false),
      );
      const merged = accumulate(partKeys, merging, [{ values: moments, validity }]);
      for (const [at, group] of membersOf(keys, shifted).entries()) {
        const expected = momentsOf(group) ?? { count: 0, mean: 0, m2: 0 };
        for (const one of [
          { at: order[at] ?? 0, columns: [counts, means, m2s] },
          { at: merged.order[at] ?? 0, columns: merged.results },
        ]) {
          const [count, mean, m2] = one.columns.map((column) => (column?.values ?? 0) + one.at * 8);
          expect(arena.view.getBigInt64(count ?? 0, true)).toBe(BigInt(expected.count));
          expect(arena.view.getFloat64(mean ?? 0, true)).toBeCloseTo(expected.mean, 4);
          const found = arena.view.getFloat64(m2 ?? 0, true);
          expect(Math.abs(found - expected.m2)).toBeLessThanOrEqual(1e-6 * (1 + expected.m2));
        }
      }
      for (const one of [table, halves.table, merged.table]) one.close();
    }),
    { numRuns: 50 },
  );
});

test('an infinite mean of one part does not spoil the other', () => {
  const moments = arena.room(24);
  arena.view.setBigInt64(moments, 1n, true);
  arena.view.setFloat64(moments + 8, 1e200, true);
  arena.view.setFloat64(moments + 16, 0, true);
  const spec = { function: 'mergeMoments', type: 'float64' } as const;
  const { table, results } = accumulate([1n], [spec], [{ values: moments, validity: 0 }]);
  expect(arena.view.getFloat64(results[2]?.values ?? 0, true)).toBe(0);
  table.close();
});

test('variances lose the bit of groups that have none', () => {
  const counts = arena.putInt64s([0n, 1n, 2n, 4n]).values;
  const { values: m2 } = arena.putFloat64s([0, 0, 8, 36]);
  const out = arena.room(32);
  const validity = arena.putBits([true, true, true, true]);
  const { varianceOf } = arena.kernels;
  varianceOf(counts, m2, 4, 1, 0, out, validity);
  expect(arena.bits(validity, 4)).toEqual([false, false, true, true]);
  expect(arena.float64s(out, 4).slice(2)).toEqual([8, 12]);
  varianceOf(counts, m2, 4, 0, 1, out, 0);
  expect(arena.float64s(out, 4).slice(1)).toEqual([0, 2, 3]);
});

test('averages and conversions to float64', () => {
  const sums = putInt128s([10n, -(2n ** 70n), 2n ** 53n + 1n]).values;
  const counts = arena.putInt64s([4n, 2n, 1n]).values;
  const out = arena.room(24);
  arena.kernels.averageOfInt128(sums, counts, 3, 1, out);
  expect(arena.float64s(out, 3)).toEqual([2.5, -(2 ** 69), 2 ** 53]);
  arena.kernels.averageOfInt128(sums, counts, 1, 100, out);
  expect(arena.float64s(out, 1)).toEqual([0.025]);
  const floats = arena.putFloat64s([1.5, -3, 0]).values;
  arena.kernels.averageOfFloat64(floats, counts, 3, out);
  expect(arena.float64s(out, 3)).toEqual([0.375, -1.5, 0]);
  arena.kernels.int128ToFloat64(sums, 2, 10, out);
  expect(arena.float64s(out, 2)).toEqual([1, -(2 ** 70) / 10]);
  arena.kernels.int64ToFloat64(arena.putInt64s([-5n, 2n ** 62n]).values, 2, out);
  expect(arena.float64s(out, 2)).toEqual([-5, 2 ** 62]);
});

test('40 accumulators have flags of their own', () => {
  const specs = Array.from({ length: 40 }, () => ({ function: 'max', type: 'int64' }) as const);
  const { cells } = cellsOf(specs, 16);
  expect(new Set(cells.map(({ flags, flag }) => `${flags} ${flag}`)).size).toBe(40);
  const inputs = specs.map((_, index) =>
    arena.putInt64s([index % 3 === 0 ? null : BigInt(index), null]),
  );
  const { table, valid, results } = accumulate([1n, 1n], specs, inputs);
  expect(valid.map(([bit]) => bit)).toEqual(specs.map((_, index) => index % 3 !== 0));
  expect(arena.view.getBigInt64(results[38]?.values ?? 0, true)).toBe(38n);
  table.close();
});
