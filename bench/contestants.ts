/**
 * Who counts the words, and with which command. Each is one process that reads the text and writes
 * the whole answer to a CSV file, most frequent word first, so all of them do the same work from the
 * start of the process to its end.
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { outputPath, peersFolder, projectFolder, pythonPath } from './bench-cache.ts';

export interface Contestant {
  readonly id: string;
  readonly name: string;
  readonly threads: number;
  readonly outPath: string;
  command(text: string): string[];
}

/** The yardstick: ratios are to this one. */
export const yardstickId = 'millrace';

/** The same with one thread: shows what the second thread brings. */
export const singleThreadId = 'millrace-1';

const parallelism = 2;

export const contestants: readonly Contestant[] = [
  millrace(yardstickId, 'Millrace', parallelism),
  millrace(singleThreadId, 'Millrace', 1),
  python('duckdb', 'DuckDB 2.0.0'),
  python('polars', 'Polars 2.1.0'),
  {
    id: 'node',
    name: 'Node, by hand',
    threads: 1,
    outPath: outputPath('node'),
    command: (text) => [
      process.execPath,
      fileURLToPath(new URL('./peers/wordcount-node.mjs', import.meta.url)),
      text,
      outputPath('node'),
    ],
  },
];

function millrace(id: string, name: string, threads: number): Contestant {
  const outPath = outputPath(id);
  return {
    id,
    name,
    threads,
    outPath,
    command: (text) => [
      process.execPath,
      join(projectFolder, 'cli', 'millrace.mjs'),
      'run',
      join(projectFolder, 'jobs', 'wordcount', 'job.ts'),
      '--input',
      text,
      '--output',
      outPath,
      '--parallelism',
      String(threads),
      '--json',
    ],
  };
}

function python(id: string, name: string): Contestant {
  const outPath = outputPath(id);
  return {
    id,
    name,
    threads: parallelism,
    outPath,
    command: (text) => [
      pythonPath,
      join(peersFolder, `wordcount_${id}.py`),
      text,
      outPath,
      String(parallelism),
    ],
  };
}
