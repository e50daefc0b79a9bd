/**
 * Answers of several queries, a CSV file each in one folder: compared value by value, in their order.
 * Engines differ in how they show a number and in the digits that an average keeps, so numbers are equal
 * that differ by no more than a millionth of them, or in what six decimals can't show.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { csvRows } from './csv-rows.ts';

/** By query: its rows, the header first. */
export type QueryAnswers = ReadonlyMap<string, readonly (readonly string[])[]>;

export function readQueryAnswers(folder: string): QueryAnswers {
  const files = readdirSync(folder).filter((file) => file.endsWith('.csv'));
  return new Map(
    files.map((file) => [
      basename(file, '.csv'),
      csvRows(readFileSync(join(folder, file), 'utf8')),
    ]),
  );
}

/** What differs, or null. */
export function queryDifferenceOf(expected: QueryAnswers, actual: QueryAnswers): string | null {
  for (const [query, rows] of expected) {
    const found = actual.get(query);
    if (found === undefined) return `${query} is missing`;
    if (found.length !== rows.length) {
      return `${query} has ${found.length - 1} rows, not ${rows.length - 1}`;
    }
    const row = rows.findIndex((one, at) => !areEqualRows(one, found[at] ?? []));
    if (row >= 0) return `row ${row} of ${query} is ${found[row]}, not ${rows[row]}`;
  }
  return actual.size === expected.size ? null : `${actual.size} queries, not ${expected.size}`;
}

function areEqualRows(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((value, at) => areEqual(value, other[at] ?? ''));
}

function areEqual(one: string, other: string): boolean {
  if (one === other) return true;
  if (one === '' || other === '') return false;
  const [a, b] = [Number(one), Number(other)];
  return Math.abs(a - b) <= 1e-6 * Math.max(0.5, Math.abs(a), Math.abs(b));
}
