/** Goal: rows gathered across batches are the rows asked for; long texts move with their views. */
import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import { gatherAcross, rowsWithTexts } from '../../../engine/kernels/gather.ts';
import { KernelArena } from './kernel-arena.ts';

const arena = new KernelArena();
beforeEach(() => arena.reset());

const { kernels } = arena;
const batchRows = 8192;
const rowsPerBatch = 70;
const rowCounts = [0, 1, 63, 64, 65, 200];

/** Numbers of rows that jump between `batchCount` batches. */
const numbersOf = (count: number, batchCount: number) =>
  Array.from(
    { length: count },
    (_, index) => ((index * 5) % batchCount) * batchRows + ((index * 31) % rowsPerBatch),
  );

test.each(rowCounts)('%i rows of every width, out of three batches', (count) => {
  const numbers = numbersOf(count, 3);
  const numbersAddress = arena.putUint32(numbers);
  const words = [1, 2, 3].map((seed) =>
    Array.from({ length: rowsPerBatch * 4 }, (_, index) => Math.imul(index + 1, seed * 7919) >>> 0),
  );
  const bases = arena.putUint32(words.map((each) => arena.putUint32(each)));
  for (const [size, gather] of [
    [1, kernels.gatherAcross4],
    [2, kernels.gatherAcross8],
    [4, kernels.gatherAcross16],
  ] as const) {
    const values = words.map((each) =>
      Array.from({ length: rowsPerBatch }, (_, row) => each.slice(row * size, row * size + size)),
    );
    const out = arena.room(count * size * 4);
    gather(bases, numbersAddress, count, out);
    expect(arena.uint32s(out, count * size)).toEqual(gatherAcross(values, numbers, []).flat());
    expect(arena.isUntouched(out + count * size * 4)).toBe(true);
  }
});

test.each(rowCounts)('%i rows of 1 and 2 bytes, out of three batches', (count) => {
  const numbers = numbersOf(count, 3);
  const numbersAddress = arena.putUint32(numbers);
  const values = [1, 2, 3].map((seed) =>
    Array.from({ length: rowsPerBatch }, (_, index) => (index * seed * 37) % 256),
  );
  for (const [kind, size, gather] of [
    ['Uint8', 1, kernels.gatherAcross1],
    ['Uint16', 2, kernels.gatherAcross2],
  ] as const) {
    const bases = arena.putUint32(values.map((each) => arena.putSmall(kind, each).values));
    const out = arena.room(count * size);
    gather(bases, numbersAddress, count, out);
    expect(arena.smalls(kind, out, count)).toEqual(gatherAcross(values, numbers, 0));
    expect(arena.isUntouched(out + count * size)).toBe(true);
  }
});

test.each(rowCounts)('%i bits, one of the bitmaps at 0', (count) => {
  const numbers = numbersOf(count, 3);
  const bitmap = (step: number) =>
    Array.from({ length: rowsPerBatch }, (_, row) => row % step === 0);
  const bitmaps = [bitmap(2), null, bitmap(3)];
  const bases = arena.putUint32(bitmaps.map((each) => (each === null ? 0 : arena.putBits(each))));
  const sizeBytes = Math.ceil(count / 64) * 8;
  const out = arena.room(sizeBytes);
  kernels.gatherAcross1Bit(bases, arena.putUint32(numbers), count, out);
  expect(arena.bits(out, count)).toEqual(gatherAcross(bitmaps, numbers, true));
  expect(arena.isUntouched(out + sizeBytes)).toBe(true);
});

const text = fc.option(fc.uint8Array({ maxLength: 40 }));
const batchesOfTexts = fc.array(fc.array(text, { minLength: 1, maxLength: 6 }), {
  minLength: 1,
  maxLength: 4,
});

test('rows until their texts, of two columns, pass a bound', () => {
  fc.assert(
    fc.property(batchesOfTexts, fc.nat({ max: 300 }), fc.array(fc.nat()), (batches, max, picks) => {
      arena.reset();
      const numbers = picks.map((pick) => {
        const batch = pick % batches.length;
        return batch * batchRows + (pick % (batches[batch]?.length ?? 1));
      });
      const reversed = batches.map((batch) => batch.toReversed());
      const views = [...batches, ...reversed].map((batch) => arena.putTexts(batch).values);
      const sizeOf = (texts: typeof batches) =>
        gatherAcross(texts, numbers, null).map((each) => each?.length ?? 0);
      const others = sizeOf(reversed);
      const sizes = sizeOf(batches).map((size, row) => size + (others[row] ?? 0));
      const fitting = kernels.rowsWithTexts(
        arena.putUint32(views),
        batches.length,
        2,
        arena.putUint32(numbers),
        numbers.length,
        max,
      );
      expect(fitting).toBe(rowsWithTexts(sizes, max));
    }),
  );
});

test('long texts get bytes of their own, others stay as they are', () => {
  const texts = fc.array(fc.option(fc.uint8Array({ maxLength: 150 })), { maxLength: 40 });
  fc.assert(
    fc.property(texts, (values) => {
      arena.reset();
      const views = arena.putTexts(values).values;
      const long = values.filter((each) => (each?.length ?? 0) > 8);
      const size = kernels.longTextSizeOf(views, values.length);
      expect(size).toBe(long.reduce((sum, each) => sum + (each?.length ?? 0), 0));
      const out = arena.room(size);
      kernels.copyLongTexts(views, values.length, out);
      expect(arena.texts(views, values.length)).toEqual(
        values.map((each) => each ?? new Uint8Array(0)),
      );
      const bytes = arena.bytes.slice(out, out + size);
      expect([...bytes]).toEqual(long.flatMap((each) => [...(each ?? [])]));
      expect(arena.isUntouched(out + size)).toBe(true);
    }),
  );
});
