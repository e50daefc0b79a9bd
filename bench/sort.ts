/**
 * The sort benches: ten million rows by an int32 and by a float64, from Arrow to Arrow. DuckDB reads its
 * own table, and all write the sorted rows as Arrow.
 *
 * Expectation before the first figure: two threads sort five million rows each by digits, 10 to 30 ns a
 * row, then one merges, gathers and writes 160 MB: 0.4 s and the start, 0.6 to 0.8 s together. DuckDB
 * took 0.7 s of CPU for the int32 alone, without reading and writing.
 */
import { existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { formatCount } from '../base/units.ts';
import { cacheFolder, peersFolder, pythonPath } from './bench-cache.ts';
import type { BenchCase } from './bench-case.ts';
import { contestantsOf } from './contestants.ts';
import { runTool, type Say } from './prepare.ts';
import { readSortAnswer, type SortAnswer, sortDifferenceOf } from './sort-answer.ts';

const rowCounts = { '10M': 10_000_000, '1M': 1_000_000, '100k': 100_000 } as const;

export const sortBenches: readonly BenchCase<SortAnswer>[] = [
  sortBench('sort-int32', 'small'),
  sortBench('sort-float64', 'real'),
];

function sortBench(name: string, key: string): BenchCase<SortAnswer> {
  const contestants = contestantsOf({
    bench: 'sort',
    extension: 'arrow',
    job: 'bench/jobs/sort.ts',
    jobFlags: (data, out) => ['--input', data, '--output', out, '--key', key],
  });
  return {
    name,
    sizes: Object.keys(rowCounts),
    contestants: contestants.map((contestant) => ({
      ...contestant,
      command: (dataPath) => {
        const isPeer = !contestant.id.startsWith('millrace');
        return [...contestant.command(dataPath), ...(isPeer ? [key] : [])];
      },
    })),
    prepare(size, say) {
      const rowCount = rowCounts[size as keyof typeof rowCounts];
      const path = join(cacheFolder, `sort-${size.toLowerCase()}.arrow`);
      if (!existsSync(path)) makeRows(path, rowCount, say);
      const description = `of Arrow, ${formatCount(rowCount)} rows`;
      return { path, sizeBytes: statSync(path).size, description };
    },
    expectedAnswer: () => undefined,
    readAnswer: readSortAnswer,
    differenceOf: sortDifferenceOf,
    answerText: ({ rows }) => `${formatCount(rows)} rows in order`,
  };
}

/** The Arrow file and, beside it, DuckDB's table. */
function makeRows(path: string, rowCount: number, say: Say): void {
  say(`Making ${formatCount(rowCount)} rows as Arrow and as a DuckDB table (once) …`);
  mkdirSync(cacheFolder, { recursive: true });
  const unfinished = `${path}.making`;
  const script = join(peersFolder, 'make_sort.py');
  runTool(pythonPath, [script, unfinished, String(rowCount)], 'The peers are installed by pip.');
  renameSync(`${unfinished}.duckdb`, `${path}.duckdb`);
  renameSync(unfinished, path);
}
