/** Goal: registers and shares are those of the reference, of values, texts and nulls. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { registerOfBytes, registerOfInt64 } from '../../../engine/kernels/registers.ts';
import { KernelArena, type TestColumn } from './kernel-arena.ts';

const arena = new KernelArena();
const none = { register: 0, share: 0 };

function registersOf(form: number, { values, validity }: TestColumn, count: number) {
  const [registers, shares] = [arena.room(count * 4), arena.room(count * 8)];
  arena.kernels.registersOf(form, values, validity, 0, count, registers, shares);
  expect(arena.isUntouched(registers + count * 4)).toBe(true);
  expect(arena.isUntouched(shares + count * 8)).toBe(true);
  return Array.from({ length: count }, (_, row) => ({
    register: arena.uint32(registers, row),
    share: arena.view.getFloat64(shares + row * 8, true),
  }));
}

test('whole numbers', () => {
  const numbers = fc.array(fc.option(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })));
  fc.assert(
    fc.property(numbers, (values) => {
      arena.reset();
      const expected = values.map((value) => (value === null ? none : registerOfInt64(value)));
      expect(registersOf(1, arena.putInt64s(values), values.length)).toEqual(expected);
    }),
  );
});

test('texts of any length', () => {
  const texts = fc.array(fc.option(fc.uint8Array({ maxLength: 40 })));
  fc.assert(
    fc.property(texts, (values) => {
      arena.reset();
      const expected = values.map((value) => (value === null ? none : registerOfBytes(value)));
      expect(registersOf(0, arena.putTexts(values), values.length)).toEqual(expected);
    }),
  );
});
