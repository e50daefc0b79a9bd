/**
 * 64-bit integers as decimal digits, from their two 32-bit halves. JavaScript's numbers end at 2^53 and
 * a bigint per value is 8 times slower, so the value is divided by 10^6 half by half: every
 * intermediate value is below 10^6 × 2^32 < 2^53, hence exact.
 */

const million = 1e6;
const twoTo32 = 2 ** 32;
const zero = 48;

/** The longest text: a sign and 19 digits. */
export const int64TextMax = 20;

/**
 * Writes the digits of a signed 64-bit integer so that they end at the end of `into`.
 *
 * @param high - The upper half, signed.
 * @param low - The lower half, unsigned.
 * @param into - At least `int64TextMax` bytes.
 * @returns The index in `into` of the first byte written.
 */
export function writeInt64Digits(high: number, low: number, into: Uint8Array): number {
  if (high === 0 || (high === -1 && low !== 0)) {
    // One half is enough: the magnitude is below 2^32.
    return writeDigits(high === 0 ? low : twoTo32 - low, high < 0, into);
  }
  const isNegative = high < 0;
  const magnitudeLow = isNegative ? -low >>> 0 : low;
  const magnitudeHigh = isNegative ? (~high + (low === 0 ? 1 : 0)) >>> 0 : high;
  let index = into.length;
  let upper = magnitudeHigh;
  let lower = magnitudeLow;
  while (upper !== 0) {
    const rest = (upper % million) * twoTo32 + lower;
    upper = Math.floor(upper / million);
    lower = Math.floor(rest / million);
    let six = rest % million;
    for (let digit = 0; digit < 6; digit++) {
      into[--index] = zero + (six % 10);
      six = Math.floor(six / 10);
    }
  }
  // What is left is not zero: the magnitude was at least 2^32, above 10^6.
  return writeDigits(lower, isNegative, into, index);
}

/** Writes a whole number from 0 to 2^53 so that its digits end at `end`. */
function writeDigits(
  magnitude: number,
  isNegative: boolean,
  into: Uint8Array,
  end = into.length,
): number {
  let index = end;
  let left = magnitude;
  do {
    const next = Math.floor(left / 10);
    into[--index] = zero + (left - next * 10);
    left = next;
  } while (left !== 0);
  if (isNegative) into[--index] = 45;
  return index;
}
