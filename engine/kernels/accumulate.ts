/** References of the accumulator kernels: each function over the values of one group, in order. */

export type AccumulatorFunction = 'count' | 'countValid' | 'sum' | 'min' | 'max' | 'first' | 'last';

/** The result over int64 values; null when there is none; 'overflow' for a sum out of range. */
export function foldInt64(
  fold: AccumulatorFunction,
  values: readonly (bigint | null)[],
): bigint | null | 'overflow' {
  return foldWhole(fold, values, (sum) => BigInt.asIntN(64, sum) === sum);
}

/** The same over int128 values, whose sums have up to 38 digits. */
export function foldInt128(
  fold: AccumulatorFunction,
  values: readonly (bigint | null)[],
): bigint | null | 'overflow' {
  const limit = 10n ** 38n;
  return foldWhole(fold, values, (sum) => -limit < sum && sum < limit);
}

function foldWhole(
  fold: AccumulatorFunction,
  values: readonly (bigint | null)[],
  fits: (sum: bigint) => boolean,
): bigint | null | 'overflow' {
  if (fold === 'count') return BigInt(values.length);
  const present = values.filter((value) => value !== null);
  if (fold === 'countValid') return BigInt(present.length);
  if (fold !== 'sum') return pick(fold, present, (a, b) => a < b);
  let sum = 0n;
  for (const value of present) {
    sum += value;
    if (!fits(sum)) return 'overflow';
  }
  return present.length === 0 ? null : sum;
}

/** The result over float64 values; NaN is greater than every number. */
export function foldFloat64(
  fold: AccumulatorFunction,
  values: readonly (number | null)[],
): number | null {
  if (fold === 'count') return values.length;
  const present = values.filter((value) => value !== null);
  if (fold === 'countValid') return present.length;
  if (fold !== 'sum') {
    return pick(fold, present, (a, b) => a < b || (Number.isNaN(b) && !Number.isNaN(a)));
  }
  return present.length === 0 ? null : present.reduce((sum, value) => sum + value, 0);
}

/** The result over texts as bytes, of which one comes before what continues it. */
export function foldTexts(
  fold: 'min' | 'max' | 'first' | 'last',
  values: readonly (Uint8Array | null)[],
): Uint8Array | null {
  const present = values.filter((value) => value !== null);
  return pick(fold, present, isBefore);
}

function pick<T>(
  fold: AccumulatorFunction,
  values: readonly T[],
  isLess: (a: T, b: T) => boolean,
): T | null {
  const [first] = values;
  if (first === undefined || fold === 'first') return first ?? null;
  if (fold === 'last') return values.at(-1) ?? null;
  const isBetter = (value: T, best: T) =>
    fold === 'min' ? isLess(value, best) : isLess(best, value);
  return values.reduce((best, value) => (isBetter(value, best) ? value : best));
}

function isBefore(a: Uint8Array, b: Uint8Array): boolean {
  const at = a.findIndex((byte, index) => byte !== b[index]);
  if (at < 0) return a.length < b.length;
  return at < b.length && (a[at] ?? 0) < (b[at] ?? 0);
}

/** Count, mean and sum of squared distances from it, by definition; null for no values. */
export function momentsOf(
  values: readonly (number | null)[],
): { count: number; mean: number; m2: number } | null {
  const present = values.filter((value) => value !== null);
  if (present.length === 0) return null;
  const count = present.length;
  const mean = present.reduce((sum, value) => sum + value, 0) / count;
  return { count, mean, m2: present.reduce((sum, value) => sum + (value - mean) ** 2, 0) };
}
