/** Goal: 64-bit integers are written with all their digits, as BigInt would. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { int64TextMax, writeInt64Digits } from '../../../connectors/formats/int64-text.ts';

function textOf(value: bigint): string {
  const into = new Uint8Array(int64TextMax);
  const high = Number(BigInt.asIntN(32, value >> 32n));
  const low = Number(BigInt.asUintN(32, value));
  return new TextDecoder().decode(into.subarray(writeInt64Digits(high, low, into)));
}

const edges = [
  0n,
  1n,
  2n ** 31n,
  2n ** 32n,
  2n ** 53n,
  10n ** 6n,
  10n ** 12n,
  10n ** 18n,
  2n ** 63n,
];

test.each(edges)('around %s and its negative', (edge) => {
  for (const value of [edge - 1n, edge, edge + 1n, -edge - 1n, -edge, -edge + 1n]) {
    if (value === BigInt.asIntN(64, value)) expect(textOf(value)).toBe(String(value));
  }
});

test('any value', () => {
  const any = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
  fc.assert(
    fc.property(any, fc.nat(63), (value, shift) => {
      const smaller = value >> BigInt(shift);
      expect(textOf(smaller)).toBe(String(smaller));
    }),
    { numRuns: 2000 },
  );
});
