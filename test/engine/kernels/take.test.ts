/** Goal: taken rows are the rows asked for, and Arrow's utf8 goes to views and back unchanged. */
import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import { arrowUtf8Of, takeRows } from '../../../engine/kernels/take.ts';
import { gatherOf, takeOf } from '../../../engine/kernels/take-kernels.ts';
import {
  binaryType,
  boolType,
  dateType,
  int8Type,
  int64Type,
  uint16Type,
} from '../../../engine/schema/field-type.ts';
import { KernelArena } from './kernel-arena.ts';

const arena = new KernelArena();
beforeEach(() => arena.reset());

const rowCounts = [0, 1, 7, 63, 64, 65, 128, 300];
const rowsOf = (count: number) => Array.from({ length: count }, (_, index) => (index * 89) % 331);

test.each(rowCounts)('%i rows of every width', (count) => {
  const rows = rowsOf(count);
  const rowsAddress = arena.putUint32(rows);
  const { kernels } = arena;
  const bits = Array.from({ length: 331 }, (_, index) => index % 3 === 0);
  const words = Array.from({ length: 331 * 4 }, (_, index) => index * 7919);
  const wordsAddress = arena.putUint32(words);
  const group = (size: number) =>
    Array.from({ length: 331 }, (_, row) => words.slice(row * size, row * size + size));
  const outBits = arena.room(Math.ceil(count / 64) * 8);
  kernels.take1Bit(arena.putBits(bits), rowsAddress, count, outBits);
  expect(arena.bits(outBits, count)).toEqual(takeRows(bits, rows));
  expect(arena.isUntouched(outBits + Math.ceil(count / 64) * 8)).toBe(true);
  for (const [size, take] of [
    [1, kernels.take4],
    [2, kernels.take8],
    [4, kernels.take16],
  ] as const) {
    const out = arena.room(count * size * 4);
    take(wordsAddress, rowsAddress, count, out);
    expect(arena.uint32s(out, count * size)).toEqual(takeRows(group(size), rows).flat());
    expect(arena.isUntouched(out + count * size * 4)).toBe(true);
  }
});

test.each(rowCounts)('%i rows of 1 and 2 bytes', (count) => {
  const rows = rowsOf(count);
  const rowsAddress = arena.putUint32(rows);
  const values = Array.from({ length: 331 }, (_, index) => (index * 79) % 256);
  for (const [kind, size, take] of [
    ['Uint8', 1, arena.kernels.take1],
    ['Uint16', 2, arena.kernels.take2],
  ] as const) {
    const out = arena.room(count * size);
    take(arena.putSmall(kind, values).values, rowsAddress, count, out);
    expect(arena.smalls(kind, out, count)).toEqual(takeRows(values, rows));
    expect(arena.isUntouched(out + count * size)).toBe(true);
  }
});

test.each`
  type                                             | size
  ${boolType}                                      | ${0}
  ${int8Type}                                      | ${1}
  ${uint16Type}                                    | ${2}
  ${dateType}                                      | ${4}
  ${int64Type}                                     | ${8}
  ${{ kind: 'decimal', precision: 38, scale: 10 }} | ${16}
  ${binaryType}                                    | ${16}
`('$type.kind is taken and gathered by its size', ({ type, size }) => {
  const { kernels } = arena;
  const takes = { 0: kernels.take1Bit, 1: kernels.take1, 2: kernels.take2, 4: kernels.take4 };
  const more = { 8: kernels.take8, 16: kernels.take16 };
  expect(takeOf(kernels, type)).toBe({ ...takes, ...more }[size as 0]);
  const name = size === 0 ? 'gatherAcross1Bit' : (`gatherAcross${size}` as 'gatherAcross4');
  expect(gatherOf(kernels, type)).toBe(kernels[name]);
});

test('bits behind the last row are zero', () => {
  const out = arena.room(8);
  arena.kernels.take1Bit(arena.putBits([true, true, true]), 0, 3, out);
  expect(arena.uint32s(out, 2)).toEqual([7, 0]);
});

test('texts to Arrow and back', () => {
  const texts = fc.array(fc.option(fc.uint8Array({ maxLength: 100 })), { maxLength: 50 });
  fc.assert(
    fc.property(texts, (values) => {
      arena.reset();
      const column = arena.putTexts(values);
      const expected = arrowUtf8Of(values);
      const size = arena.kernels.utf8SizeOf(column.values, 0, values.length);
      expect(size).toBe(expected.bytes.length);
      const offsets = arena.room((values.length + 1) * 4);
      const bytes = arena.room(size);
      const written = arena.kernels.utf8ToArrow(column.values, 0, values.length, offsets, bytes);
      expect(written).toBe(size);
      expect(arena.uint32s(offsets, values.length + 1)).toEqual(expected.offsets);
      expect(arena.bytes.slice(bytes, bytes + size)).toEqual(expected.bytes);
      expect(arena.isUntouched(bytes + size)).toBe(true);
      const views = arena.room(values.length * 16);
      arena.kernels.utf8FromArrow(offsets, bytes, values.length, views);
      expect(arena.texts(views, values.length)).toEqual(
        values.map((text) => text ?? new Uint8Array(0)),
      );
    }),
  );
});

test('texts of chosen rows, one of them twice', () => {
  const values = [Uint8Array.of(1), new Uint8Array(20).fill(2), null, new Uint8Array(8).fill(4)];
  const rows = [3, 1, 1, 2];
  const column = arena.putTexts(values);
  const rowsAddress = arena.putUint32(rows);
  const expected = arrowUtf8Of(takeRows(values, rows));
  expect(arena.kernels.utf8SizeOf(column.values, rowsAddress, 4)).toBe(48);
  const offsets = arena.room(20);
  const bytes = arena.room(48);
  arena.kernels.utf8ToArrow(column.values, rowsAddress, 4, offsets, bytes);
  expect(arena.bytes.slice(bytes, bytes + 48)).toEqual(expected.bytes);
});

test('sizes above 4 GiB are exact', () => {
  const view = arena.room(16);
  arena.putView(view, null, 0);
  arena.view.setUint32(view, 0xffffffff, true);
  expect(arena.kernels.utf8SizeOf(view, arena.putUint32([0, 0, 0]), 3)).toBe(3 * 0xffffffff);
});

test('offsets that begin above 0 are read from there', () => {
  const bytes = arena.put([9, 9, 1, 2, 3]);
  const views = arena.room(32);
  arena.kernels.utf8FromArrow(arena.putUint32([2, 4, 5]), bytes, 2, views);
  expect(arena.texts(views, 2)).toEqual([Uint8Array.of(1, 2), Uint8Array.of(3)]);
});

test('views of nulls are zeroed, others stay', () => {
  const column = arena.putTexts([Uint8Array.of(1), Uint8Array.of(2), new Uint8Array(9).fill(3)]);
  arena.kernels.zeroNullViews(column.values, arena.putBits([true, false, true]), 3);
  const texts = arena.texts(column.values, 3);
  expect(texts).toEqual([Uint8Array.of(1), new Uint8Array(0), new Uint8Array(9).fill(3)]);
});
