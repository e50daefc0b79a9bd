/**
 * A task: one parallel instance of an operator chain, run a slice at a time on a slot thread that it
 * shares with others.
 *
 *     source ─┐                                       ┌─▶ outputs ─▶ channel writers ─▶ rings
 *             ├─▶ operator ─▶ operator ─▶ operator ───┤
 *     gate ───┘     (engine/task/operator-chain.ts)   └─▶ sink
 *
 * `run` works for at most about 5 ms and never waits. It answers `busy` when there is more to do now,
 * `idle` when only others can change that (a ring is empty or full, a split is awaited), and `done`
 * once. An error leaves it by a throw: the task has failed then, and its outputs carry the mark.
 *
 * Invariants:
 * - Output goes first: nothing is read while a batch waits further down.
 * - `close` releases all memory, in every state, and marks unfinished outputs as failed, so that no
 *   reader takes half a stream for a whole one.
 * Before: worker/threads/slot-program.ts. After: engine/task/task-parts.ts.
 */
import { assert } from '../../base/assert.ts';
import { typedError } from '../../base/typed-error.ts';
import type { Batch } from '../batch/batch.ts';
import type { CheckpointTrigger } from '../checkpoint/barrier.ts';
import type { Json } from '../contracts/json.ts';
import type { SourceSnapshot } from '../contracts/snapshot.ts';
import type { Split } from '../contracts/source.ts';
import type { Operator } from '../operators/operator.ts';
import type { SourceState, TaskSource } from '../operators/source-operator.ts';
import type { PartitionBytes } from '../plan/map-output-read.ts';
import type { Vertex } from '../plan/physical-graph.ts';
import { isMark, type StreamMark } from '../stream/stream-element.ts';
import type { BuildPhase } from './build-phase.ts';
import { dynamicFiltersOf } from './dynamic-filters.ts';
import type { OperatorChain } from './operator-chain.ts';
import type { RestoredChannels } from './restored-channels.ts';
import type { CheckpointReport, TaskCheckpoints } from './task-checkpoints.ts';
import { type TaskOptions, TaskParts } from './task-parts.ts';
import { channelReport, operatorReport, type TaskReport } from './task-report.ts';
import { nextTaskState, type TaskState } from './task-state.ts';

const sliceMs = 5;
const never = Number.POSITIVE_INFINITY;

export type TaskProgress = 'busy' | 'idle' | 'done';

export class Task {
  readonly id: string;
  readonly #vertex: Vertex;
  readonly #clock: TaskOptions['clock'];
  readonly #parts: TaskParts;
  #state: TaskState = 'created';
  #hasInputEnded = false;
  /** Whether all operators have: what is left waits for room in the channels out. */
  #hasFinished = false;
  /** When the barrier that goes through in its turn is to overtake what is in its way; infinity for never. */
  #barrierDueAtMs = never;
  #isNarrowed = false;
  /** Whether the source is to end where it is. */
  #isDraining = false;
  #deadline = 0;
  #isClosed = false;

  /** Builds everything; when this throws, nothing is left in memory. */
  constructor(options: TaskOptions) {
    this.id = options.id;
    this.#vertex = options.vertex;
    this.#clock = options.clock;
    this.#parts = new TaskParts(options, () => this.#isOver());
  }

  get state(): TaskState {
    return this.#state;
  }

  /** Whether a split should be asked for now. */
  get wantsSplit(): boolean {
    return this.#parts.input?.isDone !== false && (this.#parts.source?.wantsSplit ?? false);
  }

  /** When there is something to do though nobody rings, by the clock; infinity for never. */
  get wakeAtMs(): number {
    const { chain, source, checkpoints, restored } = this.#parts;
    if (restored !== null) return never; // It goes on with these rows as long as there is room for them.
    const sourceAtMs = checkpoints?.isHalted === true ? never : (source?.dueAtMs ?? never);
    return Math.min(chain.wakeAtMs, sourceAtMs, this.#overtakesAtMs);
  }

  /** When a barrier has waited for too long. */
  get #overtakesAtMs(): number {
    const { chain, gate, checkpoints, source } = this.#parts;
    if (chain.barrier !== null) return this.#barrierDueAtMs;
    return Math.min(gate?.dueAtMs ?? never, (source && checkpoints?.dueAtMs) ?? never);
  }

  /** What the sink wrote; null before the end, and without a sink. */
  get commit(): Json {
    return this.#parts.sink?.commit ?? null;
  }

  /** What functions have counted, by the counters' names. */
  get counts(): Readonly<Record<string, number>> {
    return this.#parts.counters.counts();
  }

  /** Rows that operators have noted, by their places in the chain. */
  get notedRows(): readonly Readonly<Record<string, number>>[] {
    return this.#parts.places.map((operator, place) => {
      const { late = 0, ...others } = operator?.notedRows ?? {};
      return late === 0 || this.#vertex.chain[place]?.isLateElsewhere
        ? others
        : { late, ...others };
    });
  }

  /** What it says of itself, to whoever asks why nothing comes out. */
  inspect(): TaskReport {
    return {
      state: this.#state,
      source: this.#parts.source?.inspect() ?? null,
      input: (this.#parts.input?.times() ?? []).map(channelReport),
      operators: this.#parts.places.map((one) =>
        operatorReport(one, one && this.#parts.chain.timeOf(one)),
      ),
      fullOutputs: this.#parts.outputs.fullOutputs(),
    };
  }

  /** The state of a key in an operator of the chain; undefined when that is not here. */
  stateOf(operatorId: string, key: string): Json | undefined {
    const states = this.#keepers(operatorId).map((operator) => operator.stateOf?.(key));
    return states.find((state) => state !== undefined);
  }

  /** Whether an operator of that id keeps state by key here. */
  keepsState(operatorId: string): boolean {
    return this.#keepers(operatorId).length > 0;
  }

  #keepers(operatorId: string): Operator[] {
    const isMeant = (place: number) => this.#vertex.chain[place]?.id === operatorId;
    return this.#parts.places.flatMap((one, place) =>
      isMeant(place) && one?.stateOf ? [one] : [],
    );
  }

  /** Bytes of each partition of its map outputs, by edge. */
  get partitionBytes(): PartitionBytes {
    return this.#parts.outputs.partitionBytes;
  }

  /** What a sample reads is read once more, and counted then. */
  get #isSample(): boolean {
    const [first] = this.#vertex.chain;
    return first?.kind === 'source' && first.isSample === true;
  }

  /** Gives the source its next split, or null when there are no more; `later` when there is none now. */
  offerSplit(split: Split | null | 'later'): void {
    assert(this.#parts.source !== null, 'splits are for tasks with a source');
    this.#parts.source.offerSplit(split);
  }

  /** Of a task with a source that is done, in a job with checkpoints: what it has read. */
  get sourceSnapshot(): SourceSnapshot | null {
    const { source, checkpoints } = this.#parts;
    return checkpoints === null ? null : (source?.snapshot() ?? null);
  }

  /**
   * Of a task with a source: the checkpoint begins here, as soon as all that was read has been given out, or sooner where it is
   * unaligned. Others hear of it by their channels; one that only waits for room at its end may begin with it, too.
   */
  triggerCheckpoint(trigger: CheckpointTrigger): void {
    const { source, checkpoints } = this.#parts;
    checkpoints?.trigger(source === null ? { ...trigger, halts: false } : trigger);
  }

  /** The checkpoint is given up. */
  cancelCheckpoint(checkpointId: number): void {
    this.#parts.checkpoints?.cancel(checkpointId);
    this.#parts.gate?.cancel(checkpointId);
  }

  /** A source that has halted reads on. */
  goOn(): void {
    this.#parts.checkpoints?.goOn();
  }

  /** The source ends where it is, behind the checkpoints that have been triggered: the task goes on as if there were no more. */
  drain(): void {
    this.#isDraining = true;
  }

  /** What there is to tell of a checkpoint, or null; to be called after each `run`. */
  takeCheckpoint(): CheckpointReport | null {
    return this.#parts.checkpoints?.takeReport() ?? null;
  }

  /** @throws What an operator or a connector threw; TASK_INPUT_FAILED when a sender has failed. */
  run(): TaskProgress {
    if (this.#state === 'created') this.#go('running');
    assert(this.#state === 'running', 'a task runs until its end');
    this.#deadline = this.#clock.mono() + sliceMs;
    try {
      const progress = this.#workWithCheckpoints();
      const { source, metrics } = this.#parts;
      if (source !== null && !this.#isSample) metrics.setSource(source);
      if (progress === 'done') this.#go('finished');
      else this.#parts.outputs.flush(progress === 'idle');
      return progress;
    } catch (error) {
      this.#go('failed');
      this.#parts.outputs.fail();
      throw error;
    }
  }

  /** @throws The first error of a file that could not be closed; all else is released then, too. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#state === 'created' || this.#state === 'running') {
      this.#go('cancelled');
      this.#parts.outputs.fail();
    }
    this.#parts.close();
  }

  /** Takes in what it goes on from; then writes snapshots beside the work: until they are written it is not done. */
  #workWithCheckpoints(): TaskProgress {
    const { checkpoints, places } = this.#parts;
    if (checkpoints === null) return this.#work();
    if (!checkpoints.restore(places, () => this.#isOver())) return 'busy';
    const isBuilding = this.#parts.input?.isDone === false;
    if (this.#parts.restored !== null && !isBuilding) {
      const progress = this.#restoreChannels(this.#parts.restored);
      if (progress !== null) return progress;
    }
    // What joins look into is complete before any barrier passes them.
    if (!isBuilding) this.#overtake(checkpoints);
    const progress = this.#work();
    return checkpoints.step() === 'more' ? 'busy' : progress;
  }

  /** Works on what was on its way at the checkpoint; null when all of it has gone through. */
  #restoreChannels(restored: RestoredChannels): TaskProgress | null {
    const { chain, outputs, gate } = this.#parts;
    outputs.pump();
    for (;;) {
      // The source is further than these rows: what it knows of time would make them late where they come in behind it.
      if (!chain.pump(false)) return this.#stopped();
      if (this.#isOver()) return 'busy';
      if (restored.step(chain) === 'done') break;
    }
    this.#parts.restored = null;
    restored.close();
    const mark = gate?.goOnFrom((port) => restored.watermarkOf(port)) ?? null;
    if (mark !== null) chain.offerMark(mark);
    return null;
  }

  /** A barrier that does not wait goes ahead of all that is in its way; one that has waited for too long from where it is. */
  #overtake(checkpoints: TaskCheckpoints): void {
    const { chain, gate } = this.#parts;
    for (const checkpointId of gate?.takeDropped() ?? []) checkpoints.decline(checkpointId);
    const { barrier } = chain;
    if (barrier !== null) {
      if (this.#clock.mono() < this.#barrierDueAtMs) return;
      this.#barrierDueAtMs = never;
      chain.turnUnaligned();
    } else if (gate === null || this.#hasFinished) this.#overtakeFromHere(checkpoints);
    else if (!this.#hasInputEnded) {
      const ahead = gate.passesAhead();
      if (ahead === null) return;
      this.#barrierDueAtMs = never;
      checkpoints.begin(ahead, null, gate.takeRecording());
      chain.overtake(ahead);
    }
  }

  /** Of a task without channels that may bring a barrier: it was triggered. */
  #overtakeFromHere(checkpoints: TaskCheckpoints): void {
    const { chain, source } = this.#parts;
    const barrier = checkpoints.urgent;
    if (barrier === null || (this.#hasInputEnded && !this.#hasFinished)) return;
    if (this.#hasFinished && this.#parts.sink !== null) return; // What it has written is told of with its end.
    this.#barrierDueAtMs = never;
    const snapshot = source && this.#sourceSnapshotNow(source, chain);
    if (source !== null && snapshot === null) return;
    checkpoints.begin(barrier, snapshot);
    chain.overtake(barrier);
  }

  /** Where the source is; what it has read and not given out lines up. Null: not yet. */
  #sourceSnapshotNow(source: TaskSource, chain: OperatorChain): SourceSnapshot | null {
    const found = source.snapshot();
    if (found !== null) return found;
    const { outputs } = this.#parts;
    outputs.setOverdraft(true);
    try {
      if (this.#stepSource(source, chain) === 'done') this.#hasInputEnded = true;
    } finally {
      outputs.setOverdraft(false);
    }
    return source.snapshot();
  }

  #work(): TaskProgress {
    const { chain, input } = this.#parts;
    // Messages that waited for room go first, also when no more input comes for a while.
    this.#parts.outputs.pump();
    if (input?.isDone === false) {
      const progress = this.#readBuildSides(input);
      if (progress !== null) return progress;
    }
    for (;;) {
      if (!chain.pump()) return this.#stopped();
      // Only a source may stop: a gate that is not read would block those who send to it.
      if (this.#parts.source !== null && chain.hasEnough) this.#stopSource(this.#parts.source);
      if (this.#hasInputEnded) return this.#finish(chain);
      const progress = this.#read(chain);
      if (progress !== null) return progress;
      if (this.#isOver()) return 'busy';
    }
  }

  /** Reads one batch; null to go on. */
  #read(chain: OperatorChain): TaskProgress | null {
    if (this.#parts.source !== null) {
      if (!this.#isNarrowed) this.#narrow(this.#parts.source);
      if (this.#beginCheckpoint(this.#parts.source, chain)) return null;
      if (this.#parts.checkpoints?.isHalted === true) return 'idle';
      if (this.#drains(this.#parts.source)) return null;
      return this.#hasInputEnded ? null : this.#readSource(this.#parts.source, chain);
    }
    const element = this.#parts.input?.read() ?? 'end';
    if (element === 'waiting') return 'idle';
    if (element === 'failed') throw this.#inputFailed();
    if (element === 'end') this.#hasInputEnded = true;
    else if (isMark(element)) this.#offerMark(element, chain);
    else this.#offer(element, chain);
    return null;
  }

  #offerMark(mark: StreamMark, chain: OperatorChain): void {
    const { checkpoints, gate } = this.#parts;
    if (mark.kind === 'barrier' && checkpoints !== null) {
      // Where other tasks may have turned unaligned, what this one knows of event time is kept as theirs is.
      const mayTurn = mark.timeoutMs !== undefined;
      const recording = mayTurn ? (gate?.emptyRecording(mark.checkpointId) ?? null) : null;
      checkpoints.begin(mark, null, recording);
      this.#barrierDueAtMs =
        this.#clock.mono() - (mark.alignmentMs ?? 0) + (mark.timeoutMs ?? never);
    }
    chain.offerMark(mark);
  }

  /** Sends the barrier that the source was asked for, where all that it has read has gone through the chain. */
  #beginCheckpoint(source: TaskSource, chain: OperatorChain): boolean {
    const { checkpoints } = this.#parts;
    const barrier = checkpoints?.triggered ?? null;
    const snapshot = barrier === null ? null : source.snapshot();
    if (checkpoints === null || barrier === null || snapshot === null) return false;
    this.#barrierDueAtMs = checkpoints.dueAtMs;
    checkpoints.begin(barrier, snapshot);
    chain.offerMark(barrier);
    return true;
  }

  /** Ends a source that is to be drained, when all that it has read has been given out. */
  #drains(source: TaskSource): boolean {
    const isNow = this.#isDraining && source.snapshot() !== null;
    if (isNow) this.#stopSource(source);
    return isNow;
  }

  /** Reads them to their ends; null when rows may go through the chain. */
  #readBuildSides(phase: BuildPhase): TaskProgress | null {
    while (!phase.isDone) {
      const state = phase.step();
      if (state === 'failed') throw this.#inputFailed();
      if (state === 'waiting') {
        this.#parts.source?.getStuck?.();
        return 'idle';
      }
      if (this.#isOver()) return 'busy';
    }
    // What was on its way goes through before all else.
    return this.#parts.restored === null ? null : 'busy';
  }

  #offer(batch: Batch, chain: OperatorChain): void {
    let isTaken = false;
    try {
      isTaken = chain.offer(batch, this.#parts.input?.port);
    } finally {
      if (!isTaken) batch.release();
    }
    assert(isTaken, 'an empty chain takes a batch');
  }

  #readSource(source: TaskSource, chain: OperatorChain): TaskProgress | null {
    const { latencyMarks } = this.#parts;
    const readMs = latencyMarks === null ? 0 : this.#clock.mono();
    const state = this.#stepSource(source, chain);
    const mark = latencyMarks?.next(source, readMs) ?? null;
    if (mark !== null) chain.offerMark(mark);
    if (state === 'done') this.#hasInputEnded = true;
    if (state === 'full') return this.#stopped();
    return state === 'waiting' ? 'idle' : null;
  }

  #stepSource(source: TaskSource, chain: OperatorChain): SourceState {
    const { metrics, deadLetters } = this.#parts;
    const before = metrics.enter(0, 0);
    const { rowCount } = source;
    const state = source.step(chain, deadLetters);
    metrics.leave(before);
    metrics.addRowsIn(0, source.rowCount - rowCount);
    metrics.addRowsOut(0, source.rowCount - rowCount);
    return state;
  }

  /** The build sides are complete: the source leaves out what finds no partner there. */
  #narrow(source: TaskSource): void {
    this.#isNarrowed = true;
    const filters = dynamicFiltersOf(this.#vertex.chain, this.#parts.operators);
    if (filters.some(({ isEmpty }) => isEmpty)) this.#stopSource(source);
    else if (filters.length > 0) source.narrow?.(filters);
  }

  #stopSource(source: TaskSource): void {
    source.stop();
    this.#hasInputEnded = true;
  }

  #finish(chain: OperatorChain): TaskProgress {
    if (!chain.finish()) return this.#stopped();
    this.#hasFinished = true;
    const { outputs, metrics } = this.#parts;
    if (outputs.isEmpty) return 'done';
    const before = metrics.enter(this.#vertex.chain.length, 0);
    const isFinished = outputs.finish();
    metrics.leave(before);
    return isFinished ? 'done' : 'idle';
  }

  /** An operator stopped short: because of a full ring, or because time is up. */
  #stopped(): TaskProgress {
    const isWaiting = this.#parts.sink?.isBlocked === true || this.#parts.chain.isWaiting === true;
    const isBlocked = this.#parts.outputs.isBlocked || isWaiting;
    if (isBlocked) this.#parts.source?.getStuck?.();
    return isBlocked && !this.#isOver() ? 'idle' : 'busy';
  }

  #isOver(): boolean {
    return this.#clock.mono() >= this.#deadline;
  }

  #go(state: TaskState): void {
    this.#state = nextTaskState(this.#state, state);
    this.#parts.metrics.setState(state);
  }

  #inputFailed(): Error {
    return typedError('TASK_INPUT_FAILED', `an input of task "${this.id}" has failed`, {
      hint: 'The error of the task that failed first is the reason.',
    });
  }
}
