/**
 * A job of a program, on whatever runs it: built here, with its rows taken for the program.
 *
 * Before: cli/program-run.ts. After: cli/embedded.ts.
 */
import { totalmem } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createRealProcess } from '../base/env/real-process.ts';
import { fromWire, typedError } from '../base/typed-error.ts';
import type { RowsInput } from '../connectors/program/row-feed.ts';
import { buildJob } from '../engine/api/build-job.ts';
import type { JobDefinition } from '../engine/api/define-job.ts';
import { resolveParams } from '../engine/api/param-values.ts';
import type { PlainRow } from '../engine/compile/rows-driver.ts';
import type { JobMode } from '../engine/plan/logical-graph.ts';
import type { EmbeddedRun, JobRunOptions } from './embedded.ts';
import type { HostOptions } from './embedded-host.ts';
import { memoryBytesOf, parseMode, parseParallelism, parseRate } from './engine-flags.ts';
import type { JobSummary } from './job-summary.ts';
import { loadJob } from './load-job.ts';

/** A row of a result: a property for each column, with the values that functions read. */
export type ResultRow = PlainRow;

/** The threads that run a job. */
export interface SlotSettings {
  /** Slot threads, 1 to 128. @defaultValue one per core */
  readonly parallelism?: number;
  /** Memory for all slots together, such as `512MB`. @defaultValue 2 GB per slot, half of the machine's at most */
  readonly memory?: string;
  /** Where rows go that do not fit into the memory. @defaultValue below the system's folder for temporary files */
  readonly spillDir?: string;
}

/** How a program runs a job. */
export interface JobSettings {
  /** Values of the job's parameters; defaults are filled in. */
  readonly params?: Readonly<Record<string, unknown>>;
  /** Rows for `memory.source(name, struct)`, by name. */
  readonly inputs?: Readonly<Record<string, RowsInput>>;
  /**
   * The module whose default export the job is; needed for jobs with functions.
   * @example `new URL('./job.ts', import.meta.url)`
   */
  readonly module?: URL | string;
  /** Whether output folders that exist are replaced. @defaultValue false */
  readonly overwrite?: boolean;
  /** Takes rows as they come, in their order, instead of collecting them; the job waits for its promise. */
  readonly onRows?: (rows: ResultRow[], sink: string) => void | Promise<void>;
  /** Prints tables of `console.sink`. @defaultValue to the standard output */
  readonly print?: (text: string) => void;
  /** How the job runs, whatever it says itself, as `--execution-mode` of the command line. @defaultValue as it says */
  readonly mode?: JobMode;
  /** Rows per second that each of its sources gives out, as `--rate` of the command line. @defaultValue as fast as they are taken */
  readonly rate?: number;
  /** Cancels the job. */
  readonly signal?: AbortSignal;
}

/** What a job that a program ran has given. */
export interface RunResult {
  /** Rows of `memory.sink()`, or of the only sink of memory. */
  readonly rows: readonly ResultRow[];
  /** Rows of each `memory.sink(name)`, by name. */
  readonly outputs: Readonly<Record<string, readonly ResultRow[]>>;
  /** Counts, times and operators, as `--json` prints them. */
  readonly summary: JobSummary;
}

/** Runs a job on what `start` starts it on. */
export async function runWith(
  start: (options: JobRunOptions) => EmbeddedRun,
  given: JobDefinition | URL | string,
  settings: JobSettings & { readonly parallelism: number },
): Promise<RunResult> {
  const { job, file } = await resolveJob(given, settings);
  const { outputs, take } = collector(settings);
  const params = resolveParams(job.params, settings.params ?? {});
  const { mode, rate } = settings;
  const flags = {
    overwrite: settings.overwrite ?? false,
    ...(rate !== undefined && { rate: parseRate(String(rate)) ?? rate }),
  };
  const { graph, feeds, functions } = buildJob(job, params, flags);
  if (functions.size > 0 && file === null) throw moduleMissing(job.name);
  for (const node of graph.nodes) {
    const isMemory = node.kind === 'sink' && node.sink.connector === 'memory';
    if (isMemory) outputs[String((node.sink.options as { name: unknown }).name)] = [];
  }
  const { inputs = {}, signal, print = printToStdout, parallelism } = settings;
  const running = start({
    graph,
    jobFile: file ?? '',
    params,
    flags,
    parallelism,
    ...(mode !== undefined && { mode: parseMode(mode) ?? mode }),
    program: { feeds, inputs, takeRows: take, console: { columns: columnsOf(), write: print } },
  });
  const cancel = () => running.cancel('cancelled by the program');
  signal?.addEventListener('abort', cancel);
  if (signal?.aborted) cancel();
  const summary = await running.done;
  signal?.removeEventListener('abort', cancel);
  if (summary.status === 'cancelled') throw cancelledError(job.name);
  if (summary.status === 'failed') {
    throw running.programError?.() ?? (summary.error && fromWire(summary.error));
  }
  const [only = []] = Object.values(outputs);
  return { rows: outputs.rows ?? only, outputs, summary };
}

async function resolveJob(
  given: JobDefinition | URL | string,
  { module }: JobSettings,
): Promise<{ readonly job: JobDefinition; readonly file: string | null }> {
  if (given instanceof URL || typeof given === 'string') {
    const { job, path } = await loadJob(pathOf(given), process.cwd());
    return { job, file: path };
  }
  return { job: given, file: module === undefined ? null : pathOf(module) };
}

function pathOf(place: URL | string): string {
  return place instanceof URL || place.startsWith('file:') ? fileURLToPath(place) : place;
}

/** Collects rows, unless the program takes them itself. */
function collector({ onRows }: JobSettings) {
  const outputs: Record<string, ResultRow[]> = {};
  const take = (name: string, rows: ResultRow[]) => {
    if (onRows !== undefined) return onRows(rows, name);
    const kept = outputs[name] ?? [];
    for (const row of rows) kept.push(row);
    outputs[name] = kept;
  };
  return { outputs, take };
}

/** The threads and the memory that settings ask for. */
export function slotsOf(settings: SlotSettings): HostOptions {
  const { parallelism: given, memory, spillDir } = settings;
  const parallelism =
    given === undefined ? createRealProcess().cores : parseParallelism(String(given));
  const machine = { memoryBytes: totalmem() };
  return {
    parallelism,
    memoryBytes: memoryBytesOf(memory, parallelism, machine),
    ...(spillDir !== undefined && { spillDir: resolve(spillDir) }),
  };
}

function columnsOf(): number {
  return process.stdout.isTTY === true ? process.stdout.columns : Number.POSITIVE_INFINITY;
}

function printToStdout(text: string): void {
  process.stdout.write(text);
}

function moduleMissing(name: string): Error {
  return typedError('PROGRAM_MODULE_MISSING', `job "${name}" has functions, and no module`, {
    hint:
      'Export the job as the default of a module, and name it: ' +
      "run(job, { module: new URL('./job.ts', import.meta.url) }).",
  });
}

function cancelledError(name: string): Error {
  return typedError('JOB_CANCELLED', `job "${name}" was cancelled by the program`, {
    hint: 'Nothing was written; rows that were taken before are with the program.',
  });
}
