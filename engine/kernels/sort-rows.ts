/**
 * Reference of sort-encode.as.ts and sort-rows.as.ts: a comparison of rows value by value, for
 * `Array.prototype.sort`, which is stable too.
 */
import type { SortKey } from './sort-keys.ts';

export type SortValue = boolean | number | bigint | Uint8Array | null;

/** Negative when row `a` belongs first, positive when `b` does, 0 when they tie. */
export function compareRows(
  a: readonly SortValue[],
  b: readonly SortValue[],
  keys: readonly SortKey[],
): number {
  for (const [index, key] of keys.entries()) {
    const left = a[index] ?? null;
    const right = b[index] ?? null;
    if (left === null || right === null) {
      if (left === right) continue;
      return (left === null) === key.areNullsLast ? 1 : -1;
    }
    const order = compareValues(left, right);
    if (order !== 0) return key.isDescending ? -order : order;
  }
  return 0;
}

function compareValues(a: SortValue, b: SortValue): number {
  if (a instanceof Uint8Array && b instanceof Uint8Array) return compareBytes(a, b);
  if (typeof a === 'number' && typeof b === 'number' && (Number.isNaN(a) || Number.isNaN(b))) {
    return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  }
  return a! < b! ? -1 : a! > b! ? 1 : 0;
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let index = 0; index < shared; index++) {
    if (a[index] !== b[index]) return a[index]! - b[index]!;
  }
  return a.length - b.length;
}
