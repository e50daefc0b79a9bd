/** Goal: decimals keep every digit as texts and as int128, and say what of a text does not fit. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  decimalTextOf,
  isWithinPrecision,
  writeDecimalText,
} from '../../../engine/schema/decimal-text.ts';

/** Reference: the int128 of four words. */
function unscaledOf(words: Uint32Array): bigint {
  return BigInt.asIntN(
    128,
    words.reduceRight((sum, word) => (sum << 32n) | BigInt(word), 0n),
  );
}

/** Reference: an exact text of unscaled × 10^-scale. */
function textOf(unscaled: bigint, scale: number): string {
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0');
  const point = digits.length - scale;
  const text = scale === 0 ? digits : `${digits.slice(0, point)}.${digits.slice(point)}`;
  return unscaled < 0n ? `-${text}` : text;
}

const sizes = fc
  .integer({ min: 1, max: 38 })
  .chain((precision) =>
    fc.record({ precision: fc.constant(precision), scale: fc.integer({ min: 0, max: precision }) }),
  );

test('every decimal is read and written exactly', () => {
  const cases = sizes.chain((size) => {
    const max = 10n ** BigInt(size.precision) - 1n;
    const values = fc.oneof(fc.bigInt(-max, max), fc.constantFrom(max, -max, 0n));
    return fc.record({ size: fc.constant(size), unscaled: values });
  });
  fc.assert(
    fc.property(cases, ({ size, unscaled }) => {
      const words = new Uint32Array(6).fill(7);
      const text = textOf(unscaled, size.scale);
      expect(writeDecimalText(text, size, words, 1)).toBe('ok');
      expect(unscaledOf(words.subarray(1, 5))).toBe(unscaled);
      expect([words[0], words[5]]).toEqual([7, 7]);
      expect(decimalTextOf(words, 1, size.scale)).toBe(text);
      expect(isWithinPrecision(words, 1, size.precision)).toBe(true);
    }),
  );
});

test('a value is within a precision while it has no more digits', () => {
  const int128 = fc.bigInt(-(2n ** 127n), 2n ** 127n - 1n);
  const powers = fc.integer({ min: 0, max: 38 }).map((digits) => 10n ** BigInt(digits));
  const near = fc.tuple(powers, fc.bigInt(-1n, 1n)).map(([power, step]) => power + step);
  const values = fc.oneof(
    int128,
    near,
    near.map((value) => -value),
  );
  fc.assert(
    fc.property(values, fc.integer({ min: 1, max: 38 }), (value, precision) => {
      const words = new Uint32Array(4);
      for (let word = 0; word < 4; word++) {
        words[word] = Number(BigInt.asUintN(32, value >> BigInt(word * 32)));
      }
      const magnitude = value < 0n ? -value : value;
      expect(isWithinPrecision(words, 0, precision)).toBe(magnitude < 10n ** BigInt(precision));
    }),
  );
});

test.each`
  text           | precision | scale | outcome     | read
  ${'12.5'}      | ${12}     | ${2}  | ${'ok'}     | ${'12.50'}
  ${'+12.50000'} | ${4}      | ${2}  | ${'ok'}     | ${'12.50'}
  ${'-.07'}      | ${2}      | ${2}  | ${'ok'}     | ${'-0.07'}
  ${'5.'}        | ${3}      | ${1}  | ${'ok'}     | ${'5.0'}
  ${'-0'}        | ${1}      | ${0}  | ${'ok'}     | ${'0'}
  ${'000012'}    | ${2}      | ${0}  | ${'ok'}     | ${'12'}
  ${'1e3'}       | ${4}      | ${0}  | ${'ok'}     | ${'1000'}
  ${'0.05e3'}    | ${4}      | ${2}  | ${'ok'}     | ${'50.00'}
  ${'1.5E-2'}    | ${5}      | ${3}  | ${'ok'}     | ${'0.015'}
  ${'0e9999'}    | ${1}      | ${0}  | ${'ok'}     | ${'0'}
  ${'1.005'}     | ${12}     | ${2}  | ${'digits'} | ${null}
  ${'1e-9999'}   | ${12}     | ${2}  | ${'digits'} | ${null}
  ${'100'}       | ${2}      | ${0}  | ${'range'}  | ${null}
  ${'100'}       | ${4}      | ${2}  | ${'range'}  | ${null}
  ${'1e9999'}    | ${38}     | ${0}  | ${'range'}  | ${null}
  ${''}          | ${38}     | ${0}  | ${'syntax'} | ${null}
  ${'.'}         | ${38}     | ${0}  | ${'syntax'} | ${null}
  ${'1,5'}       | ${38}     | ${0}  | ${'syntax'} | ${null}
  ${'NaN'}       | ${38}     | ${0}  | ${'syntax'} | ${null}
  ${' 1'}        | ${38}     | ${0}  | ${'syntax'} | ${null}
  ${'0x10'}      | ${38}     | ${0}  | ${'syntax'} | ${null}
`(
  '"$text" as decimal($precision,$scale): $outcome',
  ({ text, precision, scale, outcome, read }) => {
    const words = new Uint32Array(4).fill(9);
    expect(writeDecimalText(text, { precision, scale }, words, 0)).toBe(outcome);
    if (read === null) expect([...words]).toEqual([9, 9, 9, 9]);
    else expect(decimalTextOf(words, 0, scale)).toBe(read);
  },
);
