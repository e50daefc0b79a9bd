/**
 * Decimals as unscaled bigints: 12.50 with scale 2 is 1250n. Rounding is half away from zero, as
 * in SQL. Exact everywhere; what has more digits than its type is the caller's overflow.
 */

/** The most digits of a decimal: what an int128 holds. */
export const decimalPrecisionMax = 38;

export function powerOfTen(exponent: number): bigint {
  return 10n ** BigInt(exponent);
}

/** Whether a value has at most `precision` digits. */
export function fitsPrecision(unscaled: bigint, precision: number): boolean {
  const limit = powerOfTen(precision);
  return unscaled < limit && unscaled > -limit;
}

/** The quotient, rounded half away from zero. */
export function divideRounded(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  const rest = dividend % divisor;
  const isHalf = magnitudeOf(rest) * 2n >= magnitudeOf(divisor);
  if (!isHalf) return quotient;
  return dividend < 0n === divisor < 0n ? quotient + 1n : quotient - 1n;
}

/** The same value with another scale, rounded where that has fewer digits. */
export function rescaled(unscaled: bigint, from: number, to: number): bigint {
  if (to >= from) return unscaled * powerOfTen(to - from);
  return divideRounded(unscaled, powerOfTen(from - to));
}

/** `-12.50`: all digits of the scale. */
export function decimalText(unscaled: bigint, scale: number): string {
  const digits = magnitudeOf(unscaled)
    .toString()
    .padStart(scale + 1, '0');
  const sign = unscaled < 0n ? '-' : '';
  if (scale === 0) return sign + digits;
  return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

const decimalForm = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?$/;

/** A text's exact value, with the scale that it takes; null when it is no number. */
export function parseDecimal(text: string): { unscaled: bigint; scale: number } | null {
  const [, sign, whole = '', fraction = '', exponent = '0'] = decimalForm.exec(text) ?? [];
  const digits = whole + fraction;
  if (sign === undefined || digits === '') return null;
  const magnitude = BigInt(digits);
  const scale = fraction.length - Number(exponent);
  const unscaled = scale < 0 ? magnitude * powerOfTen(-scale) : magnitude;
  return { unscaled: sign === '-' ? -unscaled : unscaled, scale: Math.max(scale, 0) };
}

/** The nearest decimal of this scale; null for NaN and infinities. */
export function decimalOfNumber(value: number, scale: number): bigint | null {
  if (!Number.isFinite(value)) return null;
  // A float64 is a whole number divided by a power of two: multiplying by two is exact.
  let halvings = 0;
  let whole = value;
  while (!Number.isInteger(whole)) {
    whole *= 2;
    halvings++;
  }
  return divideRounded(BigInt(whole) * powerOfTen(scale), 1n << BigInt(halvings));
}

/** The nearest float64. */
export function numberOfDecimal(unscaled: bigint, scale: number): number {
  return Number(decimalText(unscaled, scale));
}

function magnitudeOf(value: bigint): bigint {
  return value < 0n ? -value : value;
}
