/** Changelogs in tests: what they come to when each row does what its kind says, and how rows are weighed. */
import { expect } from 'vitest';
import { rowKinds } from '../../engine/plan/row-kind.ts';
import type { Row } from './operator-harness.ts';

/** What texts of kinds, and numbers, do. */
const takesAway = new Set<unknown>([rowKinds.updateBefore, rowKinds.delete, '-U', '-D']);

/**
 * The rows that are there in the end, in the order of their texts. A row that goes must have come before: its values
 * are those it came with.
 */
export function applied(changes: readonly Row[], kindColumn: string): Row[] {
  const counts = new Map<string, { readonly row: Row; count: number }>();
  for (const { [kindColumn]: kind, ...row } of changes) {
    const text = rowText(row);
    const known = counts.get(text) ?? { row, count: 0 };
    known.count += takesAway.has(kind) ? -1 : 1;
    expect(known.count, `rows that go have come: ${text}`).toBeGreaterThanOrEqual(0);
    counts.set(text, known);
  }
  return sorted([...counts.values()].flatMap(({ row, count }) => new Array<Row>(count).fill(row)));
}

/** The same of changes by key: what comes replaces what is there, what goes is the row of its key. */
export function appliedByKey(
  changes: readonly Row[],
  kindColumn: string,
  keys: readonly string[],
): Row[] {
  const rows = new Map<string, Row>();
  for (const { [kindColumn]: kind, ...row } of changes) {
    const key = rowText(Object.fromEntries(keys.map((name) => [name, row[name]])));
    if (takesAway.has(kind)) {
      expect(rows.has(key), `a key that goes was there: ${key}`).toBe(true);
      rows.delete(key);
    } else rows.set(key, row);
  }
  return sorted([...rows.values()]);
}

/** Rows in an order of their own. */
export function sorted(rows: readonly Row[]): Row[] {
  return rows.toSorted((a, b) => (rowText(a) < rowText(b) ? -1 : 1));
}

export function rowText(row: Row): string {
  return JSON.stringify(row, (_, value) => {
    if (typeof value === 'bigint') return `${value}n`;
    if (Object.is(value, -0)) return '-0';
    return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
  });
}
