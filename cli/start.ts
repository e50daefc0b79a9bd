/**
 * What `npm start` shows once all is installed: the ready-made wordcount job over the project's own
 * dependencies, on all cores, by the same code as `millrace run`.
 *
 * Before: cli/setup.mjs. After: cli/run-job.ts.
 */
import { closeSync, mkdirSync, openSync, readSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tableText } from '../base/table.ts';
import { toWire } from '../base/typed-error.ts';
import { formatBytes, formatCount } from '../base/units.ts';
import { buildJob } from '../engine/api/build-job.ts';
import { parseParams } from '../engine/api/param-values.ts';
import { type CliEnv, createCliEnv } from './cli-env.ts';
import { memoryBytesOf } from './engine-flags.ts';
import { writeError } from './error-text.ts';
import { exitCodes } from './exit-codes.ts';
import type { JobSummary } from './job-summary.ts';
import { loadJob } from './load-job.ts';
import { runJob, type StartJob } from './run-job.ts';
import { exitCodeOf } from './summary.ts';

/** Relative to the project's folder, in which `npm start` runs. */
const input = 'node_modules/**/*.{md,txt,ts,js}';
const output = join('.cache', 'start', 'words.csv');
const topCount = 20;
/** Room for the header and the top lines, for frequent words are short. */
const headBytes = 64 * 1024;
const bytesPerMb = 1024 * 1024;

const next = `Try next:
  npx millrace run jobs/wordcount/job.ts --input README.md --output words.csv --top 10
  npx millrace run jobs/wordcount/job.ts --help
  npx millrace explain jobs/wordcount/job.ts --input README.md
`;

/** Runs the demonstration in the project's folder; resolves with the exit code. */
export async function main(_args: readonly string[], env = createCliEnv()): Promise<number> {
  const projectFolder = fileURLToPath(new URL('..', import.meta.url));
  try {
    return await demonstrate(env, projectFolder);
  } catch (error) {
    writeError(env, toWire(error));
    return exitCodes.jobFailed;
  }
}

/** Counts, and prints what came out. Tests pass another folder and a fake start. */
export async function demonstrate(
  env: CliEnv,
  folder: string,
  startJob?: StartJob,
): Promise<number> {
  const parallelism = env.process.cores;
  env.stderr.write(
    `Counting the words of the text files below node_modules on ${parallelism} cores …\n`,
  );
  const { job, path } = await loadJob(wordcountFile(), env.workingFolder);
  const outputPath = join(folder, output);
  mkdirSync(dirname(outputPath), { recursive: true });
  const params = parseParams(job.params, { input, output: outputPath, invalidUtf8: 'replace' });
  const flags = { overwrite: false };
  const options = {
    graph: buildJob(job, params, flags).graph,
    jobFile: path,
    params,
    flags,
    parallelism,
    memoryBytes: memoryBytesOf(undefined, parallelism, env),
  };
  const summary = await runJob(env, options, startJob);
  if (summary.status === 'finished') {
    env.stdout.write(resultText(summary, readTop(outputPath), env.stdout.columns));
    env.stdout.write(`All words are in ${output}\n\n${next}`);
  } else if (summary.error !== undefined) writeError(env, summary.error);
  return exitCodeOf(summary);
}

function wordcountFile(): string {
  return fileURLToPath(new URL('../jobs/wordcount/job.ts', import.meta.url));
}

function resultText(summary: JobSummary, top: readonly TopWord[], columns: number): string {
  const { inputCount, bytesIn, rowsOut, seconds, operators } = summary;
  const words = operators.find(({ kind }) => kind === 'explodeWords')?.rowsOut ?? 0;
  const right = 'right' as const;
  const rows = top.map(({ word, count }, index) => [String(index + 1), word, formatCount(count)]);
  const table = tableText(
    [{ title: '#', align: right }, { title: 'word' }, { title: 'count', align: right }],
    rows,
    { widthMax: columns },
  );
  const facts = [
    `${formatCount(inputCount)} files, ${formatBytes(bytesIn)}`,
    `${formatCount(words)} words, ${formatCount(rowsOut)} distinct`,
    `${seconds.toFixed(2)} s, ${(bytesIn / bytesPerMb / seconds).toFixed(0)} MB/s`,
  ];
  return `${table}${facts.join('\n')}\n`;
}

interface TopWord {
  readonly word: string;
  readonly count: number;
}

/** The first rows of the result; they are the most frequent words. */
function readTop(path: string): TopWord[] {
  const file = openSync(path, 'r');
  try {
    const buffer = Buffer.alloc(headBytes);
    const head = buffer.toString('utf8', 0, readSync(file, buffer, 0, headBytes, 0));
    const rows = head.split('\n').slice(1, topCount + 1);
    return rows.flatMap((row) => {
      const [word = '', count] = row.split(',');
      return count === undefined ? [] : [{ word, count: Number(count) }];
    });
  } finally {
    closeSync(file);
  }
}
