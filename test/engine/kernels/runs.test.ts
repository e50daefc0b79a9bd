/** Goal: runs of every width are read as their reference reads them, in pieces of any size, also damaged. */
import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import { runsLayout } from '../../../engine/kernels/parquet-kernels.ts';
import { bytesOfRuns, type Run, valuesOfRuns } from '../../../engine/kernels/runs.ts';
import { spreadOut } from '../../../engine/kernels/spread.ts';
import { KernelArena } from './kernel-arena.ts';

const arena = new KernelArena();
beforeEach(() => arena.reset());

const noLimit = 0xffff_ffff;

function stateOf(bytes: Uint8Array, width: number): number {
  const at = arena.put(bytes, 5);
  const state = arena.room(runsLayout.size);
  arena.view.setUint32(state + runsLayout.at, at, true);
  arena.view.setUint32(state + runsLayout.end, at + bytes.length, true);
  arena.view.setUint32(state + runsLayout.width, width, true);
  arena.view.setUint32(state + runsLayout.left, 0, true);
  return state;
}

/** Reads in pieces of `piece` values until one is short. */
function readAll(bytes: Uint8Array, width: number, count: number, piece: number): number[] {
  arena.reset();
  const state = stateOf(bytes, width);
  const out = arena.room(count * 4);
  const values: number[] = [];
  while (values.length < count) {
    const wanted = Math.min(piece, count - values.length);
    const got = arena.kernels.readRuns(state, wanted, noLimit, out);
    values.push(...arena.uint32s(out, got));
    if (got < wanted) break;
  }
  expect(arena.isUntouched(out + count * 4)).toBe(true);
  return values;
}

const widthAndRuns = fc.integer({ min: 0, max: 32 }).chain((width) => {
  // 2^32 - 1 is the limit that no value is below.
  const value = fc.integer({ min: 0, max: Math.min(2 ** width - 1, 2 ** 32 - 2) });
  const run: fc.Arbitrary<Run> = fc.oneof(
    fc.record({ value, count: fc.integer({ min: 1, max: 300 }) }),
    fc.record({ packed: fc.array(value, { minLength: 1, maxLength: 100 }) }),
  );
  return fc.record({ width: fc.constant(width), runs: fc.array(run, { maxLength: 8 }) });
});

test('runs of every width, read in pieces', () => {
  fc.assert(
    fc.property(widthAndRuns, fc.integer({ min: 1, max: 70 }), ({ width, runs }, piece) => {
      const bytes = bytesOfRuns(runs, width);
      const values = valuesOfRuns(bytes, width, 10_000);
      expect(readAll(bytes, width, values.length + 1, piece)).toEqual(values);
    }),
    { numRuns: 500 },
  );
});

test('chosen values of runs, read in pieces, are those that all reading gives', () => {
  const pieces = fc.integer({ min: 1, max: 70 });
  const choices = fc.array(fc.boolean(), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(widthAndRuns, pieces, choices, ({ width, runs }, piece, choice) => {
      arena.reset();
      const bytes = bytesOfRuns(runs, width);
      const values = valuesOfRuns(bytes, width, 10_000);
      const isChosen = (at: number) => choice[at % choice.length] === true;
      const state = stateOf(bytes, width);
      const found: number[] = [];
      for (let from = 0; from < values.length; from += piece) {
        const count = Math.min(piece, values.length - from);
        const rows = Array.from({ length: count }, (_, row) => row).filter((row) =>
          isChosen(from + row),
        );
        const out = arena.room(rows.length * 4);
        const at = arena.putUint32(rows);
        expect(arena.kernels.readRunsAt(state, count, noLimit, at, rows.length, out)).toBe(count);
        found.push(...arena.uint32s(out, rows.length));
      }
      expect(found).toEqual(values.filter((_, at) => isChosen(at)));
      expect(arena.kernels.readRunsAt(state, 1, noLimit, 0, 0, 0)).toBe(0);
    }),
    { numRuns: 300 },
  );
});

test('the last bytes of packed values may be missing', () => {
  const bytes = bytesOfRuns([{ packed: [1, 2, 3, 4, 5] }], 9);
  for (let size = 0; size <= bytes.length; size++) {
    const cut = bytes.subarray(0, size);
    expect(readAll(cut, 9, 5, 5)).toEqual(valuesOfRuns(cut, 9, 5));
  }
});

test('damaged runs are read as far as the reference reads them', () => {
  const damage = fc.record({ at: fc.nat(), byte: fc.nat(255) });
  fc.assert(
    fc.property(widthAndRuns, damage, ({ width, runs }, { at, byte }) => {
      const bytes = bytesOfRuns(runs, width);
      bytes[at % Math.max(1, bytes.length)] = byte;
      const values = valuesOfRuns(bytes, width, 2000);
      const limit = values.findIndex((value) => value >= noLimit);
      const right = limit < 0 ? values : values.slice(0, limit);
      expect(readAll(bytes, width, 2000, 2000)).toEqual(right);
    }),
    { numRuns: 500 },
  );
});

test('a value at the limit ends the reading where it is', () => {
  const bytes = bytesOfRuns([{ value: 3, count: 10 }, { packed: [1, 2, 5, 4] }], 3);
  const out = arena.room(100 * 4);
  expect(arena.kernels.readRuns(stateOf(bytes, 3), 14, 5, out)).toBe(12);
  expect(arena.kernels.readRuns(stateOf(bytes, 3), 14, 3, out)).toBe(0);
  expect(arena.kernels.readRuns(stateOf(bytes, 3), 14, 6, out)).toBe(14);
  const rows = arena.putUint32([0, 11, 12]);
  expect(arena.kernels.readRunsAt(stateOf(bytes, 3), 14, 5, rows, 3, out)).toBe(12);
  expect(arena.kernels.readRunsAt(stateOf(bytes, 3), 14, 5, rows, 2, out)).toBe(14);
});

const bitRuns = fc.array(
  fc.oneof<fc.Arbitrary<Run>[]>(
    fc.record({ value: fc.integer({ min: 0, max: 1 }), count: fc.integer({ min: 1, max: 300 }) }),
    fc.record({ packed: fc.array(fc.integer({ min: 0, max: 1 }), { minLength: 1 }) }),
  ),
  { maxLength: 8 },
);

test('bits, read in pieces behind other bits', () => {
  const pieces = fc.integer({ min: 1, max: 150 });
  fc.assert(
    fc.property(bitRuns, fc.integer({ min: 0, max: 20 }), pieces, (runs, before, piece) => {
      arena.reset();
      const bytes = bytesOfRuns(runs, 1);
      const bits = valuesOfRuns(bytes, 1, 5000).map((value) => value === 1);
      const state = stateOf(bytes, 1);
      const size = Math.ceil((before + bits.length) / 64) * 8;
      const out = arena.room(size);
      for (let bit = 0; bit < before; bit++) arena.kernels.copyBits(arena.put([1]), 0, 1, out, bit);
      let ones = 0;
      for (let done = 0; done < bits.length; done += piece) {
        const count = Math.min(piece, bits.length - done);
        ones += arena.kernels.readRunBits(state, count, out, before + done);
      }
      expect(arena.bits(out, before + bits.length)).toEqual([...Array(before).fill(true), ...bits]);
      expect(ones).toBe(bits.filter((bit) => bit).length);
      expect(arena.isUntouched(out + size)).toBe(true);
      expect(arena.kernels.readRunBits(state, 1, out, 0)).toBe(-1);
    }),
  );
});

test('a bit that is neither 0 nor 1 is damage', () => {
  const state = stateOf(bytesOfRuns([{ value: 2, count: 8 }], 2), 1);
  expect(arena.kernels.readRunBits(state, 8, arena.room(8), 0)).toBe(-1);
});

test('values are spread over the rows that have one', () => {
  const sizes = fc.constantFrom(1, 2, 4, 8, 16);
  const hasValue = fc.array(fc.boolean(), { maxLength: 200 });
  fc.assert(
    fc.property(sizes, hasValue, fc.integer({ min: 0, max: 9 }), (size, has, fromBit) => {
      arena.reset();
      const values = Array.from({ length: has.length }, (_, row) =>
        Array.from({ length: size }, (_, byte) => (row * 7 + byte * 3 + 1) & 0xff),
      );
      const from = arena.put(values.flat());
      const bits = arena.putBits([...Array(fromBit).fill(false), ...has]);
      const out = arena.room(has.length * size);
      arena.kernels[`spread${size as 1 | 2 | 4 | 8 | 16}`](from, bits, fromBit, has.length, out);
      const expected = spreadOut(values, has, Array<number>(size).fill(0));
      expect([...arena.bytes.slice(out, out + has.length * size)]).toEqual(expected.flat());
      expect(arena.isUntouched(out + has.length * size)).toBe(true);
    }),
  );
});

test('bits are spread behind other bits', () => {
  const hasValue = fc.array(fc.boolean(), { maxLength: 200 });
  fc.assert(
    fc.property(hasValue, hasValue, fc.integer({ min: 0, max: 9 }), (values, has, before) => {
      arena.reset();
      const padded = [...values, ...has];
      const size = Math.ceil((before + has.length) / 64) * 8;
      const out = arena.room(size);
      arena.bytes.fill(0, out, out + size);
      const [from, bits] = [arena.putBits(padded), arena.putBits(has)];
      arena.kernels.spread1Bit(from, bits, 0, has.length, out, before);
      const expected = spreadOut(padded, has, false);
      expect(arena.bits(out, before + has.length).slice(before)).toEqual(expected);
    }),
  );
});
