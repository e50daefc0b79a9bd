/**
 * Scenario: a job with checkpoints, run again from the newest one whenever its program dies or is taken for dead, until it has
 * finished: with the real coordinator, worker and slot programs, on one disk.
 *
 *     program 0 ──killed, paused, failed──▶ program 1, other parallelism ──…──▶ finished
 *        └── what of it lives on, or wakes up, goes on beside its successor
 *
 * Judged: after every event others see no row twice, none that is not right, and those of a key in order; each complete
 * checkpoint is a consistent cut (cut-oracle.ts); the job finishes in bounded time, with all rows, which survive a power cut;
 * no memory is left in slots; nothing fails that no fault explains.
 */
import type { Env } from '../../base/env/env.ts';
import { createSeededRngSource } from '../../base/env/seeded-rng.ts';
import { decodeManifest } from '../../coordinator/checkpoint/checkpoint-manifest.ts';
import {
  type CheckpointOptions,
  mayKeepRows,
} from '../../coordinator/checkpoint/checkpoint-options.ts';
import type { CheckpointRequest } from '../../coordinator/job/checkpointed-job.ts';
import { planJob } from '../../coordinator/planner/planner.ts';
import { buildJob } from '../../engine/api/build-job.ts';
import type { SnapshotPart } from '../../engine/checkpoint/task-snapshot.ts';
import type { Connector } from '../../engine/contracts/connector.ts';
import type { PhysicalGraph } from '../../engine/plan/physical-graph.ts';
import type { TaskOptions } from '../../engine/task/task-parts.ts';
import { Cluster } from '../cluster.ts';
import type { FaultPlan, StepFault, StepFaultKind } from '../faults.ts';
import { putFile } from '../job-scenario.ts';
import type { Verdict } from '../leader-lease-scenario.ts';
import type { Life } from '../life.ts';
import { type DiskFault, type DiskPlace, SimDiskState } from '../sim-disk-state.ts';
import type { SimNode } from '../sim-node.ts';
import type { SlotPlant } from '../sim-slots.ts';
import { NodeExit } from '../world.ts';
import { drawFaults } from './checkpoint-faults.ts';
import { type CutMode, CutOracle } from './cut-oracle.ts';
import { JobProgram, type JobProgramOptions, type ProgramOutcome } from './job-program.ts';
import { OutputJudge } from './output-judge.ts';
import { diskStepOf, ProtocolSteps } from './protocol-steps.ts';
import { RegionWatch } from './region-watch.ts';
import { textsOfPart } from './row-texts.ts';
import { drawSumsJob, type SumsJob } from './sums-job.ts';
import { type MessageFate, watchedNet } from './watched-net.ts';
import { watchedTask } from './watched-task.ts';

/** Wrong parts in place of right ones: how tests show that the judges would notice. */
export interface CheckpointPlant
  extends Pick<JobProgramOptions, 'step' | 'stepCheckpoints'>,
    SlotPlant {
  readonly connector?: (connector: Connector) => Connector;
  readonly env?: (env: Env) => Env;
  readonly task?: (options: TaskOptions) => TaskOptions;
}

export interface CheckpointScenarioOptions {
  readonly seed: number;
  readonly plan?: FaultPlan;
  readonly plant?: CheckpointPlant;
  /** `twins`: two pipelines that share nothing. @defaultValue 'sums' */
  readonly job?: 'sums' | 'twins';
  /** How barriers go, and what a complete checkpoint has to be therefore. @defaultValue 'aligned' */
  readonly mode?: CutMode;
  /** Whether tasks are on two workers, with connections between them that break. @defaultValue false */
  readonly isApart?: boolean;
  /** Is told each step as it is taken. */
  readonly onStep?: (step: string) => void;
}

/** What looks at one attempt of the job. */
interface AttemptWatch {
  readonly oracle: CutOracle;
  readonly watch: RegionWatch;
}

/** Of the job's checkpoints. */
const jobFolder = '/node/chk/sums';
const endMs = 240_000;
/** After the job has finished: for what still lives beside it. */
const afterwardsMs = 1_500;
/** Programs that may be needed: each fault takes one, and fencing some. */
const programsMax = 24;
const pauseMs = 120;
const longPauseMs = 20_000;

/** Runs one seed; call it inside `inMacrotask`. Without a plan the faults are drawn, from the steps of a run without any. */
export function runCheckpoints(options: CheckpointScenarioOptions): Verdict {
  if (options.plan !== undefined) return new CheckpointScenario(options).run();
  const rng = createSeededRngSource(options.seed).stream('faults');
  const faults = drawFaults(rng, stepsOf(options.seed, [], options));
  return new CheckpointScenario({ ...options, plan: { clocks: {}, faults } }).run();
}

/** How often each step is taken in a run. @param faults - That befall it. @defaultValue none */
export function stepsOf(
  seed: number,
  faults: readonly StepFault[] = [],
  {
    isApart = false,
    job = 'sums',
    mode = 'aligned',
  }: Pick<CheckpointScenarioOptions, 'isApart' | 'job' | 'mode'> = {},
): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  const onStep = (step: string) => void counts.set(step, (counts.get(step) ?? 0) + 1);
  new CheckpointScenario({ seed, plan: { clocks: {}, faults }, isApart, job, mode, onStep }).run();
  return counts;
}

/** How barriers go. One that turns waits for a moment first. */
function wayOf(mode: CutMode): Pick<CheckpointOptions, 'mode' | 'alignmentTimeoutMs'> {
  switch (mode) {
    case 'turning':
      return { mode: 'aligned', alignmentTimeoutMs: 2 };
    case 'atLeastOnce':
      return { mode: 'at-least-once', alignmentTimeoutMs: null };
    default:
      return { mode, alignmentTimeoutMs: null };
  }
}

class CheckpointScenario {
  readonly #options: CheckpointScenarioOptions;
  readonly #cluster: Cluster;
  readonly #plan: FaultPlan;
  readonly #job: SumsJob;
  readonly #steps: ProtocolSteps;
  readonly #disk: SimDiskState;
  readonly #output: OutputJudge;
  readonly #checkpoints: CheckpointRequest;
  readonly #programs: JobProgram[] = [];
  /** By program and attempt. */
  readonly #watches = new Map<string, AttemptWatch>();
  /** By program: the number of its attempt that runs. */
  readonly #epochs = new Map<number, number>();
  readonly #counts: Record<string, number> = {
    ...{ programs: 0, attempts: 0, checkpoints: 0, failed: 0, fenced: 0, finished: 0 },
  };
  /** The program that is to be replaced, or its successor is on its way. */
  #isReplacing = false;
  #isDone = false;

  constructor(options: CheckpointScenarioOptions) {
    this.#options = options;
    this.#cluster = new Cluster({ seed: options.seed });
    const { world } = this.#cluster;
    const rng = world.stream('job');
    this.#plan = options.plan ?? { clocks: {}, faults: [] };
    const drawn = drawSumsJob(rng, 400 * 2 ** rng.int(0, 3), options.job === 'twins');
    const { connector: change = (same: Connector) => same } = options.plant ?? {};
    const connectors = new Map([...drawn.connectors].map(([name, one]) => [name, change(one)]));
    this.#job = { ...drawn, connectors };
    this.#checkpoints = {
      folder: '/node/chk',
      from: { kind: 'latest' },
      options: {
        intervalMs: rng.int(12, 40),
        minPauseMs: rng.int(0, 3) === 0 ? 5 : 0,
        timeoutMs: 3_000,
        inFlightMax: rng.int(1, 4),
        failuresMax: rng.int(0, 3),
        ...wayOf(options.mode ?? 'aligned'),
      },
      restart: { kind: 'fixed-delay', attempts: 3, delayMs: 10 },
    };
    const stepFaults = this.#plan.faults.filter((fault) => fault.kind === 'atStep');
    this.#steps = new ProtocolSteps(stepFaults);
    this.#disk = new SimDiskState(world.stream('disk'));
    this.#disk.watch = (place, life) => this.#atDisk(place, life);
    this.#output = new OutputJudge(this.#disk, this.#job);
    for (const { path, content } of this.#job.files) putFile(this.#disk, path, content);
    for (const folder of drawn.outputFolders) this.#disk.folders.add(folder);
  }

  run(): Verdict {
    const { world } = this.#cluster;
    world.addJudge('right output', () => this.#output.objection());
    this.#startProgram();
    world.run(endMs);
    if (world.failure === null && !this.#isDone) world.fail('finishes', 'no program finished');
    for (const program of this.#programs) program.release();
    const { eventCount, trace } = world;
    this.#counts.steps = [...this.#steps.counts.values()].reduce((sum, count) => sum + count, 0);
    this.#counts.struck = this.#steps.struck.length;
    this.#counts.rows = this.#output.rowCount;
    const watches = [...this.#watches.values()].map(({ watch }) => watch);
    this.#counts.startedAgain = watches.reduce((sum, { again }) => sum + again.size, 0);
    const oracles = [...this.#watches.values()].map(({ oracle }) => oracle);
    for (const oracle of oracles) this.#judge('kept rows', oracle.lateObjection());
    this.#counts.keptRows = oracles.reduce((sum, { keptRows }) => sum + keptRows, 0);
    this.#counts.rowsBeside = watches.reduce((sum, { rowsBeside }) => sum + rowsBeside, 0);
    const { failure } = world;
    return {
      ...{ seed: this.#options.seed, failure, traceHash: trace.digest(), plan: this.#plan },
      ...{ eventCount, counts: this.#counts },
    };
  }

  #startProgram(): void {
    const index = this.#programs.length;
    this.#isReplacing = false;
    if (this.#isDone) return;
    const { world } = this.#cluster;
    if (index === programsMax) {
      world.fail('finishes', `${programsMax} programs did not finish the job`);
      return;
    }
    const rng = world.stream(`program ${index}`);
    const least = this.#options.isApart === true ? 2 : 1;
    const parallelism = rng.int(least, 4);
    const { plant = {} } = this.#options;
    const program: JobProgram = new JobProgram({
      ...{ cluster: this.#cluster, diskState: this.#disk, index, job: this.#job, parallelism },
      slotCount: rng.int(least, 4),
      checkpoints: this.#checkpoints,
      envOf: (env, node, own) => this.#envOf(env, node, own),
      slots: (own) => this.#slotsOf(own),
      isApart: this.#options.isApart,
      onBreak: () => this.#count('breaks'),
      ...{ step: plant.step, stepCheckpoints: plant.stepCheckpoints },
      onOutcome: (outcome) => this.#ended(program, outcome),
    });
    this.#programs.push(program);
    this.#counts.programs = this.#programs.length;
  }

  #ended(program: JobProgram, { status, error }: ProgramOutcome): void {
    const { world } = this.#cluster;
    world.note(`program ${program.index}`, 'outcome', `${status} ${error?.code}`);
    const isNewest = program === this.#programs.at(-1);
    if (error?.code === 'CHECKPOINT_FENCED') this.#count('fenced');
    else if (status !== 'finished') this.#count('failed');
    if (error !== null) this.#judge('the reason', this.#unexplained(error.code, error.message));
    world.after(0, () => program.end());
    if (!isNewest || this.#isDone) return;
    if (status !== 'finished') {
      this.#replace(30);
      return;
    }
    this.#count('finished');
    const { nowMs } = world;
    const sleepers = this.#programs.filter((one) => one !== program && one.isUp);
    const wakeMs = Math.max(0, ...sleepers.map(({ pausedUntilMs }) => pausedUntilMs - nowMs));
    world.after(sleepers.length === 0 ? 0 : wakeMs + afterwardsMs, () => this.#finish());
  }

  /** What was made visible is there to stay, whoever woke up meanwhile. */
  #finish(): void {
    this.#isDone = true;
    this.#judge('all rows', this.#output.finalObjection());
    this.#cutPower();
    this.#judge('durable rows', this.#output.finalObjection());
  }

  /** A checkpoint that can't be read, however often, is given up for the one before: then rows come again. */
  #fallBack(): void {
    this.#judge('whole checkpoint', this.#isUnreadable ? null : 'a checkpoint is damaged');
    this.#count('damaged');
    this.#output.letRepeat();
  }

  get #isUnreadable(): boolean {
    return this.#steps.struck.some(({ what }) => what === 'fails again and again');
  }

  /** Bugs and lost data are never explained by a fault; and nothing fails where there is none. */
  #unexplained(code: string, message: string): string | null {
    const never = ['INTERNAL_UNEXPECTED', 'SNAPSHOT_DAMAGED', 'CHECKPOINT_DAMAGED', 'SINK_LOST'];
    const isKnown = code === 'CHECKPOINT_DAMAGED' && this.#isUnreadable;
    if (never.includes(code) && !isKnown) return `${code}: ${message}`;
    return this.#steps.struck.length > 0 ? null : `${code} without a fault: ${message}`;
  }

  /** Another program takes over, whether or not the newest one is gone. */
  #replace(afterMs: number): void {
    if (this.#isReplacing || this.#isDone) return;
    this.#isReplacing = true;
    this.#cluster.world.after(afterMs, () => this.#startProgram());
  }

  #judge(name: string, objection: string | null): void {
    if (objection !== null) this.#cluster.world.fail(name, objection);
  }

  #count(name: string): void {
    this.#counts[name] = (this.#counts[name] ?? 0) + 1;
  }

  #envOf(env: Env, node: SimNode, program: JobProgram): Env {
    const { incarnation } = node;
    const own = this.#options.plant?.env?.(env) ?? env;
    if (incarnation === null) return own;
    const around = (step: string, pass: (fate: MessageFate) => void) =>
      this.#atMessage(step, { program, life: incarnation }, pass);
    return {
      ...own,
      net: watchedNet(own.net, incarnation, { around }),
      observe: {
        event: (name, fields) => {
          own.observe.event(name, fields);
          if (name === 'checkpoint.complete' && incarnation.isAlive) {
            this.#complete(program, Number(fields?.checkpointId));
          }
          if (name === 'task.failed') {
            const { watch } = this.#watchOf(program, Number(fields?.epoch));
            watch.failed(String(fields?.taskId), Number(fields?.attempt));
          }
          if (name === 'region.restarting') this.#count('regionRestarts');
          if (name === 'checkpoint.damaged') this.#fallBack();
          if (name === 'slot.memory-leak') this.#judge('empty memory', String(fields?.leak));
        },
      },
    };
  }

  #slotsOf(program: JobProgram): ReturnType<JobProgramOptions['slots']> {
    const { plant = {} } = this.#options;
    return {
      plant,
      faults: {
        toSlot: (message, slotIndex) => {
          this.#around(`slot told ${message.kind}`, { program, life: null, slotIndex });
          return message;
        },
        fromSlot: (message, slotIndex) => {
          this.#around(`slot says ${message.kind}`, { program, life: null, slotIndex });
          return message;
        },
      },
      makeTask: (options, { checkpoints, metrics }, slotIndex) => {
        const { oracle, watch } = this.#begun(program, checkpoints?.epoch ?? 0);
        this.#judge('others go on', watch.begins(options));
        if (options.attempt > 1) this.#startedAgain();
        const clock = oracle.clockOf(options.id, metrics);
        const at = (name: string) => this.#around(name, { program, life: null, slotIndex });
        const { vertex } = options;
        return watchedTask(plant.task?.(options) ?? options, {
          step: at,
          writing: (channel, message) => {
            if (message.kind === 'barrier') at(`barrier out of ${vertex.name}`);
            clock.writing(channel, message);
          },
          wrote: (channel, message) => clock.wrote(channel, message),
          ended: (channel) => clock.ended(channel),
          announcing: (channel, checkpointId) => {
            clock.announcing(channel, checkpointId);
            at(`barrier announced by ${vertex.name}`);
          },
          announced: (...note) => clock.announced(...note),
          read: (channel, message, place) => {
            clock.read(channel, message, place);
            if (message.kind === 'barrier') at(`barrier read by ${vertex.name}`);
          },
          restoresRows: () => clock.restoresRows(),
          begins: (checkpointId) => clock.begins(checkpointId),
        });
      },
    };
  }

  /** A task of an attempt is made. */
  #begun(program: JobProgram, epoch: number): AttemptWatch {
    if (this.#epochs.get(program.index) !== epoch) {
      this.#epochs.set(program.index, epoch);
      this.#count('attempts');
      if ((this.#counts.attempts ?? 0) > 1) this.#startedAgain();
    }
    return this.#watchOf(program, epoch);
  }

  #startedAgain(): void {
    if (this.#options.mode === 'atLeastOnce') this.#output.letCountTwice();
  }

  #watchOf(program: JobProgram, epoch: number): AttemptWatch {
    const key = `${program.index} ${epoch}`;
    const known = this.#watches.get(key);
    if (known !== undefined) return known;
    const { mode = 'aligned' } = this.#options;
    const graph = this.#graphOf(program.parallelism);
    const textsOf = (part: SnapshotPart) => textsOfPart(this.#disk, jobFolder, part);
    const oracle = new CutOracle({ graph, files: this.#job.files, mode, textsOf });
    const made = { oracle, watch: new RegionWatch(graph) };
    this.#watches.set(key, made);
    return made;
  }

  #graphOf(parallelism: number): PhysicalGraph {
    const { graph } = buildJob(this.#job.definition, {}, { overwrite: false });
    const keepsPhases = mayKeepRows(this.#checkpoints.options);
    return planJob(graph, { parallelism, mode: 'streaming', keepsPhases });
  }

  #complete(program: JobProgram, checkpointId: number): void {
    this.#count('checkpoints');
    const epoch = this.#epochs.get(program.index) ?? 0;
    const path = `${jobFolder}/chk-${checkpointId}-${epoch}/manifest.json`;
    const inode = this.#disk.names.get(path);
    const decoded = inode === undefined ? null : decodeManifest(inode.cached);
    if (decoded?.kind !== 'manifest') {
      this.#judge('whole manifest', `${path} is ${decoded?.kind ?? 'missing'}`);
      return;
    }
    const { oracle } = this.#watchOf(program, epoch);
    this.#judge('consistent cut', oracle.objection(decoded.manifest));
  }

  #atDisk(place: DiskPlace, life: Life): DiskFault | null {
    const step = diskStepOf(place, life);
    this.#options.onStep?.(step);
    const what = this.#steps.take(step);
    if (what === null) return null;
    const program = this.#programs.find(({ coordinator, worker }) =>
      [coordinator.name, worker?.name].includes(life.nodeName),
    );
    if (program === undefined) return null;
    if (what === 'fails' || what === 'fails again and again') return { kind: 'fail' };
    if (what === 'full') return { kind: 'fail', isFull: true };
    const slotIndex = life.slotIndex ?? 0;
    const when = what === 'tears' ? 'during' : what.endsWith('before') ? 'before' : 'after';
    const strike = () => this.#strike(what, { program, slotIndex });
    return { kind: 'strike', when, strike };
  }

  #atMessage(
    step: string,
    place: { readonly program: JobProgram; readonly life: Life },
    pass: (fate: MessageFate) => void,
  ): void {
    if (!place.life.isAlive) return;
    this.#options.onStep?.(step);
    const what = this.#steps.take(step);
    if (what === null || what === 'lost' || what === 'doubled' || what === 'late') {
      pass(what ?? 'passes');
      return;
    }
    const { program, life } = place;
    const strike = () => {
      this.#strike(what, { program, slotIndex: 0 });
      if (!life.isAlive) throw new NodeExit('the program went down at a message');
    };
    if (what.endsWith('before')) strike();
    pass('passes');
    if (what.endsWith('after')) strike();
  }

  /** A step without an effect of its own, in a slot: what comes after it comes when the slot has gone on for a moment. */
  #around(
    step: string,
    { program, slotIndex }: { program: JobProgram; life: Life | null; slotIndex: number },
  ): void {
    this.#options.onStep?.(step);
    const what = this.#steps.take(step);
    if (what === null) return;
    const before = program.worker?.incarnation;
    if (what.endsWith('after')) {
      this.#cluster.world.after(0, () => this.#strike(what, { program, slotIndex }));
      return;
    }
    this.#strike(what, { program, slotIndex });
    const isGone = before !== program.worker?.incarnation || what === 'slot before';
    if (isGone) throw new NodeExit('the slot went down at a step');
  }

  #strike(
    what: StepFaultKind,
    { program, slotIndex }: { program: JobProgram; slotIndex: number },
  ): void {
    const { world } = this.#cluster;
    world.note(`program ${program.index}`, 'struck', what);
    const [who] = what.split(' ');
    switch (who) {
      case 'slot':
        program.killSlot(slotIndex);
        return;
      case 'worker':
        program.worker?.crashFor(20, 'fault', 'killed');
        return;
      case 'coordinator':
        program.coordinator.crash('fault', 'killed');
        break;
      case 'pause':
      case 'long': {
        const forMs = who === 'long' ? longPauseMs : pauseMs;
        program.coordinator.pause(forMs);
        program.worker?.pause(forMs);
        break;
      }
      default:
        this.#cutPower();
        this.#replace(20);
        return;
    }
    if (program === this.#programs.at(-1)) this.#replace(5);
  }

  #cutPower(): void {
    for (const program of this.#programs) program.end();
    this.#disk.crash();
  }
}
