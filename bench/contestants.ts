/**
 * Contestants: Millrace with two threads and with one, DuckDB, Polars, and plain Node. A bench names
 * its job and the scripts of its peers (`peers/<bench>_duckdb.py` and so on); all are called alike:
 * the data, where the answer goes, and the threads.
 */
import { join } from 'node:path';
import { outputPath, peersFolder, projectFolder, pythonPath } from './bench-cache.ts';
import type { Contestant } from './bench-case.ts';

/** The yardstick: ratios are to this one. */
export const yardstickId = 'millrace';

/** The same with one thread: shows what the second thread brings. */
export const singleThreadId = 'millrace-1';

const parallelism = 2;

interface ContestantsOptions {
  /** Of the bench; part of the names of scripts and outputs. */
  readonly bench: string;
  /** Ending of the answers' files: `csv`. */
  readonly extension: string;
  /** The job, from the project's folder. */
  readonly job: string;
  /** Its flags for the data and the answer. */
  readonly jobFlags: (dataPath: string, outPath: string) => readonly string[];
}

/** Everybody who takes part; further ones may be added. */
export function contestantsOf(options: ContestantsOptions): Contestant[] {
  return [
    millraceContestant(options, { id: yardstickId, name: 'Millrace', threads: parallelism }),
    millraceContestant(options, { id: singleThreadId, name: 'Millrace', threads: 1 }),
    pythonContestant(options, { id: 'duckdb', name: 'DuckDB 2.0.0', threads: parallelism }),
    pythonContestant(options, { id: 'polars', name: 'Polars 2.1.0', threads: parallelism }),
    nodeContestant(options),
  ];
}

interface Named {
  readonly id: string;
  readonly name: string;
  readonly threads: number;
}

/** Our CLI, with the job of the options. */
export function millraceContestant(options: ContestantsOptions, named: Named): Contestant {
  const outPath = outPathOf(options, named.id);
  const cli = [process.execPath, join(projectFolder, 'cli', 'millrace.mjs')];
  return {
    ...named,
    outPath,
    command: (dataPath) => [
      ...cli,
      ...['run', join(projectFolder, options.job)],
      ...options.jobFlags(dataPath, outPath),
      ...['--parallelism', String(named.threads), '--json'],
    ],
  };
}

/** `peers/<bench>_<id>.py DATA OUT THREADS`, with dashes of the id as underscores. */
function pythonContestant(options: ContestantsOptions, named: Named): Contestant {
  const outPath = outPathOf(options, named.id);
  const script = join(peersFolder, `${options.bench}_${named.id.replaceAll('-', '_')}.py`);
  return {
    ...named,
    outPath,
    command: (dataPath) => [pythonPath, script, dataPath, outPath, String(named.threads)],
  };
}

/** `peers/<bench>-node.mjs DATA OUT`. */
function nodeContestant(options: ContestantsOptions): Contestant {
  const outPath = outPathOf(options, 'node');
  const script = join(peersFolder, `${options.bench}-node.mjs`);
  return {
    id: 'node',
    name: 'Node, by hand',
    threads: 1,
    outPath,
    command: (dataPath) => [process.execPath, script, dataPath, outPath],
  };
}

function outPathOf({ bench, extension }: ContestantsOptions, id: string): string {
  return outputPath(`${bench}-${id}.${extension}`);
}
