/** Goal: widened values are the same numbers, and equal float64 keys have equal bits. */
import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import { float64KeyBitsOf, narrowInt32Of, widenBoolOf } from '../../../engine/kernels/widen.ts';
import { keyBitsOf, narrowOf, widenOf } from '../../../engine/kernels/widen-kernels.ts';
import type { FieldType } from '../../../engine/schema/field-type.ts';
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

test.each`
  kind        | min           | max            | narrow
  ${'Int8'}   | ${-128}       | ${127}         | ${'narrowInt8'}
  ${'Uint8'}  | ${0}          | ${255}         | ${'narrowInt8'}
  ${'Int16'}  | ${-(2 ** 15)} | ${2 ** 15 - 1} | ${'narrowInt16'}
  ${'Uint16'} | ${0}          | ${2 ** 16 - 1} | ${'narrowInt16'}
  ${'Uint32'} | ${0}          | ${2 ** 32 - 1} | ${'narrowInt32'}
`('$kind to int64 and back', ({ kind, min, max, narrow }) => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min, max })), (numbers) => {
      arena.reset();
      const values = [...numbers, min, max];
      const wide = arena.room(values.length * 8);
      const size = Number(kind.replace(/\D+/, '')) / 8;
      arena.kernels[`widen${kind as 'Int8'}`](
        arena.putSmall(kind, values).values,
        values.length,
        wide,
      );
      expect(arena.int64s(wide, values.length)).toEqual(values.map(BigInt));
      const out = arena.room(values.length * size);
      arena.kernels[narrow as 'narrowInt8'](wide, values.length, out);
      expect(arena.smalls(kind, out, values.length)).toEqual(values);
      expect(arena.isUntouched(out + values.length * size)).toBe(true);
    }),
  );
});

test('float32 to float64 and back, and as keys', () => {
  const extremes = fc.constantFrom(0, -0, Number.NaN, Infinity, -Infinity);
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.float(), extremes)), (values) => {
      arena.reset();
      const { values: from } = arena.putSmall('Float32', values);
      const wide = arena.room(values.length * 8);
      arena.kernels.widenFloat32(from, values.length, wide);
      expect(arena.float64s(wide, values.length)).toEqual(values);
      const out = arena.room(values.length * 4);
      arena.kernels.narrowFloat32(wide, values.length, out);
      expect(arena.smalls('Float32', out, values.length)).toEqual(values);
      arena.kernels.float32KeyBits(from, values.length, wide);
      expect(arena.int64s(wide, values.length)).toEqual(values.map(float64KeyBitsOf));
    }),
  );
});

test.each`
  kind         | widen             | keyBits             | narrow
  ${'bool'}    | ${'widenBool'}    | ${'widenBool'}      | ${'narrowBool'}
  ${'int8'}    | ${'widenInt8'}    | ${'widenInt8'}      | ${'narrowInt8'}
  ${'uint8'}   | ${'widenUint8'}   | ${'widenUint8'}     | ${'narrowInt8'}
  ${'int16'}   | ${'widenInt16'}   | ${'widenInt16'}     | ${'narrowInt16'}
  ${'uint16'}  | ${'widenUint16'}  | ${'widenUint16'}    | ${'narrowInt16'}
  ${'int32'}   | ${'widenInt32'}   | ${'widenInt32'}     | ${'narrowInt32'}
  ${'date'}    | ${'widenInt32'}   | ${'widenInt32'}     | ${'narrowInt32'}
  ${'uint32'}  | ${'widenUint32'}  | ${'widenUint32'}    | ${'narrowInt32'}
  ${'float32'} | ${'widenFloat32'} | ${'float32KeyBits'} | ${'narrowFloat32'}
  ${'float64'} | ${null}           | ${'float64KeyBits'} | ${null}
  ${'int64'}   | ${null}           | ${null}             | ${null}
`('$kind is widened by $widen, as a key by $keyBits', ({ kind, widen, keyBits, narrow }) => {
  const { kernels } = arena;
  const named = (name: 'widenBool' | null) => (name === null ? null : kernels[name]);
  expect(widenOf(kernels, { kind } as FieldType)).toBe(named(widen));
  expect(keyBitsOf(kernels, { kind } as FieldType)).toBe(named(keyBits));
  expect(narrowOf(kernels, { kind } as FieldType)).toBe(named(narrow));
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
