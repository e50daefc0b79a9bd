/**
 * The shuffle bench: distinct amounts per key. No task can know them before it has every row of a key, so all
 * rows change threads: Millrace does it once in rings and once in files between stages (`--shuffle disk`).
 *
 * Expectation before the first figure: partitioning, copying and reading a row of 16 bytes is 20 ns, and 30 ns
 * through lz4, a checksum and the page cache; the distinct pairs, some 9.5 of 10 million, are 150 ns each in
 * a table larger than the cache. So 1.2 s on two threads, and files cost little.
 */

import { formatCount } from '../base/units.ts';
import type { BenchCase, Contestant } from './bench-case.ts';
import { contestantsOf, millraceContestant } from './contestants.ts';
import { type GroupAnswer, groupDifferenceOf, readGroupAnswer } from './group-answer.ts';
import { prepareGroups } from './groupby.ts';

const rowCounts = { '10M': 10_000_000, '1M': 1_000_000, '100k': 100_000 } as const;

const options = {
  bench: 'shuffle',
  extension: 'csv',
  job: 'bench/jobs/shuffle.ts',
  jobFlags: (data: string, out: string) => ['--input', data, '--output', out],
};

export const shuffleBench: BenchCase<GroupAnswer> = {
  name: 'shuffle',
  sizes: Object.keys(rowCounts),
  contestants: [...contestantsOf(options).filter(({ id }) => id !== 'node'), throughFiles()],
  prepare(size, say) {
    const rowCount = rowCounts[size as keyof typeof rowCounts];
    return prepareGroups({ keyType: 'int64', keyCount: 100_000, rowCount }, say);
  },
  expectedAnswer: () => undefined,
  readAnswer: readGroupAnswer,
  differenceOf: groupDifferenceOf,
  answerText: ({ groups, rows }) => `${formatCount(rows)} rows in ${formatCount(groups)} groups`,
};

function throughFiles(): Contestant {
  const jobFlags = (data: string, out: string) => [
    ...options.jobFlags(data, out),
    '--shuffle',
    'disk',
  ];
  const named = { id: 'millrace-disk', name: 'Millrace, files', threads: 2 };
  return millraceContestant({ ...options, jobFlags }, named);
}
