/**
 * The nexmark and windows benches: streams with event time beside Flink, which works as Millrace does, and beside
 * DuckDB, which has the whole table before it begins. `nexmark` is seven queries over ten million events,
 * `windows` count, sum, minimum and maximum by 100,000 keys and ten seconds over 50 million rows. In one warm process
 * each; the seconds of a question are those of the fastest of three runs. All read the same Parquet files, but
 * `windows-arrow`: there Millrace reads Arrow files and DuckDB a table of its own.
 *
 * Expectation before the first figure: windows are as fast as a grouping of two int64 keys, 25 million rows a second
 * on two threads, of which Parquet takes a third. q1 and q2 are bound by decoding Parquet, q4 and q7 by the probes
 * of a join: a second each. Flink handles half a million rows a second on a core where it keeps state.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { formatCount } from '../base/units.ts';
import { outputPath, peersFolder, projectFolder, pythonPath } from './bench-cache.ts';
import type { BenchCase, BenchInput, Contestant } from './bench-case.ts';
import { flinkFlags } from './flink-java.ts';
import { mavenClassPath, prepareMaven } from './prepare-maven.ts';
import { prepareNexmark, prepareWindowRows } from './prepare-streams.ts';
import { knownSums, readStreamSums, type StreamSums, sumsDifferenceOf } from './stream-sums.ts';

type StreamFormat = 'parquet' | 'arrow';
/** The job, its questions and its data. */
type StreamJob = 'nexmark' | 'windows';

const threads = 2;
const sizesOf = {
  nexmark: { '10M': 10_000_000, '1M': 1_000_000, '200K': 200_000 },
  windows: { '50M': 50_000_000, '10M': 10_000_000, '1M': 1_000_000 },
} as const;

export const streamBenches: readonly BenchCase<StreamSums>[] = [
  streamBench('nexmark', 'nexmark', 'parquet'),
  streamBench('windows', 'windows', 'parquet'),
  streamBench('windows-arrow', 'windows', 'arrow'),
];

function streamBench(name: string, job: StreamJob, format: StreamFormat): BenchCase<StreamSums> {
  const sizes: Readonly<Record<string, number>> = sizesOf[job];
  return {
    name,
    sizes: Object.keys(sizes),
    contestants: [
      ...[threads, 1].map((count) => millrace(name, { job, format, count, isSummed: false })),
      millrace(name, { job, format, count: threads, isSummed: true }),
      duckdb(name, { job, format, isSummed: false }),
      duckdb(name, { job, format, isSummed: true }),
      flink(name, job),
    ],
    isAnswerLarge: true,
    prepare: (size, say) => {
      const rows = sizes[size] ?? 0;
      const path = job === 'nexmark' ? prepareNexmark(rows, say) : prepareWindowRows(rows, say);
      const description = `of ${formatCount(rows)} ${job === 'nexmark' ? 'events' : 'rows'}`;
      return { ...inputOf(path, format), description };
    },
    expectedAnswer: (size) => knownSums[job]?.[size],
    readAnswer: (path) => readStreamSums(path, job),
    differenceOf: sumsDifferenceOf,
    partSecondsOf: (path) => JSON.parse(readFileSync(join(path, 'seconds.json'), 'utf8')),
    answerText: (sums) =>
      Object.entries(sums)
        .map(([question, [rows = 0]]) => `${question} ${formatCount(rows)} rows`)
        .join(', '),
  };
}

function inputOf(path: string, format: StreamFormat): Omit<BenchInput, 'description'> {
  const names = readdirSync(path).filter((name) => name.endsWith(`.${format}`));
  const files = names.map((name) => join(path, name));
  return { path, files, sizeBytes: files.reduce((sum, file) => sum + statSync(file).size, 0) };
}

interface Asked {
  readonly job: StreamJob;
  readonly format: StreamFormat;
}

/** Writes its answers; or only sums them, as Flink does. */
function millrace(
  name: string,
  { job, format, count, isSummed }: Asked & { count: number; isSummed: boolean },
): Contestant {
  const id = isSummed ? 'millrace-sums' : count === threads ? 'millrace' : `millrace-${count}`;
  const outPath = outputPath(`${name}-${id}`);
  const program = join(projectFolder, 'bench/jobs/stream-questions.ts');
  // Where there is a bundle, programs that are installed run it; so does this one.
  const node = [process.execPath, '--conditions=millrace-bundle'];
  return {
    ...{ id, name: isSummed ? 'Millrace, sums only' : 'Millrace', threads: count, outPath },
    command: (data) => [
      ...[...node, program, data, outPath, String(count), job, format],
      ...(isSummed ? ['sums'] : []),
    ],
  };
}

/** Writes its answer; or only sums it, which shows what the writing costs. */
function duckdb(
  name: string,
  { job, format, isSummed }: Asked & { isSummed: boolean },
): Contestant {
  const [id, title] = isSummed ? ['duckdb-sums', 'DuckDB, sums only'] : ['duckdb', 'DuckDB 2.0.0'];
  const outPath = outputPath(`${name}-${id}`);
  const script = join(peersFolder, 'stream_duckdb.py');
  const asked = [String(threads), job, format, ...(isSummed ? ['sums'] : [])];
  return {
    ...{ id, name: title, threads, outPath },
    command: (data) => [pythonPath, script, data, outPath, ...asked],
  };
}

function flink(name: string, job: StreamJob): Contestant {
  const outPath = outputPath(`${name}-flink`);
  return {
    ...{ id: 'flink', name: 'Flink 2.3.0', threads, outPath },
    prepare: (say) => prepareMaven('flink', say),
    command: (data) => [
      ...['java', '-Xmx6g', ...flinkFlags, '-cp', mavenClassPath('flink'), 'StreamQueries'],
      ...[data, outPath, String(threads), job],
    ],
  };
}
