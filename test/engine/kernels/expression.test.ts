/** Goal: kernels for single values agree with their references, at every alignment and length. */
import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import {
  compareTextsOf,
  floatModuloOf,
  wholeOfDecimal,
} from '../../../engine/kernels/expression.ts';
import { KernelArena } from './kernel-arena.ts';

const arena = new KernelArena();
beforeEach(() => arena.reset());

/** Bytes that often agree for a while. */
const bytes = fc.uint8Array({ max: 3, maxLength: 40 });

test('texts are ordered by bytes', () => {
  fc.assert(
    fc.property(bytes, bytes, bytes, fc.nat(7), (common, a, b, shift) => {
      arena.reset();
      const [left, right] = [a, b].map((end) => Uint8Array.from([...common, ...end])) as [
        Uint8Array,
        Uint8Array,
      ];
      const found = arena.kernels.compareTexts(
        arena.put(left, shift),
        left.length,
        arena.put(right),
        right.length,
      );
      expect(Math.sign(found)).toBe(compareTextsOf(left, right));
    }),
  );
});

test('bytes above 127 come after those below', () => {
  const compare = (a: number[], b: number[]) =>
    Math.sign(arena.kernels.compareTexts(arena.put(a), a.length, arena.put(b), b.length));
  expect(compare([0x7f], [0x80])).toBe(-1);
  expect(compare([0xff, 0, 0, 0, 0, 0, 0, 0], [0x01, 1, 1, 1, 1, 1, 1, 1])).toBe(1);
});

test('tails of long texts are equal where all of their bytes are', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 9, maxLength: 40 }),
      fc.option(fc.nat(31), { nil: null }),
      (text, changed) => {
        arena.reset();
        const other = Uint8Array.from(text);
        const at = changed === null ? -1 : 8 + (changed % (text.length - 8));
        if (at >= 0) other[at] = (other[at] ?? 0) ^ 1;
        const found = arena.kernels.isSameTail(arena.put(text), arena.put(other, 3), text.length);
        expect(found).toBe(at < 0 ? 1 : 0);
      },
    ),
  );
});

test('the rest of a float division is the one of JavaScript', () => {
  const extremes = [0, -0, Number.NaN, 1 / 0, -1 / 0, 5e-324, Number.MAX_VALUE, 1, -1, 0.5];
  const float = fc.oneof(fc.double(), fc.constantFrom(...extremes), fc.integer());
  fc.assert(
    fc.property(float, float, (a, b) => {
      expect(arena.kernels.floatModulo(a, b)).toBe(floatModuloOf(a, b));
    }),
    { numRuns: 500 },
  );
});

test('decimals lose their fraction, and say when 64 bits are too few', () => {
  const value = fc.bigInt({ min: -(10n ** 38n) + 1n, max: 10n ** 38n - 1n });
  const any = fc.oneof(value, fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n }));
  fc.assert(
    fc.property(any, fc.nat(38), (decimal, scale) => {
      const parts = [BigInt.asIntN(64, decimal), decimal >> 64n] as const;
      const whole = wholeOfDecimal(decimal, scale);
      const low = BigInt.asIntN(64, whole);
      expect(arena.kernels.wholeOfDecimal(...parts, scale)).toBe(low);
      expect(arena.kernels.isWideDecimal(...parts, scale)).toBe(low === whole ? 0 : 1);
    }),
  );
});
