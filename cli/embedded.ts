/**
 * A whole Millrace in this process, and one job on it. There is no second "local runner": this is what a
 * cluster runs, wired together in embedded-host.ts.
 *
 *     this file ──submit──▶ coordinator ◀──rpc over memory:──▶ worker ──▶ slot threads
 *
 * Before: cli/commands/run.ts. After: cli/embedded-host.ts.
 */
import type { Env } from '../base/env/env.ts';
import { createRealEnv } from '../base/env/real-env.ts';
import { toWire, typedError } from '../base/typed-error.ts';
import type { CheckpointRequest } from '../coordinator/job/checkpointed-job.ts';
import type { JobHandle } from '../coordinator/job/job-handle.ts';
import type { JobTotals } from '../coordinator/job/job-metrics.ts';
import type { JobOutcome } from '../coordinator/job/job-outcome.ts';
import type { JobControl } from '../coordinator/job/job-service.ts';
import type { Shuffle } from '../coordinator/planner/plan-step.ts';
import { fingerprintOf } from '../engine/api/build-job.ts';
import type { RunFlags } from '../engine/api/endpoints.ts';
import { encodeParams } from '../engine/api/param-wire.ts';
import type { JobMode, LogicalGraph } from '../engine/plan/logical-graph.ts';
import type { PiscinaSlotRunner } from '../worker/threads/piscina-slot-runner.ts';
import { EmbeddedHost, type HostOptions } from './embedded-host.ts';
import { type JobSummary, jobSummaryOf } from './job-summary.ts';
import { checkProgram, ProgramEnds, type ProgramSide } from './program-ends.ts';

export interface JobRunOptions {
  /** What the job's module builds with these parameters and flags. */
  readonly graph: LogicalGraph;
  /** Absolute path of that module; slot threads load it for the user's functions. */
  readonly jobFile: string;
  /** Typed and complete, as `parseParams` gives them. */
  readonly params: Readonly<Record<string, unknown>>;
  readonly flags: RunFlags;
  readonly parallelism: number;
  /** Where rows are between stages. @defaultValue 'memory' */
  readonly shuffle?: Shuffle;
  /** Tasks of each vertex that can have several. @defaultValue parallelism */
  readonly partitions?: number;
  /** @defaultValue as the graph says */
  readonly mode?: JobMode;
  /** Of streams: milliseconds between the latency marks of a source; null for none. @defaultValue 50 */
  readonly latencyIntervalMs?: number | null;
  /** Where its checkpoints go, and what it goes on from. @defaultValue it has none */
  readonly checkpoints?: CheckpointRequest;
  /** Whether tasks that are slow get a copy. @defaultValue true */
  readonly speculates?: boolean;
  /** Whether the plan may change while the job runs. @defaultValue true */
  readonly isAdaptive?: boolean;
  /** What the program has for the job's sources and sinks of memory, and its console. */
  readonly program?: ProgramSide;
}

/** A job, and the threads to start for it. */
export interface RunOptions extends JobRunOptions, HostOptions {}

export interface RunProgress {
  readonly phase: 'starting' | 'running' | 'committing';
  /** Why it does not run, where it is known. */
  readonly note?: string;
  readonly rowsIn: number;
  readonly bytesIn: number;
  /** 0 until the inputs are known. */
  readonly bytesTotal: number;
  readonly rowsOut: number;
  readonly deadLetters: number;
  readonly seconds: number;
  readonly stages: JobOutcome['stages'];
  /** How much of the work is done, 0 to 1. */
  readonly share: number;
}

export interface EmbeddedRun {
  progress(): RunProgress;
  /** Ends the job; `done` then resolves with status `cancelled`. */
  cancel(reason: string): void;
  /** What the job can be asked; absent where there is no real one behind it. */
  readonly control?: JobControl;
  /** What was thrown by the program's own code, by an iterator of rows say, and failed the job; or null. */
  programError?(): unknown;
  /** Never rejects because of the job: its failure is in the summary. */
  readonly done: Promise<JobSummary>;
}

/**
 * Starts a job on slot threads of its own in this process.
 *
 * @param runner - Has one slot per unit of parallelism; it is closed when the job has ended.
 */
export function startEmbedded(options: RunOptions, runner?: PiscinaSlotRunner): EmbeddedRun {
  const env = createRealEnv();
  const host = new EmbeddedHost(env, options, runner);
  return new Embedded({ env, host, closesHost: true }, options);
}

/** Starts a job on a host that stays; the job before it has ended. */
export function startOn(host: EmbeddedHost, options: JobRunOptions): EmbeddedRun {
  return new Embedded({ env: createRealEnv(), host, closesHost: false }, options);
}

interface Place {
  readonly env: Env;
  readonly host: EmbeddedHost;
  readonly closesHost: boolean;
}

class Embedded implements EmbeddedRun {
  readonly done: Promise<JobSummary>;
  readonly control: JobControl;
  readonly #place: Place;
  readonly #options: JobRunOptions;
  readonly #startedAt: number;
  #job: JobHandle | null = null;
  #ends: ProgramEnds | null = null;
  #cancelReason: string | null = null;

  constructor(place: Place, options: JobRunOptions) {
    this.#place = place;
    this.#options = options;
    this.#startedAt = place.env.clock.mono();
    this.control = this.#control();
    this.done = this.#run()
      .finally(() => (place.closesHost ? place.host.close() : undefined))
      .catch((error) => this.#summary(failedBefore(error)));
  }

  programError(): unknown {
    return this.#ends?.error ?? null;
  }

  cancel(reason: string): void {
    this.#cancelReason = reason;
    this.#job?.cancel(reason);
  }

  progress(): RunProgress {
    const seconds = this.#seconds();
    if (!this.#job) {
      return { phase: 'starting', bytesTotal: 0, ...noRows, seconds, stages: [], share: 0 };
    }
    const { phase, ...totals } = this.#job.progress();
    const shown = phase === 'preparing' ? 'starting' : phase === 'running' ? phase : 'committing';
    return { phase: shown, ...totals, seconds };
  }

  #control(): JobControl {
    const job = () => this.#job;
    const isCancelled = () => this.#cancelReason !== null;
    return {
      get jobId() {
        return job()?.jobId ?? null;
      },
      get isStopping() {
        return job()?.progress().phase === 'stopping' || isCancelled();
      },
      inspect: async () => (await job()?.inspect()) ?? null,
      stateOf: async (operator, key) => {
        const master = job();
        if (master === null) throw notYet();
        return await master.stateOf(operator, key);
      },
      saved: () => {
        const handle = job();
        if (handle === null) throw notYet();
        if (handle.saved === null) throw noCheckpoints(this.#options.graph.jobName);
        return handle.saved;
      },
    };
  }

  async #run(): Promise<JobSummary> {
    const { graph, jobFile, params, flags, parallelism, program = {} } = this.#options;
    const { shuffle, mode, speculates = true, isAdaptive = true, partitions } = this.#options;
    const { latencyIntervalMs, checkpoints } = this.#options;
    checkProgram(graph, program);
    const { host } = this.#place;
    const ends = new ProgramEnds(graph, program, host.runner, mode);
    this.#ends = ends;
    const module = {
      file: jobFile,
      params: encodeParams(params),
      flags,
      fingerprint: fingerprintOf(graph),
    };
    const job = await host.submit(
      {
        ...{ graph, parallelism: partitions ?? parallelism, module, speculates },
        ...(shuffle !== undefined && { shuffle }),
        ...(mode !== undefined && { mode }),
        ...(latencyIntervalMs !== undefined && { latencyIntervalMs }),
        ...(checkpoints !== undefined && { checkpoints }),
        ...(isAdaptive ? {} : { adaptive: null }),
      },
      ends.rings,
    );
    this.#job = job;
    ends.start((error) => job.fail(toWire(error)));
    if (this.#cancelReason !== null) job.cancel(this.#cancelReason);
    const outcome = await job.done;
    await ends.stop(outcome.status === 'finished');
    return this.#summary(outcome.status === 'finished' ? failedAfter(outcome, ends) : outcome);
  }

  #summary(outcome: JobOutcome): JobSummary {
    return jobSummaryOf(outcome, {
      job: this.#options.graph.jobName,
      seconds: this.#seconds(),
      peakMemoryBytes: this.#place.env.process.memory().residentPeakBytes,
    });
  }

  #seconds(): number {
    return (this.#place.env.clock.mono() - this.#startedAt) / 1000;
  }
}

function notYet() {
  return typedError('JOB_NOT_RUNNING', 'the job has no tasks yet', {
    hint: 'It is being planned: ask again in a moment.',
  });
}

function noCheckpoints(name: string) {
  return typedError('JOB_HAS_NO_CHECKPOINTS', `job "${name}" makes no checkpoints`, {
    hint: 'Start it with --checkpoint-dir FOLDER. millrace cancel ends it as it is.',
  });
}

const noRows = { rowsIn: 0, bytesIn: 0, rowsOut: 0, deadLetters: 0 };
const noTotals: JobTotals = { ...noRows, skipped: { rows: 0, rowGroups: 0, pages: 0 } };

/** A job that has finished, and whose rows the program then failed to take. */
function failedAfter(outcome: JobOutcome, { error }: ProgramEnds): JobOutcome {
  return error === null ? outcome : { ...outcome, status: 'failed', error: toWire(error) };
}

/** A job that failed before there was a job master. */
function failedBefore(error: unknown): JobOutcome {
  return {
    status: 'failed',
    error: toWire(error),
    totals: noTotals,
    operators: [],
    latency: null,
    counts: {},
    stages: [],
    inputCount: 0,
  };
}
