/**
 * The answer of a wordcount, reduced to what fits in a line: two engines that differ in one word or
 * one count differ here. `hash` is the sum over all words of (count² mod 1,000,003) × length, so it
 * does not depend on the order of rows; `top` does, and ties are broken by the word.
 */
import { readFileSync } from 'node:fs';
import type { TextSize } from './bench-cache.ts';

export interface WordAnswer {
  readonly total: number;
  readonly distinct: number;
  readonly hash: number;
  /** The twenty most frequent words: `the:5831751 a:5715761 …`. */
  readonly top: string;
}

const topRows = 20;
const hashPrime = 1_000_003n;

/** Answers that an independent count gave (see bench/README.md); `top` by its beginning. */
export const expectedAnswers: Partial<Record<TextSize, WordAnswer>> = {
  '1GB': {
    total: 142_699_465,
    distinct: 258_950,
    hash: 88_470_492_014,
    top: 'the:5831751 a:5715761 of:5031812 to:3384016',
  },
  '256MB': {
    total: 35_675_309,
    distinct: 258_950,
    hash: 27_739_208_011,
    top: '',
  },
};

/** Reads the answer out of a CSV with the header `word,count`. */
export function readAnswer(path: string): WordAnswer {
  return answerOf(readFileSync(path, 'latin1'));
}

export function answerOf(csv: string): WordAnswer {
  const lines = csv.trimEnd().split('\n');
  if (lines[0]?.trimEnd() !== 'word,count') {
    throw new Error(`the first line is "${lines[0]}", not "word,count"`);
  }
  let total = 0;
  let hash = 0;
  const rows: { word: string; count: number }[] = [];
  for (const line of lines.slice(1)) {
    const comma = line.indexOf(',');
    const word = line.slice(0, comma);
    const count = Number(line.slice(comma + 1));
    total += count;
    hash += Number(BigInt(count) ** 2n % hashPrime) * word.length;
    rows.push({ word, count });
  }
  rows.sort((a, b) => b.count - a.count || (a.word < b.word ? -1 : 1));
  const top = rows.slice(0, topRows).map(({ word, count }) => `${word}:${count}`);
  return { total, distinct: rows.length, hash, top: top.join(' ') };
}

/** What differs between two answers, or null; an expected `top` may be a beginning. */
export function differenceOf(expected: WordAnswer, actual: WordAnswer): string | null {
  for (const field of ['total', 'distinct', 'hash'] as const) {
    if (expected[field] !== actual[field]) {
      return `${field} is ${actual[field]}, not ${expected[field]}`;
    }
  }
  if (!actual.top.startsWith(expected.top)) return `top is "${actual.top}", not "${expected.top}"`;
  return null;
}
