/** Goal: what the kernels write as pages, their references and readers read back; dictionaries hold each value once. */
import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import {
  extremesOf,
  fixedOfDecimal,
  interned,
  plainTextBytes,
  presentRowsOf,
} from '../../../engine/kernels/parquet-encode.ts';
import { internLayout, runsBytesMax } from '../../../engine/kernels/parquet-write-kernels.ts';
import { valuesOfRuns } from '../../../engine/kernels/runs.ts';
import { encode, KernelArena } from './kernel-arena.ts';

const arena = new KernelArena();
beforeEach(() => arena.reset());

test('rows with a value, of all rows and of selected ones', () => {
  const hasValue = fc.array(fc.boolean(), { maxLength: 200 });
  fc.assert(
    fc.property(hasValue, fc.boolean(), fc.integer({ min: 0, max: 9 }), (has, isSelected, bit) => {
      arena.reset();
      const rows = has.map((_, row) => row).filter((row) => !isSelected || row % 3 > 0);
      const selection = isSelected ? arena.putUint32(rows) : 0;
      const outRows = arena.room(rows.length * 4);
      const bitBytes = Math.ceil((bit + rows.length) / 8);
      const bits = arena.room(bitBytes);
      arena.bytes.fill(0xff, bits, bits + bitBytes);
      const validity = has.includes(false) ? arena.putBits(has) : 0;
      const { length } = rows;
      const { presentRows } = arena.kernels;
      const present = presentRows(validity, selection, length, outRows, bits, bit);
      expect(arena.uint32s(outRows, present)).toEqual(presentRowsOf(rows, has));
      const written = rows.map((row) => has[row]);
      expect(arena.bits(bits, bit + length)).toEqual([...Array(bit).fill(true), ...written]);
      expect(arena.isUntouched(outRows + length * 4)).toBe(true);
      expect(arena.isUntouched(bits + bitBytes)).toBe(true);
    }),
  );
});

/** Values in runs of all lengths. */
const widthAndValues = fc.integer({ min: 0, max: 32 }).chain((width) => {
  const value = fc.integer({ min: 0, max: 2 ** width - 1 });
  const run = fc.tuple(value, fc.integer({ min: 1, max: 60 }));
  const runs = fc.array(fc.oneof(run, fc.tuple(value, fc.constant(1))), { maxLength: 60 });
  return fc.record({
    width: fc.constant(width),
    values: runs.map((all) => all.flatMap(([one, count]) => Array<number>(count).fill(one))),
  });
});

test('runs are read back by their reference', () => {
  fc.assert(
    fc.property(widthAndValues, ({ width, values }) => {
      arena.reset();
      const from = arena.putUint32(values);
      const most = runsBytesMax(values.length);
      const out = arena.room(most);
      const size = arena.kernels.writeRuns(from, values.length, width, out);
      expect(size).toBeLessThanOrEqual(most);
      expect(arena.isUntouched(out + most)).toBe(true);
      const bytes = arena.bytes.slice(out, out + size);
      expect(valuesOfRuns(bytes, width, values.length)).toEqual(values);
    }),
    { numRuns: 500 },
  );
});

test('equal values take few bytes, others not much more than their bits', () => {
  const equal = arena.putUint32(Array<number>(8000).fill(5));
  const out = arena.room(runsBytesMax(8000));
  expect(arena.kernels.writeRuns(equal, 8000, 3, out)).toBe(3);
  const others = arena.putUint32(Array.from({ length: 8000 }, (_, index) => index % 8));
  expect(arena.kernels.writeRuns(others, 8000, 3, out)).toBeLessThanOrEqual(3003);
});

test('bits as runs are read back by their reference', () => {
  const run = fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 90 }));
  fc.assert(
    fc.property(fc.array(fc.oneof(run, fc.tuple(fc.boolean(), fc.constant(1)))), (runs) => {
      arena.reset();
      const bits = runs.flatMap(([bit, count]) => Array<boolean>(count).fill(bit));
      const from = arena.putBits(bits);
      const out = arena.room(bits.length + 16);
      const size = arena.kernels.writeBitRuns(from, bits.length, out);
      const bytes = arena.bytes.slice(out, out + size);
      expect(valuesOfRuns(bytes, 1, bits.length)).toEqual(bits.map(Number));
      expect(size).toBeLessThanOrEqual(bits.length / 8 + 8 + bits.length / 32);
      expect(arena.isUntouched(out + bits.length + 16)).toBe(true);
    }),
  );
});

const word = fc.oneof(
  fc.uint8Array({ maxLength: 20 }),
  fc.constantFrom('', 'a', 'ab', 'abcdefgh', 'abcdefghi', 'abcdefghj', 'x'.repeat(100)).map(encode),
);

test('texts behind their lengths', () => {
  fc.assert(
    fc.property(fc.array(word), (texts) => {
      arena.reset();
      const { values } = arena.putTexts(texts);
      const expected = plainTextBytes(texts);
      const out = arena.room(expected.length + 15, 1);
      expect(arena.kernels.plainTexts(values, texts.length, out)).toBe(expected.length);
      expect(arena.bytes.slice(out, out + expected.length)).toEqual(expected);
      expect(arena.isUntouched(out + expected.length + 15)).toBe(true);
    }),
  );
});

const int128 = fc.bigInt({ min: -(2n ** 127n), max: 2n ** 127n - 1n });

test('decimals as bytes, and their low words', () => {
  fc.assert(
    fc.property(fc.array(int128), fc.integer({ min: 1, max: 16 }), (values, size) => {
      arena.reset();
      const { values: from } = arena.putInt128s(values);
      const out = arena.room(values.length * size);
      arena.kernels.fixedFromDecimals(from, values.length, size, out);
      const bytes = [...arena.bytes.slice(out, out + values.length * size)];
      expect(bytes).toEqual(values.flatMap((value) => fixedOfDecimal(value, size)));
      expect(arena.isUntouched(out + values.length * size)).toBe(true);
      const words = arena.room(values.length * 8);
      arena.kernels.lowWords(from, values.length, 8, words);
      const low = values.map((value) => BigInt.asIntN(64, value));
      expect(arena.int64s(words, values.length)).toEqual(low);
      arena.kernels.lowWords(from, values.length, 4, words);
      const halves = low.map((value) => Number(BigInt.asUintN(32, value)));
      expect(arena.uint32s(words, values.length)).toEqual(halves);
    }),
  );
});

/** A dictionary with room for so many entries, and for so many bytes of texts. */
function dictionary(entries: number, size: number, textBytes: number): number {
  const slots = 2 ** Math.ceil(Math.log2(entries * 2 + 1));
  const table = arena.put(new Uint8Array(slots * 4));
  const state = arena.room(internLayout.size);
  const text = arena.room(textBytes);
  const fields = [table, slots - 1, arena.room(entries * size), 0, entries, text, text + textBytes];
  fields.forEach((value, index) => {
    arena.view.setUint32(state + index * 4, value, true);
  });
  return state;
}

test.each([4, 8, 16])('values of %i bytes are interned, with little room too', (size) => {
  const value = fc.oneof(fc.bigInt({ min: 0n, max: 5n }), int128);
  fc.assert(
    fc.property(fc.array(value), fc.integer({ min: 0, max: 10 }), (all, less) => {
      arena.reset();
      const values = all.map((one) => BigInt.asUintN(size * 8, one));
      const bytes = values.flatMap((one) => fixedOfDecimal(one, size).reverse());
      const { entries, indexes } = interned(values, String);
      const room = Math.max(0, entries.length - less);
      const state = dictionary(room, size, 0);
      const out = arena.room(values.length * 4);
      const from = arena.put(bytes);
      const done = arena.kernels.internFixed(state, from, size, values.length, out);
      const full = indexes.findIndex((index) => index >= room);
      expect(done).toBe(full < 0 ? values.length : full);
      expect(arena.uint32s(out, done)).toEqual(indexes.slice(0, done));
      const at = arena.uint32(state + internLayout.entries);
      const written = [...arena.bytes.slice(at, at + Math.min(room, entries.length) * size)];
      const known = entries.slice(0, room).flatMap((one) => fixedOfDecimal(one, size).reverse());
      expect(written).toEqual(known);
      // A new table finds the entries that there are.
      const table = arena.uint32(state);
      arena.bytes.fill(0, table, table + (arena.uint32(state + internLayout.mask) + 1) * 4);
      arena.kernels.internAgain(state, size, 0);
      expect(arena.kernels.internFixed(state, from, size, done, out)).toBe(done);
      expect(arena.uint32s(out, done)).toEqual(indexes.slice(0, done));
    }),
  );
});

test('texts are interned and copied, with little room too', () => {
  fc.assert(
    fc.property(fc.array(word), fc.integer({ min: 0, max: 200 }), (texts, room) => {
      arena.reset();
      const { entries, indexes } = interned(texts, String);
      const state = dictionary(entries.length, 16, room);
      const out = arena.room(texts.length * 4);
      const { values } = arena.putTexts(texts);
      const done = arena.kernels.internTexts(state, values, texts.length, out);
      let used = 0;
      const full = entries.findIndex((entry) => {
        used += entry.length > 8 ? entry.length : 0;
        return used > room;
      });
      expect(done).toBe(full < 0 ? texts.length : indexes.indexOf(full));
      expect(arena.uint32s(out, done)).toEqual(indexes.slice(0, done));
      // The texts may go.
      arena.bytes.fill(0, values, values + texts.length * 16);
      const at = arena.uint32(state + internLayout.entries);
      const count = arena.uint32(state + internLayout.count);
      expect(arena.texts(at, count)).toEqual(entries.slice(0, full < 0 ? undefined : full));
      const table = arena.uint32(state);
      arena.bytes.fill(0, table, table + (arena.uint32(state + internLayout.mask) + 1) * 4);
      arena.kernels.internAgain(state, 16, 1);
      const { values: again } = arena.putTexts(texts.slice(0, done));
      expect(arena.kernels.internTexts(state, again, done, out)).toBe(done);
      expect(arena.uint32s(out, done)).toEqual(indexes.slice(0, done));
    }),
  );
});

const byBigInt = (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0);

test('extremes of integers and decimals', () => {
  const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
  const some = { minLength: 1 };
  fc.assert(
    fc.property(fc.array(int64, some), fc.array(int128, some), (values, decimals) => {
      arena.reset();
      const result = arena.room(32);
      const found = () => {
        const [least, most] = arena.int64s(result, 2);
        return { least, most };
      };
      arena.kernels.extremesOfInts(arena.putInt64s(values).values, values.length, 8, 1, result);
      expect(found()).toEqual(extremesOf(values, byBigInt));
      const small = values.map((value) => Number(BigInt.asIntN(32, value)));
      const from = arena.putInt32s(small).values;
      arena.kernels.extremesOfInts(from, values.length, 4, 1, result);
      expect(found()).toEqual(extremesOf(small.map(BigInt), byBigInt));
      arena.kernels.extremesOfInts(from, values.length, 4, 0, result);
      const unsigned = small.map((value) => BigInt(value >>> 0));
      expect(found()).toEqual(extremesOf(unsigned, byBigInt));
      const { values: at } = arena.putInt128s(decimals);
      arena.kernels.extremesOfDecimals(at, decimals.length, result);
      const [low0, high0, low1, high1] = arena.int64s(result, 4) as [
        bigint,
        bigint,
        bigint,
        bigint,
      ];
      const wide = (low: bigint, high: bigint) => (high << 64n) | BigInt.asUintN(64, low);
      const widest = { least: wide(low0, high0), most: wide(low1, high1) };
      expect(widest).toEqual(extremesOf(decimals, byBigInt));
    }),
  );
});

test('extremes of floats pass over NaN', () => {
  const float = fc.oneof(fc.float(), fc.constantFrom(Number.NaN, 0, Infinity, -Infinity));
  fc.assert(
    fc.property(fc.array(float), (values) => {
      arena.reset();
      const result = arena.room(16);
      const numbers = values.filter((value) => !Number.isNaN(value));
      const expected = extremesOf(numbers, (a, b) => a - b || 0);
      for (const size of [4, 8]) {
        const put = size === 4 ? arena.putSmall('Float32', values) : arena.putFloat64s(values);
        const count = arena.kernels.extremesOfFloats(put.values, values.length, size, result);
        expect(count).toBe(numbers.length);
        if (expected === null) continue;
        // -0 and 0 are the same here.
        const [least = 0, most = 0] = arena.float64s(result, 2);
        expect([least + 0, most + 0]).toEqual([expected.least + 0, expected.most + 0]);
      }
    }),
  );
});

test('extremes of texts, by their bytes', () => {
  const zeroes = fc.constantFrom([0], [0, 0], [97, 0], [97], [255], [97, 98, 0]);
  const text = fc.oneof(
    word,
    zeroes.map((bytes) => Uint8Array.from(bytes)),
  );
  fc.assert(
    fc.property(fc.array(text, { minLength: 1 }), (texts) => {
      arena.reset();
      const result = arena.room(8);
      arena.kernels.extremesOfTexts(arena.putTexts(texts).values, texts.length, result);
      const [least = 0, most = 0] = arena.uint32s(result, 2);
      const found = { least: texts[least], most: texts[most] };
      expect(found).toEqual(extremesOf(texts, (a, b) => Buffer.compare(a, b)));
    }),
  );
});
