/**
 * What happens to the checkpoints of an attempt, a piece each: one begins, is answered, is given up, is in the log, is
 * committed. Which event leads to which is in checkpoint-state.ts. After each event `settle` does what has become due.
 *
 * Before: coordinator/checkpoint/checkpoint-state.ts. After: coordinator/checkpoint/pending-checkpoint.ts.
 */
import type {
  CheckpointEffect,
  CheckpointStep,
  CheckpointsState,
  CollectedCheckpoint,
} from './attempt-checkpoints.ts';
import { type CheckpointOutcome, statisticsOf, withEnded } from './checkpoint-history.ts';
import type { CheckpointOptions } from './checkpoint-options.ts';
import {
  type CheckpointKind,
  inOrder,
  type PendingCheckpoint,
  type PreparedWrite,
  type TaskAnswer,
  withAnswer,
} from './pending-checkpoint.ts';

/** Begins one. It waits for all tasks that run; what the others ended with is in it from the beginning. */
export function beginCheckpoint(
  state: CheckpointsState,
  begun: { kind: CheckpointKind; request: string | null; nowMs: number; halts?: boolean },
): CheckpointStep {
  const { kind, request, nowMs, halts = false } = begun;
  const answers = new Map<string, TaskAnswer>();
  const missing = new Set<string>();
  for (const [taskId, { end }] of state.tasks) {
    if (end === null) missing.add(taskId);
    else answers.set(taskId, end);
  }
  const id = state.nextId;
  const phase = missing.size === 0 ? 'collected' : 'collecting';
  const begunNow = { phase, triggeredMs: nowMs, missing, answers, writes: [] } as const;
  const pending: PendingCheckpoint = { id, kind, request, ...begunNow };
  const next = { ...state, nextId: id + 1, checkpoints: [...state.checkpoints, pending] };
  if (missing.size === 0) return { state: next, effects: [] };
  const taskIds = [...missing].sort();
  return {
    state: next,
    effects: [{ kind: 'trigger', checkpointId: id, checkpointKind: kind, taskIds, halts }],
  };
}

export function answerCheckpoint(
  state: CheckpointsState,
  id: number,
  answer: TaskAnswer,
): CheckpointsState {
  return changed(state, id, (pending) =>
    pending.missing.has(answer.snapshot.taskId) ? withAnswer(pending, answer) : pending,
  );
}

/** A sink without rows prepares null. */
export function withWrite(state: CheckpointsState, write: PreparedWrite): CheckpointsState {
  return write.write === null ? state : { ...state, writes: [...state.writes, write] };
}

interface Aborted {
  readonly id: number;
  readonly outcome: CheckpointOutcome;
  readonly reason: string;
  readonly nowMs: number;
  readonly failuresMax: number;
}

/** One that is not in the log fails. What was prepared for it stays, for the next one. */
export function abortCheckpoint(state: CheckpointsState, aborted: Aborted): CheckpointStep {
  const { id, outcome, reason, nowMs, failuresMax } = aborted;
  const pending = state.checkpoints.find((one) => one.id === id);
  if (pending === undefined || isLogged(pending)) return { state, effects: [] };
  const { state: next, effects } = dropCheckpoint(state, pending, { outcome, reason, nowMs });
  // Who asks for a savepoint hears of it; the job is none the worse.
  if (pending.kind === 'savepoint') return { state: next, effects };
  const failureCount = state.failureCount + 1;
  const failed = { ...next, failureCount };
  if (failureCount <= failuresMax) return { state: failed, effects };
  const text = `checkpoint ${id} failed, after ${failureCount - 1} before it: ${reason}`;
  const end = endAttempt(failed, { reason: text, nowMs, isFailure: true });
  return { state: end.state, effects: [...effects, ...end.effects] };
}

/** Nothing comes of one that is not in the log. Where sources were to halt behind it, they go on. */
export function dropCheckpoint(
  state: CheckpointsState,
  pending: PendingCheckpoint,
  about: { outcome: CheckpointOutcome; reason: string; nowMs: number },
): CheckpointStep {
  const { id } = pending;
  const next = ended(state, pending, about);
  const effects: CheckpointEffect[] = [
    { kind: 'discard', checkpointId: id, reason: about.reason },
    ...answerOf(pending, about.reason),
  ];
  const isHalted = next.ending?.kind === 'halt' && next.ending.checkpointId === id;
  if (!isHalted) return { state: next, effects };
  const gone = goOn(next);
  return { state: gone.state, effects: [...effects, ...gone.effects] };
}

/** The attempt does not end: sources that gave out nothing behind a savepoint read on. */
export function goOn(state: CheckpointsState): CheckpointStep {
  const effects = [{ kind: 'orderSources', order: 'goOn' }] as const;
  return { state: { ...state, ending: null }, effects };
}

/** One is complete: it is in the log, and what its sinks have prepared may become visible. */
export function written(
  state: CheckpointsState,
  id: number,
  { nowMs, minPauseMs }: { nowMs: number; minPauseMs: number },
): CheckpointStep {
  const pending = state.checkpoints.find((one) => one.id === id && one.phase === 'writing');
  if (pending === undefined) return { state, effects: [] };
  const taken = new Set(pending.writes);
  let next: CheckpointsState = {
    ...changed(state, id, (one) => ({ ...one, phase: 'complete' })),
    writes: state.writes.filter((write) => !taken.has(write)),
    pausedUntilMs: nowMs + minPauseMs,
    failureCount: 0,
  };
  const effects: CheckpointEffect[] = [];
  for (const older of state.checkpoints) {
    if (older.id >= id || isLogged(older)) continue;
    const reason = `checkpoint ${id} was complete first`;
    next = ended(next, older, { outcome: 'subsumed', reason, nowMs });
    effects.push({ kind: 'discard', checkpointId: older.id, reason }, ...answerOf(older, reason));
  }
  return { state: next, effects };
}

export function committed(state: CheckpointsState, id: number, nowMs: number): CheckpointStep {
  const pending = state.checkpoints.find((one) => one.id === id && one.phase === 'committing');
  if (pending === undefined) return { state, effects: [] };
  const next = ended(state, pending, { outcome: 'committed', reason: '', nowMs });
  const effects = answerOf(pending, null);
  if (pending.kind !== 'final') return { state: next, effects };
  effects.push(...unanswered(state, 'the job has ended'), { kind: 'end' });
  return { state: { ...next, isOver: true }, effects };
}

/** Nothing more happens in this attempt; where others have to hear of it, they do. */
export function endAttempt(
  state: CheckpointsState,
  { reason, nowMs, isFailure }: { reason: string; nowMs: number; isFailure: boolean },
): CheckpointStep {
  let next: CheckpointsState = { ...state, isOver: true };
  const effects: CheckpointEffect[] = [];
  for (const pending of state.checkpoints) {
    next = ended(next, pending, { outcome: 'abandoned', reason, nowMs });
    effects.push(...answerOf(pending, reason));
  }
  effects.push(...unanswered(state, reason));
  if (isFailure) effects.push({ kind: 'failAttempt', reason });
  return { state: next, effects };
}

/** Who wanted the attempt to end hears of it, where the checkpoint that was to answer has not begun. */
function unanswered(
  { ending, checkpoints }: CheckpointsState,
  failure: string,
): CheckpointEffect[] {
  if (ending === null) return [];
  const hasBegun =
    ending.kind === 'halt'
      ? ending.checkpointId !== null
      : checkpoints.some(({ kind }) => kind === 'final');
  return hasBegun ? [] : [{ kind: 'answer', request: ending.request, checkpointId: 0, failure }];
}

/** Does what is due: gives up what takes too long, triggers, writes the next manifest, commits the next writes. */
export function settle(
  state: CheckpointsState,
  nowMs: number,
  options: CheckpointOptions,
): CheckpointStep {
  const effects: CheckpointEffect[] = [];
  let next = state;
  for (const step of [expire, halt, trigger, writeNext, commitNext]) {
    if (next.isOver) break;
    const done = step(next, nowMs, options);
    next = done.state;
    effects.push(...done.effects);
  }
  return { state: next, effects };
}

function expire(
  state: CheckpointsState,
  nowMs: number,
  { timeoutMs, failuresMax }: CheckpointOptions,
): CheckpointStep {
  const effects: CheckpointEffect[] = [];
  let next = state;
  for (const { id, phase, triggeredMs, missing } of state.checkpoints) {
    if (next.isOver || phase !== 'collecting' || nowMs < triggeredMs + timeoutMs) continue;
    const late = [...missing].sort().slice(0, 3).join(', ');
    const reason = `${missing.size} tasks did not answer within ${timeoutMs} ms, among them ${late}`;
    const outcome = 'expired';
    const done = abortCheckpoint(next, { id, outcome, reason, nowMs, failuresMax });
    next = done.state;
    effects.push(...done.effects);
  }
  return { state: next, effects };
}

/** The savepoint that the attempt is to end with, once nothing else is under way. */
function halt(state: CheckpointsState, nowMs: number): CheckpointStep {
  const { ending, checkpoints, nextId, restart } = state;
  const isNext = ending?.kind === 'halt' && ending.checkpointId === null && restart === null;
  if (!isNext || checkpoints.length > 0 || !mayBegin(state)) return { state, effects: [] };
  const { request } = ending;
  const begun = beginCheckpoint(state, { kind: 'savepoint', request, nowMs, halts: true });
  return { ...begun, state: { ...begun.state, ending: { ...ending, checkpointId: nextId } } };
}

function trigger(
  state: CheckpointsState,
  nowMs: number,
  options: CheckpointOptions,
): CheckpointStep {
  const isDue = nowMs >= state.nextTriggerMs && nowMs >= state.pausedUntilMs;
  if (!isDue || !hasRoom(state, options)) return { state, effects: [] };
  const begun = beginCheckpoint(state, { kind: 'checkpoint', request: null, nowMs });
  const nextTriggerMs = nowMs + (options.intervalMs ?? Number.POSITIVE_INFINITY);
  return { ...begun, state: { ...begun.state, nextTriggerMs } };
}

/** Whether one more may be triggered: some task still runs and is to run on, and not too many are under way. */
export function hasRoom(
  { tasks, firstTaskIds, checkpoints, ending, restart }: CheckpointsState,
  { inFlightMax, minPauseMs }: CheckpointOptions,
): boolean {
  if (ending !== null || restart !== null || !mayBegin({ tasks, firstTaskIds })) return false;
  const limit = minPauseMs > 0 ? 1 : inFlightMax;
  return checkpoints.length < limit && [...tasks.values()].some(({ end }) => end === null);
}

/** Whether what has to be read to its end before the first barrier has ended. */
export function mayBegin({
  tasks,
  firstTaskIds,
}: Pick<CheckpointsState, 'tasks' | 'firstTaskIds'>): boolean {
  return firstTaskIds.every((taskId) => tasks.get(taskId)?.end !== null);
}

/** One at a time. Savepoints are not overtaken; of the others the newest that has all its answers is enough. */
function writeNext(state: CheckpointsState, nowMs: number): CheckpointStep {
  if (state.checkpoints.some(({ phase }) => phase === 'writing')) return { state, effects: [] };
  const collected = state.checkpoints.filter(({ phase }) => phase === 'collected');
  const pending = collected.find(({ kind }) => kind === 'savepoint') ?? collected.at(-1);
  if (pending === undefined) return { state, effects: [] };
  const writes = inOrder(state.writes.filter(({ checkpointId }) => checkpointId <= pending.id));
  const next = changed(state, pending.id, (one) => ({ ...one, phase: 'writing', writes }));
  const collectedCheckpoint = collectedOf(next, { ...pending, writes }, nowMs);
  return { state: next, effects: [{ kind: 'writeManifest', ...collectedCheckpoint }] };
}

function collectedOf(
  { checkpoints }: CheckpointsState,
  pending: PendingCheckpoint,
  nowMs: number,
): CollectedCheckpoint {
  const snapshots = [...pending.answers.values()].map(({ snapshot }) => snapshot);
  snapshots.sort((a, b) => (a.taskId < b.taskId ? -1 : 1));
  return {
    checkpointId: pending.id,
    checkpointKind: pending.kind,
    snapshots: snapshots.map((snapshot) => ({ ...snapshot, prepared: null })),
    // Those of checkpoints that are complete may not be committed yet, and must not be forgotten by this one.
    writes: [...checkpoints.filter(isLogged), pending].flatMap(({ writes }) => writes),
    statistics: statisticsOf(pending, nowMs),
  };
}

function commitNext(state: CheckpointsState): CheckpointStep {
  const [pending] = state.checkpoints.filter(isLogged);
  if (pending?.phase !== 'complete') return { state, effects: [] };
  const { id: checkpointId, writes } = pending;
  const next = changed(state, checkpointId, (one) => ({ ...one, phase: 'committing' }));
  return { state: next, effects: [{ kind: 'commit', checkpointId, writes }] };
}

export function isLogged({ phase }: PendingCheckpoint): boolean {
  return phase === 'complete' || phase === 'committing';
}

function changed(
  state: CheckpointsState,
  id: number,
  change: (pending: PendingCheckpoint) => PendingCheckpoint,
): CheckpointsState {
  const checkpoints = state.checkpoints.map((one) => (one.id === id ? change(one) : one));
  return { ...state, checkpoints };
}

function ended(
  state: CheckpointsState,
  pending: PendingCheckpoint,
  { outcome, reason, nowMs }: { outcome: CheckpointOutcome; reason: string; nowMs: number },
): CheckpointsState {
  const { triggeredMs } = pending;
  const statistics = statisticsOf(pending, nowMs);
  const history = withEnded(state.history, { ...statistics, triggeredMs, outcome, reason });
  return { ...state, history, checkpoints: state.checkpoints.filter((one) => one !== pending) };
}

function answerOf(
  { request, id: checkpointId }: PendingCheckpoint,
  failure: string | null,
): CheckpointEffect[] {
  return request === null ? [] : [{ kind: 'answer', request, checkpointId, failure }];
}
