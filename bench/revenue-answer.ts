/**
 * The answer of the expressions bench, reduced to what fits in a line. Rows come in any order, and
 * engines write the same number with more or fewer digits: revenues are summed in cents, which is
 * exact.
 */
import { readFileSync } from 'node:fs';

export interface RevenueAnswer {
  readonly rows: number;
  readonly idSum: number;
  readonly cents: number;
}

/** Reads the answer out of a CSV with the header `id,revenue`. */
export function readRevenueAnswer(path: string): RevenueAnswer {
  return revenueAnswerOf(readFileSync(path, 'latin1'));
}

export function revenueAnswerOf(csv: string): RevenueAnswer {
  const [header = '', ...lines] = csv.trimEnd().split('\n');
  if (header.trimEnd() !== 'id,revenue') {
    throw new Error(`the first line is "${header}", not "id,revenue"`);
  }
  let idSum = 0;
  let cents = 0;
  for (const line of lines) {
    const comma = line.indexOf(',');
    idSum += Number(line.slice(0, comma));
    cents += Math.round(Number(line.slice(comma + 1)) * 100);
  }
  return { rows: lines.length, idSum, cents };
}

/** What differs between two answers, or null. */
export function revenueDifferenceOf(expected: RevenueAnswer, actual: RevenueAnswer): string | null {
  for (const field of ['rows', 'idSum', 'cents'] as const) {
    if (expected[field] !== actual[field]) {
      return `${field} is ${actual[field]}, not ${expected[field]}`;
    }
  }
  return null;
}
