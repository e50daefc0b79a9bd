/** As-of joins as operator cases: rows, times, keys and watermarks at random, and what may come out of them. */
import fc from 'fast-check';
import { expect } from 'vitest';
import type { AsOfJoinOptions } from '../../../../engine/operators/stream-join/as-of-options.ts';
import { becomesNull } from '../../../../engine/plan/join-type.ts';
import type { Row } from '../../../support/operator-harness.ts';
import {
  type IntervalCase,
  intervalCases,
  keptRows,
  microsOf,
  optionsOf,
} from './interval-join-cases.ts';

export interface AsOfCase extends IntervalCase {
  readonly type: 'inner' | 'left';
  readonly toleranceMs: number | null;
}

/** The rows and marks of joins within an interval. */
export const asOfCases: fc.Arbitrary<AsOfCase> = fc
  .record({
    one: intervalCases,
    type: fc.constantFrom('inner' as const, 'left' as const),
    toleranceMs: fc.option(fc.nat(12)),
  })
  .map(({ one, type, toleranceMs }) => ({
    ...{ ...one, type, toleranceMs, lagMs: 0, condition: 'none' },
  }));

export function asOfOptionsOf(one: AsOfCase): AsOfJoinOptions {
  const { left, right, output } = optionsOf(one);
  const { type, toleranceMs } = one;
  return { type, left, right, toleranceMs, output };
}

/** The versions of a left row that are equally good: the last of its key, maybe several of one time. */
function versionsOf(one: AsOfCase, row: Row, versions: readonly Row[]): Row[] {
  const time = microsOf(one, row, 'left');
  const isKeyed = one.keys.every((_, at) => row[`l${at}`] !== null);
  if (time === null || !isKeyed) return [];
  const timeOf = (version: Row) => microsOf(one, version, 'right');
  const before = versions.filter((version) => {
    const at = timeOf(version);
    const isEqual = one.keys.every((_, place) => {
      const [a, b] = [row[`l${place}`], version[`r${place}`]];
      return a === b && !Number.isNaN(a);
    });
    return at !== null && at <= time && isEqual;
  });
  const last = before.reduce((most, version) => Math.max(most, timeOf(version) ?? most), -Infinity);
  const { toleranceMs } = one;
  if (toleranceMs !== null && time - last > toleranceMs * 1000) return [];
  return before.filter((version) => timeOf(version) === last);
}

const textOf = (row: Row, names: readonly string[]) =>
  names.map((name) => String(row[name] ?? null)).join('|');

/**
 * Whether rows are those of a look at all versions, for each row that is in time.
 *
 * @param kept - All rows of both sides that count.
 */
export function expectVersions(
  one: AsOfCase,
  found: readonly Row[],
  kept: { readonly row: readonly Row[]; readonly right: readonly Row[] } = keptRows(one),
): void {
  const { left, right } = asOfOptionsOf(one);
  const [leftNames, rightNames] = [left, right].map(({ schema }) =>
    schema.fields.map(({ name }) => name),
  ) as [string[], string[]];
  const wanted = kept.row
    .map((row) => ({ row, versions: versionsOf(one, row, kept.right) }))
    .filter(({ versions }) => versions.length > 0 || becomesNull(one.type, 'right'));
  const texts = (rows: readonly Row[]) => rows.map((row) => textOf(row, leftNames)).sort();
  expect(texts(found)).toEqual(texts(wanted.map(({ row }) => row)));
  const allowed = new Map<string, Set<string>>();
  for (const { row, versions } of wanted) {
    const beside = versions.length === 0 ? [{}] : versions;
    const shown = new Set(beside.map((version) => textOf(version, rightNames)));
    allowed.set(textOf(row, leftNames), shown);
  }
  for (const row of found) {
    expect([...(allowed.get(textOf(row, leftNames)) ?? [])]).toContain(textOf(row, rightNames));
  }
}
