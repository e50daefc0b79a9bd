/** Goal: widened values are the same numbers, and equal float64 keys have equal bits. */
import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import { float64KeyBitsOf, narrowInt32Of, widenBoolOf } from '../../../engine/kernels/widen.ts';
import { KernelArena } from './kernel-arena.ts';

const arena = new KernelArena();
beforeEach(() => arena.reset());

test('int32 to int64 and back', () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), (values) => {
      arena.reset();
      const wide = arena.room(values.length * 8);
      arena.kernels.widenInt32(arena.putInt32s(values).values, values.length, wide);
      expect(arena.int64s(wide, values.length)).toEqual(values.map(BigInt));
      const narrow = arena.room(values.length * 4);
      arena.kernels.narrowInt32(wide, values.length, narrow);
      expect(arena.uint32s(narrow, values.length).map((value) => value | 0)).toEqual(values);
    }),
  );
});

test('int64 beyond int32 keeps its low bits', () => {
  const values = [2n ** 40n + 5n, -(2n ** 63n)];
  const out = arena.room(8);
  arena.kernels.narrowInt32(arena.putInt64s(values).values, 2, out);
  expect(arena.uint32s(out, 2)).toEqual(values.map(narrowInt32Of));
});

test('bits to int64 and back', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 200 }), (bits) => {
      arena.reset();
      const wide = arena.room(bits.length * 8);
      arena.kernels.widenBool(arena.putBits(bits), bits.length, wide);
      expect(arena.int64s(wide, bits.length)).toEqual(bits.map(widenBoolOf));
      const narrow = arena.room(Math.ceil(bits.length / 64) * 8);
      arena.kernels.narrowBool(wide, bits.length, narrow);
      expect(arena.bits(narrow, bits.length)).toEqual(bits);
      expect(arena.isUntouched(narrow + Math.ceil(bits.length / 64) * 8)).toBe(true);
    }),
  );
});

test('bits of float64 keys agree with the reference', () => {
  const extremes = [0, -0, Number.NaN, Infinity, -Infinity, Number.MIN_VALUE, Number.MAX_VALUE];
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.double(), fc.constantFrom(...extremes))), (values) => {
      arena.reset();
      const out = arena.room(values.length * 8);
      arena.kernels.float64KeyBits(arena.putFloat64s(values).values, values.length, out);
      expect(arena.int64s(out, values.length)).toEqual(values.map(float64KeyBitsOf));
    }),
  );
});

test('NaN of every payload become one key', () => {
  const values = arena.room(16);
  arena.view.setBigInt64(values, 0x7ff8000000000001n, true);
  arena.view.setBigInt64(values + 8, -1n, true);
  const out = arena.room(16);
  arena.kernels.float64KeyBits(values, 2, out);
  const [first, second] = arena.int64s(out, 2);
  expect(first).toBe(second);
});
