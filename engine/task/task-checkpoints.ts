/**
 * The checkpoints of a task: from a barrier to the word that the task's part is on disk, or that it can't be.
 *
 *     restore, before the first row
 *     source: triggered ─┐
 *     others: barrier ───┴─▶ begin ─▶ each operator hands out its snapshot ─▶ passed ─▶ written beside the work ─▶ told
 *
 * An unaligned barrier has more to keep: what was on its way (engine/task/channel-parts.ts). What the channels in have of that
 * is known a little later.
 *
 * A snapshot that can't be written is no failure of the task: the checkpoint is given up, and the next one may do.
 *
 * Before: engine/task/task.ts. After: engine/checkpoint/snapshot-files.ts, engine/task/mark-passage.ts.
 */
import { assert } from '../../base/assert.ts';
import { closeAll } from '../../base/close-all.ts';
import {
  codeOf,
  type TypedError,
  toWire,
  typedError,
  type WireError,
} from '../../base/typed-error.ts';
import type { Barrier, CheckpointTrigger } from '../checkpoint/barrier.ts';
import type { ChannelRecording } from '../checkpoint/channel-recording.ts';
import type { RestoredOperator, SnapshotFiles, SnapshotRun } from '../checkpoint/snapshot-files.ts';
import type { OperatorSnapshot, TaskSnapshot } from '../checkpoint/task-snapshot.ts';
import type { Json } from '../contracts/json.ts';
import type { SnapshotWriter, SourceSnapshot } from '../contracts/snapshot.ts';
import type { Operator } from '../operators/operator.ts';
import { isChannelKind } from '../plan/channel-ref.ts';
import { keptAs } from '../plan/kept-as.ts';
import { ChannelParts, type ChannelPartsContext } from './channel-parts.ts';

/** What is told of a checkpoint: the task's part, or why there is none. */
export type CheckpointReport =
  | { readonly checkpointId: number; readonly snapshot: TaskSnapshot }
  /** What the sink has prepared counts all the same. */
  | { readonly checkpointId: number; readonly error: WireError; readonly prepared: Json };

export interface TaskCheckpointsOptions extends ChannelPartsContext {
  readonly taskId: string;
  readonly files: SnapshotFiles;
  readonly clock: { mono(): number; wall(): number };
}

interface Taken {
  readonly checkpointId: number;
  readonly alignmentMs: number;
  readonly run: SnapshotRun;
  readonly source: SourceSnapshot | null;
  readonly beganAtMs: number;
  prepared: Json;
  passedAtMs: number;
  readonly startDelayMs: number;
  /** Steps of writing in one turn of the task. */
  readonly stepsAtOnce: number;
  /** Of one that overtakes what is on its way. */
  readonly channels: ChannelParts;
  /** What was in the channels in; null where nothing has to be waited for any more. */
  recording: ChannelRecording | null;
  /** Why nothing comes of it; null where nothing stands in its way. */
  failure: TypedError | null;
}

export class TaskCheckpoints {
  readonly #options: TaskCheckpointsOptions;
  /** Asked for, and not begun; of use to tasks without channels in. */
  #triggered: Triggered[] = [];
  /** That whose barrier goes through the chain. */
  #passing: Taken | null = null;
  #begunId = 0;
  /** The barrier behind which the source gives out nothing; null where it reads on. */
  #haltsAt: number | null = null;
  /** Passed or declined, and not told; oldest first. */
  #writing: (Taken | Skipped)[] = [];
  #reports: CheckpointReport[] = [];
  /** Declined, and later than the last one that has begun. */
  readonly #declined = new Set<number>();
  /** Declined while another one went through the chain. */
  #skipped: Skipped[] = [];
  /** Operators, by place, that have taken in what they go on from; and what the next one reads it from. */
  #restoredCount = 0;
  #restored: RestoredOperator | null = null;

  constructor(options: TaskCheckpointsOptions) {
    this.#options = options;
  }

  /**
   * Takes in what operators of earlier tasks have kept.
   *
   * @param places - Operators by place in the chain.
   * @returns False asks to be called again, before anything is read: time is up.
   * @throws Errors of the disk, and of what is damaged there.
   */
  restore(places: readonly (Operator | null)[], isOver: () => boolean): boolean {
    const { files, vertex } = this.#options;
    for (; this.#restoredCount < places.length; this.#restoredCount++) {
      const operator = places[this.#restoredCount];
      const spec = vertex.chain[this.#restoredCount];
      if (spec === undefined || operator?.restore === undefined) continue;
      this.#restored ??= files.readerOf({ id: spec.id, kind: keptAs(spec) });
      if (this.#restored === null) continue;
      while (!operator.restore(this.#restored)) if (isOver()) return false;
      this.#restored.close();
      this.#restored = null;
    }
    return true;
  }

  /** Whether a snapshot has not been written. */
  get isWriting(): boolean {
    return this.#writing.length > 0;
  }

  /** The barrier that the source is to begin with next; null when there is none. */
  get triggered(): Barrier | null {
    return this.#triggered[0]?.barrier ?? null;
  }

  /** The same, if it is to go ahead of all that is on its way: it is unaligned, or has waited for too long. */
  get urgent(): Barrier | null {
    const [first] = this.#triggered;
    if (first === undefined) return null;
    const { timeoutMs, ...barrier } = first.barrier;
    if (barrier.mode === 'unaligned') return barrier;
    const isDue = this.#options.clock.mono() >= first.dueAtMs;
    return isDue ? { ...barrier, mode: 'unaligned' } : null;
  }

  /** When one that waits in its turn is to go ahead, by the clock; infinity for never. */
  get dueAtMs(): number {
    return this.#triggered[0]?.dueAtMs ?? Number.POSITIVE_INFINITY;
  }

  /** Whether the source gives out nothing until it is told to go on. */
  get isHalted(): boolean {
    return this.#haltsAt !== null && this.#begunId >= this.#haltsAt;
  }

  /** Triggered twice is triggered once. */
  trigger(trigger: CheckpointTrigger): void {
    const { checkpointId, timeoutMs = Number.POSITIVE_INFINITY, halts } = trigger;
    const last = this.#triggered.at(-1)?.barrier.checkpointId ?? this.#begunId;
    if (checkpointId <= last) return;
    const dueAtMs = this.#options.clock.mono() + timeoutMs;
    this.#triggered.push({ barrier: { kind: 'barrier', ...trigger }, dueAtMs });
    if (halts === true) this.#haltsAt = checkpointId;
  }

  /** The source gives out rows again. */
  goOn(): void {
    this.#haltsAt = null;
  }

  /** Whether its barrier has begun to go through the task. */
  hasBegun(checkpointId: number): boolean {
    return checkpointId <= this.#begunId;
  }

  /**
   * All rows so far are in front of the barrier, or are told of as on their way.
   * @param source - Where the task's source is.
   */
  begin(
    { checkpointId, alignmentMs = 0, triggeredAtMs, mode }: Barrier,
    source: SourceSnapshot | null = null,
    recording: ChannelRecording | null = null,
  ): void {
    assert(this.#passing === null, 'one barrier goes through a chain at a time');
    // Those that it came before will not come any more; that is told before it is.
    const firstId = this.#begunId > 0 ? this.#begunId + 1 : checkpointId - overtakenMax;
    for (let id = Math.max(1, firstId); id < checkpointId; id++) this.decline(id);
    this.#begunId = checkpointId;
    this.#triggered = this.#triggered.filter(({ barrier }) => barrier.checkpointId > checkpointId);
    const { files, clock } = this.#options;
    const run = files.begin(checkpointId);
    const beganAtMs = clock.mono();
    const startDelayMs = Math.max(0, clock.wall() - (triggeredAtMs ?? clock.wall()));
    this.#passing = {
      ...{ checkpointId, alignmentMs, run, source, recording, startDelayMs, prepared: null },
      ...{ beganAtMs, passedAtMs: beganAtMs, failure: null },
      stepsAtOnce: mode === 'unaligned' || recording !== null ? stepsBehindRows : 1,
      channels: new ChannelParts(this.#options, (ref) => run.writerOf(ref)),
    };
  }

  /** What waits in front of an operator of the chain, and what had not gone out of an output: it is kept with the rest. */
  get channels(): ChannelParts {
    assert(this.#passing !== null, 'a barrier goes through the chain');
    return this.#passing.channels;
  }

  /** The barrier of the checkpoint will not go through this task. */
  decline(checkpointId: number): void {
    const declined = this.#declined;
    if (checkpointId <= this.#begunId || declined.has(checkpointId)) return;
    for (const id of declined) if (id <= this.#begunId) declined.delete(id);
    declined.add(checkpointId);
    // Answers come in the order of barriers: behind that of the one that goes through the chain now.
    const skipped = { checkpointId, failure: overtaken(checkpointId), run: null };
    if (this.#passing === null) this.#writing.push(skipped);
    else this.#skipped.push(skipped);
  }

  /** Nothing will come of the checkpoint: what is not written needs not be. */
  cancel(checkpointId: number): void {
    this.#triggered = this.#triggered.filter(
      ({ barrier }) => barrier.checkpointId !== checkpointId,
    );
    for (const taken of [...this.#writing, ...(this.#passing === null ? [] : [this.#passing])]) {
      const isMeant = taken.checkpointId === checkpointId && taken.run !== null;
      if (isMeant) taken.failure ??= givenUp(checkpointId);
    }
  }

  /** Where the operator at a place of the chain hands its snapshot. */
  writerOf(place: number): SnapshotWriter {
    const spec = this.#options.vertex.chain[place];
    assert(spec !== undefined && this.#passing !== null, 'a barrier goes through the chain');
    return this.#passing.run.writerOf({ id: spec.id, kind: keptAs(spec) });
  }

  /** The barrier has gone through. @param prepared - What the task's sink has prepared for commit. */
  passed(prepared: Json): void {
    const taken = this.#passing;
    assert(taken !== null, 'a barrier goes through the chain');
    this.#passing = null;
    taken.prepared = prepared;
    taken.passedAtMs = this.#options.clock.mono();
    if (taken.recording === null) taken.channels.writeNotes();
    this.#writing.push(taken, ...this.#skipped.splice(0));
  }

  /** Writes for a moment. `waiting`: all is written that is known; a channel in has to announce the barrier. */
  step(): 'more' | 'waiting' | 'done' {
    const [taken] = this.#writing;
    if (taken === undefined) return 'done';
    if (taken.run !== null) this.#takeRecorded(taken);
    if (taken.run !== null && taken.failure === null) {
      if (!this.#write(taken.run, taken.stepsAtOnce)) return 'more';
      if (taken.recording !== null) return 'waiting';
    }
    this.#writing.shift();
    const { checkpointId, failure } = taken;
    const report =
      taken.run === null
        ? { checkpointId, error: toWire(failure), prepared: null }
        : this.#reportOf(taken);
    this.#reports.push(report);
    return this.#writing.length === 0 ? 'done' : 'more';
  }

  /** Whether all rows are written that are known. */
  #write(run: SnapshotRun, stepsAtOnce: number): boolean {
    for (let steps = 1; !run.step(); steps++) if (steps >= stepsAtOnce) return false;
    return true;
  }

  #takeRecorded(taken: Taken): void {
    const { recording, channels, checkpointId } = taken;
    if (recording === null) return;
    if (recording.hasFailed) taken.failure ??= overtaken(checkpointId);
    if (!recording.isComplete) return;
    taken.recording = null;
    channels.addRecorded(recording);
    channels.writeNotes();
  }

  /** The next report, or null. */
  takeReport(): CheckpointReport | null {
    return this.#reports.shift() ?? null;
  }

  close(): void {
    const open = [...this.#writing, ...(this.#passing === null ? [] : [this.#passing])];
    this.#writing = [];
    this.#passing = null;
    closeAll([this.#restored, ...open.map(({ run }) => ({ close: () => run?.abort() }))]);
  }

  #reportOf({ checkpointId, run, source, prepared, failure, ...times }: Taken): CheckpointReport {
    const { taskId, taskIndex, vertex, clock } = this.#options;
    if (failure !== null) abortQuietly(run);
    const outcome = failure === null ? run.finish() : ({ kind: 'failed', error: failure } as const);
    if (outcome.kind === 'failed') {
      return { checkpointId, error: toWire(outcome.error), prepared };
    }
    const { operators, sizeBytes } = outcome;
    const { alignmentMs, beganAtMs, passedAtMs, startDelayMs } = times;
    return {
      checkpointId,
      snapshot: {
        ...{ taskId, taskIndex, operators, prepared },
        source: source && { ...source, operatorId: vertex.chain[0]?.id ?? '' },
        vertexId: vertex.id,
        parallelism: vertex.parallelism,
        statistics: {
          ...{ startDelayMs, alignmentMs, syncMs: passedAtMs - beganAtMs },
          asyncMs: clock.mono() - passedAtMs,
          sizeBytes,
          inFlightBytes: inFlightBytesOf(operators),
        },
      },
    };
  }
}

/** Of one that goes ahead of rows: they wait anyway, and as much time is for writing what waits as for them. */
const stepsBehindRows = 4;

/** One whose barrier will not come. */
interface Skipped {
  readonly checkpointId: number;
  readonly failure: TypedError;
  readonly run: null;
}

/** As many checkpoints may be under way (coordinator/checkpoint/checkpoint-options.ts), and savepoints. */
const overtakenMax = 32;

interface Triggered {
  readonly barrier: Barrier;
  readonly dueAtMs: number;
}

function inFlightBytesOf(operators: readonly OperatorSnapshot[]): number {
  const parts = operators.flatMap(({ kind, parts }) => (isChannelKind(kind) ? parts : []));
  return parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

/** A file that stays behind is removed with those of other checkpoints. */
function abortQuietly(run: SnapshotRun): void {
  try {
    run.abort();
  } catch (error) {
    if (codeOf(error) === null) throw error;
  }
}

function givenUp(checkpointId: number): TypedError {
  return typedError('CHECKPOINT_FAILED', `checkpoint ${checkpointId} was given up`);
}

function overtaken(checkpointId: number): TypedError {
  const message = `checkpoint ${checkpointId} did not come on all channels: a later one was there first`;
  return typedError('CHECKPOINT_FAILED', message);
}
