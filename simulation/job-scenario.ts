/**
 * Scenario: one node runs a small word count, with the real coordinator, worker and slot programs,
 * while its disk fails, its power goes, its slots die and the job is cancelled. Whatever did not
 * finish is run again, until it does.
 *
 *     inputs ──▶ coordinator ◀──rpc──▶ worker ──▶ 2 to 3 slots ──▶ words.csv, maybe rare.csv:
 *                                                                 old, or new and whole
 *
 * Judged: after every event each output is the old one or the new one, and the new one not before the
 * job commits. A finished job's output is right and survives a power cut at once. A job that failed or
 * was cancelled leaves no temporary file, and names what made it fail, not what followed from that. A
 * job ends in bounded time, once; and its slots hold no memory then.
 */
import type { Env } from '../base/env/env.ts';
import type { Rng } from '../base/env/rng.ts';
import type { WireError } from '../base/typed-error.ts';
import {
  type AdaptiveOptions,
  adaptiveDefaults,
} from '../coordinator/adaptive/adaptive-options.ts';
import type { JobOutcome } from '../coordinator/job/job-outcome.ts';
import type { Shuffle } from '../coordinator/planner/plan-step.ts';
import { Cluster } from './cluster.ts';
import type { FaultPlan, JobFault } from './faults.ts';
import { drawJobFaults } from './job-faults.ts';
import { type JobPlant, JobRun, spillFolder } from './job-run.ts';
import type { Verdict } from './leader-lease-scenario.ts';
import type { FailedCall, Inode, SimDiskState } from './sim-disk-state.ts';
import type { SimNode } from './sim-node.ts';
import type { TaskFault } from './task-faults.ts';
import {
  drawWordJob,
  inputFolder,
  outputFolder,
  type WordForm,
  type WordJob,
  type WordOutput,
} from './word-job.ts';

export interface JobScenarioOptions {
  readonly seed: number;
  readonly plant?: JobPlant;
  /** Replace what is drawn. */
  readonly shuffle?: Shuffle;
  readonly form?: WordForm;
  readonly adaptive?: AdaptiveOptions | null;
  readonly parallelism?: number;
  /** Replaces the drawn faults, as when a failure is made smaller. */
  readonly plan?: FaultPlan;
}

const nodeName = 'node';
/** Faults are over by then; each run that does not finish used one up, so five runs are enough. */
const faultsEndMs = 20_000;
/** A job with the slowest slot, stopped by force, takes less. */
const runMsMax = 600_000;
const endMs = 5 * runMsMax;
/** A fault ends a run each time that it comes true, which is twenty times at most. */
const runsMax = 50;

/** Runs one seed; call it inside `inMacrotask`. */
export function runJob(options: JobScenarioOptions): Verdict {
  return new JobScenario(options).run();
}

class JobScenario {
  readonly #options: JobScenarioOptions;
  readonly #cluster: Cluster;
  readonly #node: SimNode;
  readonly #job: WordJob;
  readonly #plan: FaultPlan;
  readonly #slotCount: number;
  readonly #parallelism: number;
  readonly #shuffle: Shuffle;
  readonly #adaptive: AdaptiveOptions | null;
  readonly #old: string | null;
  readonly #runs: JobRun[] = [];
  /** Those that have befallen no run yet. */
  readonly #taskFaults: Set<TaskFault>;
  /** Cancels that wait for their state. */
  readonly #cancels = new Set<Extract<JobFault, { kind: 'cancelInState' }>>();
  readonly #counts: Record<string, number> = { runs: 0, finished: 0, failed: 0, cancelled: 0 };
  /** By path: the output as it was judged last. */
  readonly #seen = new Map<string, { inode: Inode | undefined; writeCount: number }>();
  #isDone = false;

  constructor(options: JobScenarioOptions) {
    this.#options = options;
    this.#cluster = new Cluster({
      seed: options.seed,
      onJobFault: (fault) => this.#carryOut(fault),
    });
    const rng = this.#cluster.world.stream('job');
    this.#job = drawWordJob(rng, options.form);
    this.#slotCount = rng.int(2, 4);
    const parallelism = rng.int(1, 4);
    this.#parallelism = options.parallelism ?? parallelism;
    const drawn = rng.int(0, 2) === 0 ? 'memory' : 'disk';
    this.#shuffle = options.shuffle ?? drawn;
    const { adaptive = drawAdaptive(this.#cluster.world.stream('adaptive')) } = options;
    this.#adaptive = adaptive;
    this.#old = rng.int(0, 2) === 0 ? null : 'the old content\n';
    const faultOptions = {
      node: nodeName,
      slotCount: this.#slotCount,
      parallelism: this.#parallelism,
      ...{ outputFolder, inputFolder, spillFolder },
      callCount: 200,
      runMs: 500,
    };
    const faults = this.#cluster.world.stream('faults');
    this.#plan = options.plan ?? drawJobFaults(faults, faultOptions);
    this.#taskFaults = new Set(this.#plan.faults.filter((fault) => fault.kind === 'taskFault'));
    this.#node = this.#cluster.addNode(nodeName, this.#plan, (env) => this.#start(env));
    fillDisk(this.#node.diskState, this.#job, this.#old);
  }

  run(): Verdict {
    const { world } = this.#cluster;
    for (const output of this.#job.outputs) {
      world.addJudge('whole output', () => this.#judgeOutput(output));
    }
    this.#cluster.armFaults(this.#plan.faults, faultsEndMs);
    world.run(endMs);
    if (world.failure === null && !this.#isDone)
      world.fail('finishes', 'no run of the job finished');
    this.#runs.at(-1)?.release();
    return {
      seed: this.#options.seed,
      failure: world.failure,
      traceHash: world.trace.digest(),
      plan: this.#plan,
      eventCount: world.eventCount,
      counts: { ...this.#counts, diskCalls: this.#node.diskState.callCount },
    };
  }

  #start(env: Env): void {
    if (this.#isDone) return;
    const { world } = this.#cluster;
    const run = new JobRun(env, {
      node: this.#node,
      job: this.#job,
      slotCount: this.#slotCount,
      parallelism: this.#parallelism,
      shuffle: this.#shuffle,
      adaptive: this.#adaptive,
      faults: this.#taskFaults,
      plant: this.#options.plant ?? {},
      onState: (state) => this.#entered(run, state),
    });
    this.#runs.at(-1)?.release();
    this.#runs.push(run);
    this.#counts.runs = this.#runs.length;
    if (this.#runs.length > runsMax) world.fail('finishes', `run ${runsMax} has not finished`);
    const { incarnation } = this.#node;
    world.after(runMsMax, () => {
      const isPending = incarnation?.isAlive && run === this.#runs.at(-1) && !this.#isDone;
      if (isPending) world.fail('the job ends', `no outcome after ${runMsMax} ms: ${run.states}`);
    });
    void this.#runToOutcome(run);
  }

  async #runToOutcome(run: JobRun): Promise<void> {
    const state = this.#node.diskState;
    const hiddenBefore = hiddenNames(state);
    const spillBefore = spillNames(state);
    const failureCount = state.failures.length;
    const old = this.#outputsNow();
    const outcome = await run.outcome();
    this.#counts[outcome.status] = (this.#counts[outcome.status] ?? 0) + 1;
    this.#cluster.world.note(nodeName, 'outcome', `${outcome.status} ${outcome.error?.code}`);
    this.#judge('empty memory', run.heldMemory());
    this.#judge('one outcome', oneOutcomeOf(run, outcome));
    this.#counts.taskFaults = (this.#counts.taskFaults ?? 0) + run.faultCount;
    for (const { kind } of outcome.stages.flatMap(({ adaptations }) => adaptations)) {
      this.#counts[kind] = (this.#counts[kind] ?? 0) + 1;
    }
    this.#judge('no temporary file', leftoverOf(run, state, hiddenBefore));
    this.#judge('no spill file', spillOf(run, state, spillBefore));
    if (outcome.status === 'finished') {
      this.#judge('right totals', wrongTotals(this.#job, outcome));
      return await this.#finish(run);
    }
    if (outcome.status === 'cancelled' && !run.wasCancelled) {
      this.#judge('the reason', 'a job is cancelled that nobody cancelled');
    }
    if (
      outcome.error !== null &&
      !isInjected(outcome.error, run, state.failures.slice(failureCount))
    ) {
      this.#judge('the reason', `${outcome.error.code}: ${outcome.error.message}`);
    }
    const mayBeNew = outcome.status === 'failed' && run.states.includes('committing');
    if (!mayBeNew && !isSame(this.#outputsNow(), old)) {
      this.#judge('old output', 'it was replaced');
    }
    const last = this.#outputsNow();
    await run.stop();
    if (!isSame(this.#outputsNow(), last)) {
      this.#judge('old output', 'it changed after the outcome');
    }
    this.#node.crashFor(50, 'the command is given again', 'killed');
  }

  /** The output is there to stay, whether the power goes at once or after an orderly end. */
  async #finish(run: JobRun): Promise<void> {
    this.#isDone = true;
    this.#judge('right output', this.#wrongOutput());
    if (this.#cluster.world.stream('end').int(0, 2) === 0) await run.stop();
    this.#node.crash('after the job has finished', 'powerCut');
    this.#judge('durable output', this.#wrongOutput());
  }

  #entered(run: JobRun, state: string): void {
    for (const fault of this.#cancels) {
      if (fault.state !== state) continue;
      this.#cancels.delete(fault);
      // Bound to the life: nobody can cancel the job of a process that is gone.
      this.#node.incarnation?.after(fault.afterMs, () => run.cancel());
    }
  }

  #carryOut(fault: JobFault): void {
    // The run has those of tasks from its start; those at steps are of jobs with checkpoints.
    if (fault.kind === 'taskFault' || fault.kind === 'atStep') return;
    if (fault.kind === 'cancelInState') {
      this.#cancels.add(fault);
      return;
    }
    const run = this.#node.isUp ? this.#runs.at(-1) : undefined;
    if (fault.kind === 'cancelJob') run?.cancel();
    else if (fault.kind === 'slotDies') run?.killSlot(fault.slot);
    else run?.slowSlot(fault.slot, fault.by);
  }

  #judge(name: string, objection: string | null): void {
    if (objection !== null) this.#cluster.world.fail(name, objection);
  }

  /** After every event: old or new, and new only once a run has begun to commit. */
  #judgeOutput({ path, expected }: WordOutput): string | null {
    const inode = this.#node.diskState.names.get(path);
    const writeCount = inode?.pending.length ?? 0;
    const seen = this.#seen.get(path);
    if (seen !== undefined && inode === seen.inode && writeCount === seen.writeCount) return null;
    this.#seen.set(path, { inode, writeCount });
    const content = contentOf(inode);
    if (content === this.#old) return null;
    const mayBeNew = this.#runs.some(({ states }) => states.includes('committing'));
    if (content === expected && mayBeNew) return null;
    if (content === null) return `the old ${path} is gone`;
    return `${path} holds ${content.length} characters, neither the old output nor the new one`;
  }

  #outputsNow(): (Inode | undefined)[] {
    return this.#job.outputs.map(({ path }) => this.#node.diskState.names.get(path));
  }

  #wrongOutput(): string | null {
    for (const [index, inode] of this.#outputsNow().entries()) {
      const content = contentOf(inode);
      const { path, expected } = this.#job.outputs[index] ?? { path: '', expected: '' };
      if (content === expected) continue;
      const { length } = expected;
      return `${path} has ${content?.length ?? 'no'} characters instead of the right ${length}`;
    }
    return null;
  }
}

/** Plans that stay; those of small files, where all partitions are joined; and sizes that fit a kilobyte. */
function drawAdaptive(rng: Rng): AdaptiveOptions | null {
  const choice = rng.int(0, 4);
  if (choice === 0) return null;
  return choice === 1 ? adaptiveDefaults : smallSizes(2 ** rng.int(4, 11), rng.int(0, 2) === 0);
}

/** Adaptive choices for a job of a kilobyte. @param broadcasts - Whether small build sides go to all tasks. */
export function smallSizes(taskBytes: number, broadcasts: boolean): AdaptiveOptions {
  return {
    ...{ taskBytesMin: taskBytes, taskBytesMax: taskBytes * 4 },
    ...{ skewFactor: 1, skewBytesMin: 1, splitBytesMin: 1 },
    broadcastBytesMax: broadcasts ? 2 ** 20 : -1,
    broadcastCopiesBytesMax: 2 ** 30,
  };
}

function isSame(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.every((one, index) => one === b[index]);
}

/** The inputs and the old output, all durable, without a disk call. */
function fillDisk(state: SimDiskState, { inputs, outputs }: WordJob, old: string | null): void {
  for (const [path, content] of inputs) putFile(state, path, content);
  state.folders.add(outputFolder);
  if (old === null) return;
  for (const { path } of outputs) putFile(state, path, new TextEncoder().encode(old));
}

/** A file that is there before the run, with its folders. */
export function putFile(state: SimDiskState, path: string, content: Uint8Array): void {
  const folder = path.slice(0, path.lastIndexOf('/'));
  const inode = { cached: content, durable: content.slice(), pending: [], modifiedMs: 0 };
  for (let name = folder; name !== ''; name = name.slice(0, name.lastIndexOf('/'))) {
    state.folders.add(name);
  }
  state.changeNames(folder, (names) => names.set(path, inode));
  state.syncDir(folder);
}

function contentOf(inode: Inode | undefined): string | null {
  return inode === undefined ? null : new TextDecoder().decode(inode.cached);
}

/** Names of work in progress beside the output. */
function hiddenNames(state: SimDiskState): Set<string> {
  const prefix = `${outputFolder}/.`;
  return new Set([...state.names.keys()].filter((path) => path.startsWith(prefix)));
}

function spillNames(state: SimDiskState): Set<string> {
  return new Set([...state.names.keys()].filter((path) => path.startsWith(`${spillFolder}/`)));
}

/** Spill files and map outputs that are still there, unless the disk failed while they were removed. */
function spillOf(run: JobRun, state: SimDiskState, before: Set<string>): string | null {
  const left = [...spillNames(state)].filter((path) => !before.has(path));
  return left.length === 0 || run.hasLeftSpill ? null : `${left.join(', ')} is left`;
}

/** What a run left behind, unless the disk failed while it was cleaning up. */
function leftoverOf(run: JobRun, state: SimDiskState, before: Set<string>): string | null {
  const left = [...hiddenNames(state)].filter((path) => !before.has(path));
  if (left.length === 0) return null;
  const { failuresAtGivenUp, failuresAtStop } = run;
  if (failuresAtGivenUp !== null && failuresAtGivenUp > failuresAtStop) return null;
  return `${left.join(', ')} is left`;
}

/** What is told of a finished job: all inputs are read, all rows are written. */
function wrongTotals({ inputs, outputs, readCount }: WordJob, outcome: JobOutcome): string | null {
  const { bytesIn, rowsOut } = outcome.totals;
  const rowCount = outputs.reduce((sum, output) => sum + output.rowCount, 0);
  const once = [...inputs.values()].reduce((sum, content) => sum + content.length, 0);
  const sizeBytes = once * readCount;
  if (bytesIn === sizeBytes && rowsOut === rowCount) return null;
  return `${bytesIn} of ${sizeBytes} bytes in, ${rowsOut} of ${rowCount} rows out`;
}

function oneOutcomeOf({ states }: JobRun, { status }: JobOutcome): string | null {
  const ends = states.filter((state) => ['finished', 'failed', 'cancelled'].includes(state));
  return ends.length === 1 && ends[0] === status ? null : `${status} after ${states.join(', ')}`;
}

/** Whether a fault of this run is what the error, or one of its causes, tells of. */
function isInjected(error: WireError, run: JobRun, failures: readonly FailedCall[]): boolean {
  if (error.code === 'THREAD_DIED') return run.hasDeadSlot;
  const { path, systemCode } = error.details ?? {};
  if (failures.some((call) => call.path === path && call.systemCode === systemCode)) return true;
  return error.cause !== undefined && isInjected(error.cause, run, failures);
}
