/**
 * The answers of the nexmark and windows benches: of each question the rows and sums over them, which do not depend on
 * the order of rows and differ when one row does. Flink sums its answer as it comes; of what others wrote the sums
 * are taken by DuckDB, after the clock has stopped.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { peersFolder, pythonPath } from './bench-cache.ts';
import { runTool } from './prepare.ts';

/** By question: the rows first. */
export type StreamSums = Readonly<Record<string, readonly number[]>>;

/** Answers that two other engines gave, and both gave them alike. */
export const knownSums: Readonly<Record<string, Readonly<Record<string, StreamSums>>>> = {
  nexmark: {
    '10M': {
      q1: [9200000, 4601421190396938, 620987949],
      q2: [75107, 36140416130054],
      q4: [5, 60, 16282720767388, 559261],
      q5: [550, 240191319833],
      q7: [102, 56170437926, 6840],
      q8: [84050, 37720506502456],
      q11: [199914, 99925236040904],
    },
  },
  windows: {
    '50M': { windows: [4999772, 2499868023291976, 99997225718408, 1999520430002, 18000745065675] },
    '10M': { windows: [999954, 499773017215166, 20000729934703, 399710839493, 3600581251417] },
  },
};

/** @param path - The folder that a contestant wrote: a folder of files by question, or `sums.json`. */
export function readStreamSums(path: string, bench: string): StreamSums {
  const file = join(path, 'sums.json');
  if (!existsSync(file)) {
    const script = join(peersFolder, 'stream_sums.py');
    runTool(pythonPath, [script, path, bench], 'The sums are those of stream_queries.py.');
  }
  return JSON.parse(readFileSync(file, 'utf8'));
}

/** What differs, or null. */
export function sumsDifferenceOf(expected: StreamSums, actual: StreamSums): string | null {
  const textOf = (sums: StreamSums, name: string) => `[${sums[name]?.join(', ') ?? ''}]`;
  const different = Object.keys(expected).filter(
    (name) => textOf(expected, name) !== textOf(actual, name),
  );
  const texts = different.map(
    (name) => `${name} is ${textOf(actual, name)}, not ${textOf(expected, name)}`,
  );
  return texts.length === 0 ? null : texts.join('; ');
}
