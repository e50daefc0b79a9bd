/**
 * The expressions bench: a product of three columns for every row, and a condition over it that keeps
 * one row in two hundred, as CSV. Few rows are written, so that reading, computing and filtering are
 * what is measured. Millrace, Polars and Node read Arrow; DuckDB reads its own table.
 *
 * Expectation before the first figure, for 50 million rows on two threads: 1.4 GB are read from the
 * page cache at 3 GB/s a thread (0.25 s), the expressions cost 3 ns a row (0.08 s), the start 0.25 s.
 * DuckDB decompresses 28 bytes a row and computes in passes over vectors: some 10 ns a row, 0.3 s, and
 * 0.1 s for its start.
 */
import { existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { formatCount } from '../base/units.ts';
import { cacheFolder, outputPath, peersFolder, pythonPath } from './bench-cache.ts';
import type { BenchCase, Contestant } from './bench-case.ts';
import { contestantsOf, yardstickId } from './contestants.ts';
import { runTool, type Say } from './prepare.ts';
import { type RevenueAnswer, readRevenueAnswer, revenueDifferenceOf } from './revenue-answer.ts';

const rowCounts = { '50M': 50_000_000, '5M': 5_000_000, '100k': 100_000 } as const;

const contestants = contestantsOf({
  bench: 'expressions',
  extension: 'csv',
  job: 'bench/jobs/expressions.ts',
  jobFlags: (data, out) => ['--input', data, '--output', out],
});

export const expressionsBench: BenchCase<RevenueAnswer> = {
  name: 'expressions',
  sizes: Object.keys(rowCounts),
  contestants: contestants.flatMap((contestant) =>
    contestant.id === yardstickId ? [contestant, withFunctions(contestant)] : [contestant],
  ),
  prepare(size, say) {
    const rowCount = rowCounts[size as keyof typeof rowCounts];
    const path = join(cacheFolder, `trades-${size.toLowerCase()}.arrow`);
    if (!existsSync(path)) makeTrades(path, rowCount, say);
    const description = `of Arrow, ${formatCount(rowCount)} rows`;
    return { path, sizeBytes: statSync(path).size, description };
  },
  expectedAnswer: () => undefined,
  readAnswer: readRevenueAnswer,
  differenceOf: revenueDifferenceOf,
  answerText: ({ rows, cents }) => `${formatCount(rows)} rows, ${formatCount(cents)} cents`,
};

/** The same job with a function of JavaScript, called for every row. */
function withFunctions(contestant: Contestant): Contestant {
  const outPath = outputPath('expressions-millrace-functions.csv');
  return {
    ...contestant,
    id: 'millrace-functions',
    name: 'Millrace, function',
    outPath,
    command: (dataPath) => {
      const parts = contestant.command(dataPath);
      const own = parts.map((part) => (part === contestant.outPath ? outPath : part));
      return [...own, '--functions'];
    },
  };
}

/** The Arrow file and, beside it, DuckDB's table. */
function makeTrades(path: string, rowCount: number, say: Say): void {
  say(`Making ${formatCount(rowCount)} trades as Arrow and as a DuckDB table (once) …`);
  mkdirSync(cacheFolder, { recursive: true });
  const unfinished = `${path}.making`;
  const script = join(peersFolder, 'make_trades.py');
  runTool(pythonPath, [script, unfinished, String(rowCount)], 'The peers are installed by pip.');
  renameSync(`${unfinished}.duckdb`, `${path}.duckdb`);
  renameSync(unfinished, path);
}
