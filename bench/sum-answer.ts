/** The answer of the ndjson bench: sums by auction, reduced to what fits in a line. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

export interface SumAnswer {
  readonly auctions: number;
  readonly bids: number;
  readonly total: number;
  /** Of all rows, in the order of their auctions. */
  readonly hash: string;
}

/** Reads the answer out of a CSV with the header `auction,bids,total`, sorted by auction. */
export function readSumAnswer(path: string): SumAnswer {
  return sumAnswerOf(readFileSync(path, 'latin1'));
}

export function sumAnswerOf(csv: string): SumAnswer {
  const [header = '', ...lines] = csv.trimEnd().split(/\r?\n/);
  if (header !== 'auction,bids,total') {
    throw new Error(`the first line is "${header}", not "auction,bids,total"`);
  }
  let bids = 0;
  let total = 0;
  for (const line of lines) {
    const [, count = '', sum = ''] = line.split(',');
    bids += Number(count);
    total += Number(sum);
  }
  const hash = createHash('sha256').update(lines.join('\n')).digest('hex').slice(0, 16);
  return { auctions: lines.length, bids, total, hash };
}

/** What differs between two answers, or null. */
export function sumDifferenceOf(expected: SumAnswer, actual: SumAnswer): string | null {
  for (const field of ['auctions', 'bids', 'total', 'hash'] as const) {
    if (expected[field] !== actual[field]) {
      return `${field} is ${actual[field]}, not ${expected[field]}`;
    }
  }
  return null;
}
