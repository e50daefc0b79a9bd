/** Goal: timestamps are written as `Date.toISOString` does, and microseconds lose no digit. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { timestampTextMax, writeTimestamp } from '../../../connectors/formats/timestamp-text.ts';

function textOf(value: bigint, unit: 'ms' | 'us'): string {
  const into = new Uint8Array(timestampTextMax);
  const high = Number(BigInt.asIntN(32, value >> 32n));
  const low = Number(BigInt.asUintN(32, value));
  return new TextDecoder().decode(into.subarray(0, writeTimestamp(high, low, unit, into)));
}

test.each`
  value                          | unit    | text
  ${0n}                          | ${'ms'} | ${'1970-01-01T00:00:00.000Z'}
  ${-1n}                         | ${'ms'} | ${'1969-12-31T23:59:59.999Z'}
  ${-1n}                         | ${'us'} | ${'1969-12-31T23:59:59.999999Z'}
  ${1_709_251_199_123_456n}      | ${'us'} | ${'2024-02-29T23:59:59.123456Z'}
  ${253_402_300_800_000n}        | ${'ms'} | ${'+010000-01-01T00:00:00.000Z'}
  ${8_640_000_000_000_000n}      | ${'ms'} | ${'+275760-09-13T00:00:00.000Z'}
  ${-8_640_000_000_000_000_000n} | ${'us'} | ${'-271821-04-20T00:00:00.000000Z'}
  ${8_640_000_000_000_001n}      | ${'ms'} | ${''}
  ${-8_640_000_000_000_001n}     | ${'ms'} | ${''}
  ${2n ** 63n - 1n}              | ${'ms'} | ${''}
  ${-(2n ** 63n)}                | ${'us'} | ${''}
`('$value $unit is "$text"', ({ value, unit, text }) => {
  expect(textOf(value, unit)).toBe(text);
});

test('any millisecond that a Date has', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -864n * 10n ** 13n, max: 864n * 10n ** 13n }), (ms) => {
      expect(textOf(ms, 'ms')).toBe(new Date(Number(ms)).toISOString());
    }),
    { numRuns: 2000 },
  );
});

test('any microsecond that a Date has', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -864n * 10n ** 16n, max: 864n * 10n ** 16n }), (us) => {
      const fraction = BigInt.asUintN(64, ((us % 1000n) + 1000n) % 1000n);
      const ms = new Date(Number((us - fraction) / 1000n)).toISOString().slice(0, -1);
      expect(textOf(us, 'us')).toBe(`${ms}${String(fraction).padStart(3, '0')}Z`);
    }),
    { numRuns: 2000 },
  );
});
