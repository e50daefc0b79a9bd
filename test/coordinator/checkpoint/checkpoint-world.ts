/**
 * Tasks and shell around the step function of checkpoints, driven by chance: tasks read rows, answer barriers and end;
 * their answers take any time, in order per task; manifests and commits succeed or fail. A judge sees what is written
 * and committed and knows from the tasks what should have been.
 */
import { createSeededRngSource } from '../../../base/env/seeded-rng.ts';
import type {
  CheckpointEffect,
  CheckpointEvent,
  CheckpointsState,
} from '../../../coordinator/checkpoint/attempt-checkpoints.ts';
import { initialCheckpoints } from '../../../coordinator/checkpoint/attempt-checkpoints.ts';
import {
  type CheckpointOptions,
  checkpointOptions,
} from '../../../coordinator/checkpoint/checkpoint-options.ts';
import { stepCheckpoints } from '../../../coordinator/checkpoint/checkpoint-state.ts';
import type { PreparedWrite } from '../../../coordinator/checkpoint/pending-checkpoint.ts';
import type { TaskSnapshot } from '../../../engine/checkpoint/task-snapshot.ts';

export type Step = typeof stepCheckpoints;
type Kinds = CheckpointEvent extends infer E
  ? E extends CheckpointEvent
    ? Omit<E, 'epoch' | 'nowMs'>
    : never
  : never;

/** A snapshot of a task without state, with a source that has read so many splits. */
export function snapshotOf(taskId: string, prepared: TaskSnapshot['prepared'] = null, splits = 0) {
  const vertexId = taskId.split('-')[0] ?? taskId;
  const finished = Array.from({ length: splits }, (_, index) => `split ${index}`);
  const snapshot: TaskSnapshot = {
    ...{ taskId, vertexId, taskIndex: 0, parallelism: 1, operators: [], prepared },
    source: { operatorId: vertexId, finished, open: [] },
    statistics: { alignmentMs: 0, syncMs: 1, asyncMs: 2, sizeBytes: 10 },
  };
  return snapshot;
}

/** What a sink has written between two barriers: the numbers of its rows, `start` to `end`. */
interface Rows {
  readonly start: number;
  readonly end: number;
}

interface ModelTask {
  readonly id: string;
  /** Rows that its sink has taken. */
  rows: number;
  /** Of those, prepared. */
  preparedRows: number;
  /** Rows before each barrier that it has seen. */
  readonly cut: Map<number, number>;
  /** Barriers on their way to it. */
  readonly barriers: number[];
  /** Its answers on their way. */
  readonly answers: Kinds[];
  hasEnded: boolean;
  /** Whether its source gives out nothing: it does not end, and only what operators do by the clock gives rows. */
  isHalted: boolean;
  /** Rows that are visible. */
  visibleRows: number;
}

export interface WorldOptions {
  readonly seed: number;
  readonly step?: Step;
  readonly options?: Partial<CheckpointOptions>;
  /** Chance of a task's answer being a decline, and of a manifest that can't be written. @defaultValue 0.1 */
  readonly failureShare?: number;
  /** Whether the attempt may be ended, by a commit that fails or by others. @defaultValue false */
  readonly mayEnd?: boolean;
  /** Whether it may be ended in order, with a savepoint or by draining it. @defaultValue false */
  readonly mayStop?: boolean;
  /** Whether tasks may fail and go on from the newest checkpoint, alone or with those of their region. @defaultValue false */
  readonly mayRestart?: boolean;
}

const epoch = 3;

export class CheckpointWorld {
  state: CheckpointsState;
  nowMs = 0;
  readonly problems: string[] = [];
  readonly tasks: ModelTask[];
  readonly transitions = new Set<string>();
  isDone = false;
  /** Whether it was ended with a savepoint. */
  isStopped = false;
  readonly #rng;
  readonly #step: Step;
  readonly #options: CheckpointOptions;
  readonly #failureShare: number;
  readonly #mayEnd: boolean;
  readonly #mayStop: boolean;
  readonly #mayRestart: boolean;
  /** Tasks that are gone, and whether it is known what those in their places go on from. */
  readonly #failed = new Set<ModelTask>();
  #isQuiet = false;
  /** Rows of each task in the newest checkpoint that is in the log. */
  #newestCut = new Map<string, number>();
  restartCount = 0;
  /** Events of the shell on their way. */
  readonly #shell: Kinds[] = [];
  readonly #logged = new Set<number>();
  readonly #begun = new Set<number>();
  readonly #requests = new Set<string>();
  /** The request that is to end the attempt, and the barrier that halts its sources. */
  #stopRequest: string | null = null;
  #haltsAt: number | null = null;
  #isDraining = false;
  #newest = 0;
  #turns = 0;

  constructor(world: WorldOptions) {
    const {
      seed,
      step = stepCheckpoints,
      options = {},
      failureShare = 0.1,
      mayEnd = false,
      mayStop = false,
      mayRestart = false,
    } = world;
    this.#mayRestart = mayRestart;
    this.#mayEnd = mayEnd;
    this.#mayStop = mayStop;
    this.#rng = createSeededRngSource(seed).stream('checkpoints');
    this.#step = step;
    this.#failureShare = failureShare;
    const drawn = { inFlightMax: this.#rng.int(1, 4), minPauseMs: this.#pick(0, 0, 30) };
    this.#options = checkpointOptions({
      ...{ intervalMs: 20, timeoutMs: 60, failuresMax: 1_000, ...drawn, ...options },
    });
    const taskIds = ['map-0', 'sink-0', 'sink-1'].slice(0, this.#rng.int(1, 4));
    this.tasks = taskIds.map((id) => ({
      ...{ id, rows: 0, preparedRows: 0, cut: new Map(), barriers: [], answers: [] },
      ...{ hasEnded: false, isHalted: false, visibleRows: 0 },
    }));
    this.state = initialCheckpoints({ epoch, nextId: 5, taskIds, nowMs: 0 }, this.#options);
  }

  /** Until all is committed, the attempt has failed, or nothing more happens. */
  run(): this {
    while (this.#turns++ < 3_000 && !this.isDone && !this.state.isOver) this.#turn();
    if (!this.isDone && !this.state.isOver) this.problems.push('the job does not come to its end');
    const unseen = this.tasks.filter(({ rows, visibleRows }) => rows !== visibleRows);
    if (this.isDone && unseen.length > 0) this.problems.push(`rows of ${unseen[0]?.id} were lost`);
    if (this.#requests.size > 0 && this.state.isOver) {
      this.problems.push('a savepoint was asked for and never answered');
    }
    return this;
  }

  #turn(): void {
    if (this.#mayRestart) this.#restartTurn();
    const task = this.#pick(...this.tasks);
    if (!this.#failed.has(task)) {
      this.#turnOf(task);
      return;
    }
    // What it has said before it went is on its way still, and manifests and commits go on.
    const from = this.#pick(task.answers, this.#shell);
    this.take(from.shift() ?? { kind: 'tick' });
  }

  #restartTurn(): void {
    if (this.#turns < 1_000 && this.#rng.int(0, 40) === 0) this.#failRegion();
    if (this.#isQuiet && this.#rng.int(0, 6) === 0) this.#restartFailed();
  }

  #turnOf(task: ModelTask): void {
    switch (this.#rng.int(0, 12)) {
      case 0:
      case 1:
        this.nowMs += this.#rng.int(0, 15);
        this.take({ kind: 'tick' });
        return;
      case 2:
      case 3:
        if (!task.hasEnded && task.id.startsWith('sink')) task.rows += this.#rng.int(0, 4);
        return;
      case 4:
      case 5:
        this.#passBarrier(task);
        return;
      case 6:
        if (this.#isDraining || this.#turns > 1_500 || this.#rng.int(0, 12) === 0) this.#end(task);
        return;
      case 7:
        if (this.#mayEnd && this.#rng.int(0, 50) === 0)
          this.take({ kind: 'stop', reason: 'cancel' });
        else if (this.#rng.int(0, 20) === 0) this.#askSavepoint();
        else if (this.#mayStop && this.#rng.int(0, 18) === 0) this.#askStop();
        else this.#stray(task);
        return;
      case 8:
      case 9: {
        const event = this.#shell.splice(this.#rng.int(0, this.#shell.length + 1), 1)[0];
        if (event !== undefined) this.take(event);
        return;
      }
      default: {
        const answer = task.answers.shift();
        if (answer !== undefined) this.take(answer);
      }
    }
  }

  /** `sink-1` is a region by itself. One with all its tasks ended can't fail; one that drains fails with the attempt. */
  #failRegion(): void {
    const [alone, others] = [this.tasks.slice(2), this.tasks.slice(0, 2)];
    const region = this.#pick(alone, others);
    const isOver = region.every(({ hasEnded }) => hasEnded);
    if (isOver || this.#isDraining || region.some((one) => this.#failed.has(one))) return;
    for (const one of region) this.#failed.add(one);
    this.#isQuiet = false;
    const taskIds = region.map(({ id }) => id);
    this.take({ kind: 'tasksFailed', taskIds, reason: 'its disk is gone' });
  }

  /** As the newest checkpoint has them. */
  #restartFailed(): void {
    this.#isQuiet = false;
    this.restartCount += 1;
    const taskIds = [...this.#failed].map(({ id }) => id);
    for (const task of this.#failed) {
      const rows = this.#newestCut.get(task.id) ?? 0;
      if (task.visibleRows !== rows) {
        this.problems.push(
          `${task.id} goes on behind row ${rows}, and ${task.visibleRows} are visible`,
        );
      }
      Object.assign(task, { rows, preparedRows: rows, hasEnded: false, isHalted: false });
      for (const part of [task.barriers, task.answers]) part.length = 0;
      task.cut.clear();
    }
    this.#failed.clear();
    this.take({ kind: 'tasksRestarted', taskIds });
  }

  #newRequest(): string {
    const request = `request ${this.#requests.size}-${this.nowMs}-${this.#rng.u32()}`;
    this.#requests.add(request);
    return request;
  }

  #askSavepoint(): void {
    this.take({ kind: 'savepoint', request: this.#newRequest(), halts: false });
  }

  #askStop(): void {
    const request = this.#newRequest();
    const isFirst = this.#stopRequest === null;
    if (isFirst) this.#stopRequest = request;
    if (this.#rng.int(0, 3) === 0) this.take({ kind: 'drain', request });
    else this.take({ kind: 'savepoint', request, halts: true });
  }

  /** A savepoint to end with is there: all that came before its barriers is visible, and no row that came behind. */
  #stopAt(checkpointId: number): void {
    for (const { id, cut, preparedRows, visibleRows } of this.tasks) {
      const expected = cut.get(checkpointId) ?? preparedRows;
      if (visibleRows === expected) continue;
      this.problems.push(`${id} stops with ${visibleRows} rows, and the savepoint has ${expected}`);
    }
    this.isStopped = true;
    this.take({ kind: 'stop', reason: 'stopped with a savepoint' });
  }

  /** What a task of another attempt says, or one that no attempt has, or one that says it twice. */
  #stray(task: ModelTask): void {
    const checkpointId = this.#pick(...this.state.checkpoints.map(({ id }) => id), 1);
    const stray = { kind: 'ack', checkpointId, nowMs: this.nowMs } as const;
    const write: Rows = { start: 1_000, end: 2_000 };
    const old = snapshotOf(task.id, { ...write });
    this.#carryOut({ ...stray, epoch: epoch - 1, snapshot: old });
    this.#carryOut({ ...stray, epoch, snapshot: snapshotOf('stranger', { ...write }) });
    const answered = this.state.tasks.get(task.id)?.answeredId ?? 0;
    if (answered === 0) return;
    this.#carryOut({ ...stray, epoch, checkpointId: answered, snapshot: old });
  }

  #passBarrier(task: ModelTask): void {
    const checkpointId = task.barriers.shift();
    if (checkpointId === undefined || task.hasEnded) return;
    if (checkpointId === this.#haltsAt) task.isHalted = true;
    const prepared = this.#prepare(task);
    task.cut.set(checkpointId, task.rows);
    if (this.#rng.float() < this.#failureShare) {
      const { id: taskId } = task;
      const reason = 'no space';
      const vertexId = 'sink';
      task.answers.push({ kind: 'decline', checkpointId, taskId, vertexId, reason, prepared });
    } else {
      task.answers.push({ kind: 'ack', checkpointId, snapshot: snapshotOf(task.id, prepared) });
    }
  }

  #prepare(task: ModelTask) {
    const { preparedRows: start, rows: end } = task;
    task.preparedRows = end;
    return start === end ? null : { start, end };
  }

  #end(task: ModelTask): void {
    if (task.hasEnded || task.isHalted) return;
    task.hasEnded = true;
    task.answers.push({ kind: 'taskFinished', snapshot: snapshotOf(task.id, this.#prepare(task)) });
  }

  take(event: Kinds): void {
    this.#carryOut({ ...event, epoch, nowMs: this.nowMs } as CheckpointEvent);
  }

  #carryOut(event: CheckpointEvent): void {
    const before = this.state;
    const { state, effects } = this.#step(before, event, this.#options);
    this.state = state;
    noteTransitions(this.transitions, before, event, { state, effects });
    for (const effect of effects) this.#effect(effect);
  }

  #effect(effect: CheckpointEffect): void {
    switch (effect.kind) {
      case 'trigger':
        this.#begun.add(effect.checkpointId);
        if (effect.halts) this.#haltsAt = effect.checkpointId;
        for (const task of this.tasks) {
          const isAsked = effect.taskIds.includes(task.id);
          if (isAsked) task.barriers.push(effect.checkpointId);
        }
        return;
      case 'writeManifest':
        this.#judgeManifest(effect);
        return;
      case 'commit':
        this.#judgeCommit(effect.checkpointId, effect.writes);
        this.#shell.push(this.#commitOutcome(effect.checkpointId));
        return;
      case 'orderSources':
        if (effect.order === 'end') this.#isDraining = true;
        else {
          this.#haltsAt = null;
          for (const one of this.tasks) one.isHalted = false;
        }
        return;
      case 'answer':
        this.#answered(effect);
        return;
      case 'quiet':
        this.#isQuiet = true;
        return;
      case 'end':
        this.isDone = true;
        return;
      default:
    }
  }

  #answered({ request, checkpointId, failure }: CheckpointEffect & { kind: 'answer' }): void {
    if (!this.#requests.delete(request)) this.problems.push('answered twice');
    if (request !== this.#stopRequest) return;
    this.#stopRequest = null;
    // Now and then what was to be done with it fails, and the job goes on.
    if (failure === null && this.#haltsAt === checkpointId && this.#rng.int(0, 3) > 0) {
      this.#stopAt(checkpointId);
    } else if (failure === null) this.take({ kind: 'goOn' });
  }

  #commitOutcome(checkpointId: number): Kinds {
    const fails = this.#mayEnd && this.#rng.int(0, 10) === 0;
    return fails
      ? { kind: 'commitFailed', checkpointId, reason: 'the target is gone' }
      : { kind: 'committed', checkpointId };
  }

  #judgeManifest(effect: Extract<CheckpointEffect, { kind: 'writeManifest' }>): void {
    const { checkpointId, snapshots, writes } = effect;
    if (snapshots.length !== this.tasks.length) this.problems.push('a task is not in the manifest');
    if (this.#failed.size > 0) this.problems.push('a manifest is begun while tasks are gone');
    const cuts = new Map<string, number>();
    for (const task of this.tasks) {
      const cut = task.cut.get(checkpointId) ?? task.preparedRows;
      cuts.set(task.id, cut);
      let row = task.visibleRows;
      for (const { taskId, write } of writes) {
        if (taskId !== task.id) continue;
        const { start, end } = write as unknown as Rows;
        // What is visible may still be named: its commit has not been confirmed.
        if (start > row) this.problems.push(`the manifest leaves out rows of ${task.id}`);
        row = Math.max(row, end);
      }
      if (row !== cut) {
        this.problems.push(`the manifest goes to row ${row} of ${task.id}, and its cut is ${cut}`);
      }
    }
    const isWritten = this.#rng.float() >= this.#failureShare || effect.checkpointKind === 'final';
    const failed = { kind: 'writeFailed', checkpointId, reason: 'full', isInDoubt: false } as const;
    if (isWritten) {
      if (checkpointId <= this.#newest) this.problems.push('checkpoints complete out of order');
      this.#newest = checkpointId;
      this.#newestCut = cuts;
      this.#logged.add(checkpointId);
    }
    this.#shell.push(isWritten ? { kind: 'written', checkpointId } : failed);
  }

  #judgeCommit(checkpointId: number, writes: readonly PreparedWrite[]): void {
    if (!this.#logged.has(checkpointId)) this.problems.push('committed before complete');
    for (const { taskId, write } of writes) {
      const task = this.tasks.find(({ id }) => id === taskId);
      const { start, end } = write as unknown as Rows;
      if (task === undefined || start !== task.visibleRows) {
        this.problems.push(`rows ${start} to ${end} of ${taskId} come after ${task?.visibleRows}`);
      } else task.visibleRows = end;
    }
  }

  #pick<T>(...values: readonly T[]): T {
    return values[this.#rng.int(0, values.length)] as T;
  }
}

/** Notes what a step did to each checkpoint, as rows of the table: state, event, next state, effects on it. */
function noteTransitions(
  seen: Set<string>,
  before: CheckpointsState,
  event: CheckpointEvent,
  { state, effects }: { state: CheckpointsState; effects: readonly CheckpointEffect[] },
): void {
  const phases = (of: CheckpointsState) =>
    new Map(of.checkpoints.map(({ id, phase }) => [id, phase]));
  const [old, now] = [phases(before), phases(state)];
  const endedNow = state.history.ended.filter((one) => !before.history.ended.includes(one));
  const ends = new Map(endedNow.map(({ checkpointId, outcome }) => [checkpointId, outcome]));
  for (const id of new Set([...old.keys(), ...now.keys(), ...ends.keys()])) {
    const from = old.get(id) ?? 'none';
    const on = ends.get(id) === 'abandoned' && state.isOver ? 'attempt ends' : event.kind;
    const to = now.get(id) ?? ends.get(id) ?? 'none';
    const shown = effects.filter(
      (effect) =>
        'checkpointId' in effect && effect.checkpointId === id && effect.kind !== 'answer',
    );
    if (from === to && shown.length === 0) continue;
    seen.add(`${from} ${on} ${to} ${shown.map(({ kind }) => kind).join(', ')}`.trim());
  }
}
