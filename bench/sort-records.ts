/**
 * The bench of sorting records of 100 bytes by their first 10, more of them than `--memory` holds: beside GNU
 * sort with the same memory and threads, beside Hadoop MapReduce and Spark, which need more to run at all, and beside
 * the disk itself, which writes and reads the bytes twice.
 *
 * Expectation before the first figure: a record is moved some six times (read, sorted, spilled, merged, merged
 * across threads, written), 0.1 µs each with compression and checksums: 6 s of CPU for 10 million, 3 to 4 s on
 * two threads. The disk alone writes 2 GB and reads 2 GB of page cache: 2 s.
 */
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { formatCount } from '../base/units.ts';
import { compareKeys, RecordSum, recordBytes } from '../jobs/sort/records.ts';
import { cacheFolder, outputPath, peersFolder, projectFolder, pythonPath } from './bench-cache.ts';
import type { BenchCase, Contestant } from './bench-case.ts';
import { contestantsOf } from './contestants.ts';
import { runTool, type Say } from './prepare.ts';
import { mavenClassPath, prepareMaven } from './prepare-maven.ts';

const recordCounts = { '1GB': 10_000_000, '5GB': 50_000_000, '100MB': 1_000_000 } as const;
const threads = 2;
/** A tenth of the largest size; the smallest fits in it. */
const memory = '512MB';

export interface RecordsAnswer {
  readonly records: number;
  readonly isAscending: boolean;
  readonly checksum: string;
}

export const sortRecordsBench: BenchCase<RecordsAnswer> = {
  name: 'sort-records',
  sizes: Object.keys(recordCounts),
  contestants: [...millrace(), gnuSort(), hadoop(), spark(), diskAlone()],
  isAnswerLarge: true,
  prepare(size, say) {
    const records = recordCounts[size as keyof typeof recordCounts];
    const path = join(cacheFolder, `records-${size.toLowerCase()}.txt`);
    if (!existsSync(`${path}.sorted`)) makeRecords(path, records, say);
    const description = `of records of 100 bytes, ${formatCount(records)} of them`;
    return { path, sizeBytes: statSync(path).size, description };
  },
  expectedAnswer: () => undefined,
  readAnswer: readRecordsAnswer,
  differenceOf: recordsDifferenceOf,
  answerText: ({ records }) => `${formatCount(records)} records in order`,
};

function millrace(): Contestant[] {
  const spillDir = join(cacheFolder, 'spill');
  const all = contestantsOf({
    bench: 'sort-records',
    extension: 'bin',
    job: 'jobs/sort/job.ts',
    jobFlags: (data, out) => [
      '--input',
      data,
      '--output',
      `${out}/`,
      '--memory',
      memory,
      '--spill-dir',
      spillDir,
    ],
  });
  return all.filter(({ id }) => id.startsWith('millrace'));
}

function gnuSort(): Contestant {
  const outPath = outputPath('sort-records-gnu.bin');
  return {
    ...{ id: 'gnu', name: 'GNU sort', threads, outPath },
    command: (data) => gnuSortCommand(data, outPath),
  };
}

/** The local job runner; the packages are Maven's. */
function hadoop(): Contestant {
  const outPath = outputPath('sort-records-hadoop');
  return {
    ...{ id: 'hadoop', name: 'Hadoop MapReduce 3.4.1', threads, outPath },
    prepare: (say) => prepareMaven('hadoop', say),
    command: (data) => [
      ...['java', '-Xmx1g', '-cp', mavenClassPath('hadoop'), 'SortRecords'],
      ...[data, outPath, String(threads)],
    ],
  };
}

function spark(): Contestant {
  const outPath = outputPath('sort-records-spark');
  const script = join(peersFolder, 'sort-records_spark.py');
  return {
    ...{ id: 'spark', name: 'Spark 4.3.0', threads, outPath },
    requirements: 'requirements-spark.txt',
    command: (data) => [pythonPath, script, data, outPath, String(threads)],
  };
}

/** Lines by their first 10 bytes; no key has the carriage return that ends a line. */
function gnuSortCommand(data: string, outPath: string): string[] {
  const order = ['--stable', '--field-separator=\r', '--key=1.1,1.10'];
  const limits = [`--buffer-size=${memory.slice(0, -1)}`, `--parallel=${threads}`];
  const files = [`--temporary-directory=${cacheFolder}`, `--output=${outPath}`, data];
  return ['env', 'LC_ALL=C', 'sort', ...order, ...limits, ...files];
}

function diskAlone(): Contestant {
  const outPath = outputPath('sort-records-disk.bin');
  const script = join(peersFolder, 'sort-records-disk.mjs');
  return {
    ...{ id: 'disk', name: 'The disk, twice', threads: 1, outPath },
    command: (data) => [process.execPath, script, `${data}.sorted`, outPath],
  };
}

/** The records, and beside them the same in order. */
function makeRecords(path: string, records: number, say: Say): void {
  say(`Making ${formatCount(records)} records (once) …`);
  mkdirSync(cacheFolder, { recursive: true });
  const unfinished = `${path}.making`;
  const generate = join(projectFolder, 'jobs/sort/generate.ts');
  const command = `"${process.execPath}" "${generate}" ${records} 1 text > "${unfinished}"`;
  runTool('sh', ['-c', command], 'The records are made by this Node.');
  const [tool = '', ...args] = gnuSortCommand(unfinished, `${unfinished}.sorted`);
  runTool(tool, args, 'Install GNU coreutils.');
  renameSync(unfinished, path);
  renameSync(`${unfinished}.sorted`, `${path}.sorted`);
}

/** Reads the whole answer, a piece after the other. */
export function readRecordsAnswer(path: string): RecordsAnswer {
  const before = new Uint8Array(recordBytes);
  const sum = new RecordSum();
  let records = 0;
  let isAscending = true;
  for (const piece of piecesOf(path)) {
    const view = new DataView(piece.buffer);
    for (let at = 0; at + recordBytes <= piece.length; at += recordBytes) {
      sum.add(view, at);
      const isLower =
        at === 0
          ? compareKeys(piece, at, before, 0) < 0
          : compareKeys(piece, at, piece, at - recordBytes) < 0;
      if (isLower) isAscending = false;
      records++;
    }
    before.set(piece.subarray(piece.length - recordBytes));
  }
  return { records, isAscending, checksum: sum.text };
}

/** The file, or the parts of a folder in the order of their names; a piece is gone when the next one is read. */
function* piecesOf(path: string): Generator<Uint8Array> {
  const isFolder = statSync(path).isDirectory();
  const names = isFolder ? readdirSync(path).filter(isPart).sort() : [''];
  const room = new Uint8Array(recordBytes * 10_000);
  for (const name of names) {
    const file = openSync(join(path, name), 'r');
    for (let size = readSync(file, room); size > 0; size = readSync(file, room)) {
      yield room.subarray(0, size);
    }
    closeSync(file);
  }
}

/** Other files of a folder are marks and checksums of who wrote it. */
function isPart(name: string): boolean {
  return name.startsWith('part-');
}

/** What differs, or null. */
export function recordsDifferenceOf(expected: RecordsAnswer, actual: RecordsAnswer): string | null {
  if (!actual.isAscending) return 'its records do not ascend';
  const names = ['records', 'checksum'] as const;
  const different = names.filter((name) => expected[name] !== actual[name]);
  const text = (name: (typeof names)[number]) =>
    `${name} is ${actual[name]}, not ${expected[name]}`;
  return different.length === 0 ? null : different.map(text).join('; ');
}
