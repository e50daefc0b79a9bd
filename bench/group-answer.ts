/**
 * The answer of the groupby benches: sums over all groups, which differ when one group does. They are
 * whole numbers below 2^53, so engines write them alike.
 */
import { readFileSync } from 'node:fs';

const names = ['groups', 'rows', 'squares', 'products', 'most'] as const;

/**
 * Groups; Σ n, the rows; Σ n²; Σ n × total; and the largest total. Of a group, n is its rows and total
 * their sum.
 */
export type GroupAnswer = Readonly<Record<(typeof names)[number], number>>;

export function readGroupAnswer(path: string): GroupAnswer {
  return groupAnswerOf(readFileSync(path, 'latin1'));
}

/** Reads the answer out of a CSV of one row. */
export function groupAnswerOf(csv: string): GroupAnswer {
  const [header = '', values = '', ...others] = csv.trimEnd().split(/\r?\n/);
  if (header !== names.join()) throw new Error(`the first line is "${header}", not "${names}"`);
  if (others.length > 0) throw new Error(`there are ${others.length + 1} rows, not 1`);
  const numbers = values.split(',').map(Number);
  return Object.fromEntries(names.map((name, at) => [name, numbers[at]])) as GroupAnswer;
}

/** What differs between two answers, or null. */
export function groupDifferenceOf(expected: GroupAnswer, actual: GroupAnswer): string | null {
  const name = names.find((one) => expected[one] !== actual[one]);
  return name === undefined ? null : `${name} is ${actual[name]}, not ${expected[name]}`;
}
