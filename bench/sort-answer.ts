/**
 * A sorted Arrow file reduced to a line: rows, whether they ascend, and sums that depend on every key's
 * place and on every value. Rows with equal keys may stand in any order.
 */
import { readFileSync } from 'node:fs';
import { tableFromIPC } from 'apache-arrow';

export interface SortAnswer {
  readonly rows: number;
  readonly isAscending: boolean;
  /** Σ (place mod 1009) × key, rounded to 12 digits. */
  readonly keySum: string;
  /** Σ value. */
  readonly valueSum: string;
}

export function readSortAnswer(path: string): SortAnswer {
  const { batches, numRows } = tableFromIPC(readFileSync(path));
  let place = 0;
  let before = Number.NEGATIVE_INFINITY;
  let isAscending = true;
  let keySum = 0;
  let valueSum = 0n;
  for (const batch of batches) {
    const keys: ArrayLike<number> = batch.getChildAt(0)?.toArray() ?? [];
    const values: BigInt64Array = batch.getChildAt(1)?.toArray() ?? new BigInt64Array();
    for (let row = 0; row < keys.length; row++) {
      const key = keys[row] ?? Number.NaN;
      if (!(before <= key)) isAscending = false;
      before = key;
      keySum += (place++ % 1009) * key;
    }
    for (const value of values) valueSum += value;
  }
  return {
    rows: numRows,
    isAscending,
    keySum: keySum.toPrecision(12),
    valueSum: String(valueSum),
  };
}

/** What differs, or null. */
export function sortDifferenceOf(expected: SortAnswer, actual: SortAnswer): string | null {
  if (!actual.isAscending) return 'its rows do not ascend';
  const names = ['rows', 'keySum', 'valueSum'] as const;
  const different = names.filter((name) => expected[name] !== actual[name]);
  const text = (name: (typeof names)[number]) =>
    `${name} is ${actual[name]}, not ${expected[name]}`;
  return different.length === 0 ? null : different.map(text).join('; ');
}
