/** References of accumulate.as.ts: each function over the values of one group, in order. */

export type AccumulatorFunction = 'count' | 'countValid' | 'sum' | 'min' | 'max';

/** The result over int64 values; null when there is none; 'overflow' for a sum out of range. */
export function foldInt64(
  fold: AccumulatorFunction,
  values: readonly (bigint | null)[],
): bigint | null | 'overflow' {
  if (fold === 'count') return BigInt(values.length);
  const present = values.filter((value) => value !== null);
  if (fold === 'countValid') return BigInt(present.length);
  if (present.length === 0) return null;
  const sorted = present.toSorted((a, b) => (a < b ? -1 : Number(a > b)));
  if (fold === 'min') return sorted[0]!;
  if (fold === 'max') return sorted.at(-1)!;
  let sum = 0n;
  for (const value of present) {
    sum += value;
    if (BigInt.asIntN(64, sum) !== sum) return 'overflow';
  }
  return sum;
}

/** The result over float64 values; NaN is greater than every number. */
export function foldFloat64(
  fold: AccumulatorFunction,
  values: readonly (number | null)[],
): number | null {
  if (fold === 'count') return values.length;
  const present = values.filter((value) => value !== null);
  if (fold === 'countValid') return present.length;
  if (present.length === 0) return null;
  if (fold === 'sum') return present.reduce((sum, value) => sum + value, 0);
  const numbers = present.filter((value) => !Number.isNaN(value));
  if (fold === 'max' && numbers.length < present.length) return Number.NaN;
  if (numbers.length === 0) return Number.NaN;
  const isBetter = (value: number, best: number) => (fold === 'min' ? value < best : value > best);
  return numbers.reduce((best, value) => (isBetter(value, best) ? value : best));
}
