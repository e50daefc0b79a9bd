/**
 * The groupby benches: rows per key with their sum, by 100,000 or ten million int64 keys and by a million texts,
 * from Arrow. DuckDB reads its own table. One line that depends on every group is written.
 *
 * Expectation before the first figure: finding the group of an int64 and adding to it is 20 ns a row on
 * one thread where 100,000 groups are in the shared cache, so two threads need 0.5 s for 50 million rows,
 * 0.1 s for reading 800 MB, and 0.35 s for the start. A text of a million misses that cache three times,
 * some 100 ns: 1 s for 20 million rows and two threads, and another 0.1 s for a million groups of each
 * thread that are merged. DuckDB needs 27 and 190 ns of CPU a row.
 */
import { existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { formatCount } from '../base/units.ts';
import { cacheFolder, peersFolder, pythonPath } from './bench-cache.ts';
import type { BenchCase, BenchInput } from './bench-case.ts';
import { contestantsOf } from './contestants.ts';
import { type GroupAnswer, groupDifferenceOf, readGroupAnswer } from './group-answer.ts';
import { runTool, type Say } from './prepare.ts';

type KeyType = 'int64' | 'utf8';

export const groupbyBenches: readonly BenchCase<GroupAnswer>[] = [
  groupbyBench({
    name: 'groupby',
    ...{ keyType: 'int64', keyCount: 100_000 },
    rowCounts: { '50M': 50_000_000, '5M': 5_000_000, '100k': 100_000 },
  }),
  groupbyBench({
    name: 'groupby-many',
    ...{ keyType: 'int64', keyCount: 10_000_000 },
    rowCounts: { '100M': 100_000_000, '10M': 10_000_000, '100k': 100_000 },
  }),
  groupbyBench({
    name: 'groupby-utf8',
    ...{ keyType: 'utf8', keyCount: 1_000_000 },
    rowCounts: { '20M': 20_000_000, '2M': 2_000_000, '100k': 100_000 },
  }),
];

interface GroupbyOptions {
  readonly name: string;
  readonly keyType: KeyType;
  readonly keyCount: number;
  readonly rowCounts: Readonly<Record<string, number>>;
}

function groupbyBench(options: GroupbyOptions): BenchCase<GroupAnswer> {
  const { name, keyType, rowCounts } = options;
  return {
    name,
    sizes: Object.keys(rowCounts),
    contestants: contestantsOf({
      bench: 'groupby',
      extension: 'csv',
      job: 'bench/jobs/groupby.ts',
      jobFlags: (data, out) => ['--input', data, '--output', out, '--key', keyType],
    }),
    prepare: (size, say) => prepareGroups({ ...options, rowCount: rowCounts[size] ?? 0 }, say),
    expectedAnswer: () => undefined,
    readAnswer: readGroupAnswer,
    differenceOf: groupDifferenceOf,
    answerText: ({ groups, rows }) => `${formatCount(rows)} rows in ${formatCount(groups)} groups`,
  };
}

interface GroupsData {
  readonly keyType: KeyType;
  readonly keyCount: number;
  readonly rowCount: number;
}

/** Rows as Arrow, and beside them as a DuckDB table; made when they are not there. */
export function prepareGroups(data: GroupsData, say: Say): BenchInput {
  const { keyType, keyCount, rowCount } = data;
  const keys = formatCount(keyCount);
  const rows = formatCount(rowCount);
  const path = join(cacheFolder, `groups-${keyType}-${keyCount}-${rowCount}.arrow`);
  if (!existsSync(path)) {
    say(`Making ${rows} rows as Arrow and as a DuckDB table (once) …`);
    mkdirSync(cacheFolder, { recursive: true });
    const unfinished = `${path}.making`;
    const script = join(peersFolder, 'make_groups.py');
    const words = [script, unfinished, String(rowCount), keyType, String(keyCount)];
    runTool(pythonPath, words, 'The peers are installed by pip.');
    renameSync(`${unfinished}.duckdb`, `${path}.duckdb`);
    renameSync(unfinished, path);
  }
  const description = `of Arrow, ${rows} rows of ${keys} keys`;
  return { path, sizeBytes: statSync(path).size, description };
}
