/**
 * The checkpoints of one attempt of a job, as a pure step function: when one is triggered, when it is complete, what
 * then becomes visible, and when the attempt has failed.
 *
 *     events    clock, savepoint asked for ┐                 ┌ trigger, discard   to tasks
 *               ack, decline, end of tasks ├─▶ step ─▶ state ┤ writeManifest      to the store
 *               manifest written or not    │                 │ commit             to sinks
 *               writes committed or not    ┘                 └ answer, end, failAttempt
 *
 * Invariants:
 * - Nothing is committed before its checkpoint is complete, that is: in the log.
 * - What a sink has prepared is committed once, in the order of its barriers, also when the checkpoint of its barrier
 *   fails: the next one that completes takes it along. Each manifest names all that was not known to be committed.
 * - Checkpoints complete in order: one at a time is written; one that others have overtaken is subsumed.
 * - Behind the savepoint that an attempt is to end with none is triggered; where it fails, sources go on.
 * - An event of another attempt changes nothing.
 * - While tasks are being started again alone none is triggered, and what these say counts for nothing (region-tasks.ts).
 *
 * Contract: a task's answers come in the order of its barriers, its end last, each until it is taken; one that comes
 * twice counts once. (Checked as far as a write could be lost: then the attempt fails.)
 *
 * Not here: what the steps of one checkpoint do (checkpoint-steps.ts), who carries out the effects.
 *
 * Before: coordinator/checkpoint/attempt-checkpoints.ts. After: coordinator/checkpoint/checkpoint-steps.ts.
 */
import { assertNever } from '../../base/assert.ts';
import type {
  CheckpointEffect,
  CheckpointEvent,
  CheckpointStep,
  CheckpointsState,
  DeclineEvent,
  TaskProgress,
} from './attempt-checkpoints.ts';
import type { CheckpointOptions } from './checkpoint-options.ts';
import {
  abortCheckpoint,
  answerCheckpoint,
  beginCheckpoint,
  committed,
  endAttempt,
  goOn,
  hasRoom,
  mayBegin,
  settle,
  withWrite,
  written,
} from './checkpoint-steps.ts';
import { isCollectingFrom, type PendingCheckpoint, type TaskAnswer } from './pending-checkpoint.ts';
import { quiet, tasksFailed, tasksRestarted } from './region-tasks.ts';

export function stepCheckpoints(
  state: CheckpointsState,
  event: CheckpointEvent,
  options: CheckpointOptions,
): CheckpointStep {
  if (event.epoch !== state.epoch) return { state, effects: [] };
  if (state.isOver) return { state, effects: refused(event) };
  const next = apply(state, event, options);
  if (next.state.isOver) return next;
  const settled = settle(next.state, event.nowMs, options);
  const last = quiet(settled.state);
  return { state: last.state, effects: [...next.effects, ...settled.effects, ...last.effects] };
}

/** Who asks for a savepoint is never left without an answer. */
function refused(event: CheckpointEvent, failure = 'the job has ended'): CheckpointEffect[] {
  if (event.kind !== 'savepoint' && event.kind !== 'drain') return [];
  const { request } = event;
  return [{ kind: 'answer', request, checkpointId: 0, failure }];
}

function apply(
  state: CheckpointsState,
  event: CheckpointEvent,
  options: CheckpointOptions,
): CheckpointStep {
  const { nowMs } = event;
  switch (event.kind) {
    case 'tick':
      return { state, effects: [] };
    case 'savepoint':
    case 'drain':
      return asked(state, event);
    case 'goOn':
      return state.ending?.kind === 'halt' ? goOn(state) : { state, effects: [] };
    case 'ack':
      return acked(state, event.checkpointId, { snapshot: event.snapshot, answeredMs: nowMs });
    case 'decline':
      return declined(state, event, options);
    case 'taskFinished':
      return finished(state, { snapshot: event.snapshot, answeredMs: nowMs }, options);
    case 'written':
      return written(state, event.checkpointId, { nowMs, minPauseMs: options.minPauseMs });
    case 'writeFailed':
      return writeFailed(state, event, options);
    case 'committed':
      return committed(state, event.checkpointId, nowMs);
    case 'commitFailed':
      return failAttempt(state, event);
    case 'tasksFailed':
      return tasksFailed(state, event);
    case 'tasksRestarted':
      return { state: tasksRestarted(state, event.taskIds), effects: [] };
    case 'stop':
      return endAttempt(state, { reason: event.reason, nowMs, isFailure: false });
    default:
      return assertNever(event);
  }
}

/** Somebody wants a savepoint, and perhaps the end of the attempt with it. */
function asked(
  state: CheckpointsState,
  event: Extract<CheckpointEvent, { kind: 'savepoint' | 'drain' }>,
): CheckpointStep {
  if (state.ending !== null) return { state, effects: refused(event, 'the job is being stopped') };
  if (state.checkpoints.some(({ kind }) => kind === 'final')) {
    return { state, effects: refused(event) };
  }
  if (state.restart !== null) {
    return { state, effects: refused(event, 'a part of it is being started again') };
  }
  const { request, nowMs } = event;
  if (event.kind === 'drain') {
    const effects = [{ kind: 'orderSources', order: 'end' }] as const;
    return { state: { ...state, ending: { kind: 'drain', request } }, effects };
  }
  if (!event.halts && !mayBegin(state)) {
    const failure = 'a side of a join, or a control stream, is still being read to its end';
    return { state, effects: refused(event, failure) };
  }
  if (!event.halts) return beginCheckpoint(state, { kind: 'savepoint', request, nowMs });
  return {
    state: { ...state, ending: { kind: 'halt', request, checkpointId: null } },
    effects: [],
  };
}

function acked(state: CheckpointsState, checkpointId: number, answer: TaskAnswer): CheckpointStep {
  const { taskId, vertexId, prepared } = answer.snapshot;
  const task = taskIn(state, taskId);
  if (task === null) return { state, effects: [] };
  if (task.end !== null || checkpointId <= task.answeredId) {
    const isNew = state.checkpoints.some(
      (one) => one.id === checkpointId && isCollectingFrom(one, taskId),
    );
    if (!isNew || prepared === null) return { state, effects: [] };
    const reason = `task "${taskId}" answered checkpoint ${checkpointId} after a later one`;
    return failAttempt(state, { reason, nowMs: answer.answeredMs });
  }
  const noted = answered(state, taskId, checkpointId);
  const kept = withWrite(noted, { checkpointId, taskId, vertexId, write: prepared });
  return { state: answerCheckpoint(kept, checkpointId, answer), effects: [] };
}

function declined(
  state: CheckpointsState,
  event: DeclineEvent & { readonly nowMs: number },
  { failuresMax }: CheckpointOptions,
): CheckpointStep {
  const { checkpointId, taskId, vertexId, prepared, nowMs } = event;
  const task = taskIn(state, taskId);
  if (task === null || task.end !== null || checkpointId <= task.answeredId) {
    return { state, effects: [] };
  }
  const noted = answered(state, taskId, checkpointId);
  const kept = withWrite(noted, { checkpointId, taskId, vertexId, write: prepared });
  const reason = `task "${taskId}": ${event.reason}`;
  const aborted = { id: checkpointId, outcome: 'declined', reason, nowMs, failuresMax } as const;
  return abortCheckpoint(kept, aborted);
}

/** A task with a say: null of one that the job has not, and of one that is being started again. */
function taskIn({ tasks, restart }: CheckpointsState, taskId: string): TaskProgress | null {
  return restart?.taskIds.has(taskId) === true ? null : (tasks.get(taskId) ?? null);
}

function answered(state: CheckpointsState, taskId: string, answeredId: number): CheckpointsState {
  return { ...state, tasks: new Map(state.tasks).set(taskId, { answeredId, end: null }) };
}

/**
 * Answers all checkpoints that wait for the task; what it prepared belongs to the first of them. One that is earlier than what it has
 * answered never came to it: rows that came behind its barrier are in what the task ended with.
 */
function finished(
  state: CheckpointsState,
  answer: TaskAnswer,
  { failuresMax }: CheckpointOptions,
): CheckpointStep {
  const { taskId, vertexId, prepared } = answer.snapshot;
  const task = taskIn(state, taskId);
  if (task === null || task.end !== null) return { state, effects: [] };
  const end: TaskAnswer = { ...answer, snapshot: { ...answer.snapshot, prepared: null } };
  const isWaiting = (one: PendingCheckpoint) => isCollectingFrom(one, taskId);
  const waiting = state.checkpoints.filter((one) => isWaiting(one) && one.id > task.answeredId);
  const checkpointId = waiting[0]?.id ?? state.nextId;
  let next = withWrite(state, { checkpointId, taskId, vertexId, write: prepared });
  next = { ...next, tasks: new Map(next.tasks).set(taskId, { ...task, end }) };
  for (const { id } of waiting) next = answerCheckpoint(next, id, end);
  const effects: CheckpointEffect[] = [];
  for (const { id } of next.checkpoints.filter(isWaiting)) {
    const reason = `task "${taskId}" has ended, and had answered a later one`;
    const nowMs = answer.answeredMs;
    const aborted = abortCheckpoint(next, { id, outcome: 'declined', reason, nowMs, failuresMax });
    next = aborted.state;
    effects.push(...aborted.effects);
  }
  const isLast = [...next.tasks.values()].every((one) => one.end !== null);
  if (!isLast || next.isOver) return { state: next, effects };
  const request = next.ending?.kind === 'drain' ? next.ending.request : null;
  const final = beginCheckpoint(next, { kind: 'final', request, nowMs: answer.answeredMs });
  return { state: final.state, effects: [...effects, ...final.effects] };
}

function writeFailed(
  state: CheckpointsState,
  event: { nowMs: number; checkpointId: number; reason: string; isInDoubt: boolean },
  { failuresMax }: CheckpointOptions,
): CheckpointStep {
  const { checkpointId: id, reason, isInDoubt, nowMs } = event;
  const isLast = state.checkpoints.some((one) => one.id === id && one.kind === 'final');
  if (isInDoubt || isLast) return failAttempt(state, event);
  return abortCheckpoint(state, { id, outcome: 'failed', reason, nowMs, failuresMax });
}

function failAttempt(
  state: CheckpointsState,
  { reason, nowMs }: { readonly reason: string; readonly nowMs: number },
): CheckpointStep {
  return endAttempt(state, { reason, nowMs, isFailure: true });
}

/** When the next `tick` is due, if no other event comes before; Infinity for never. */
export function wakeAtOf(state: CheckpointsState, options: CheckpointOptions): number {
  if (state.isOver) return Number.POSITIVE_INFINITY;
  const collecting = state.checkpoints.filter(({ phase }) => phase === 'collecting');
  const timeouts = collecting.map(({ triggeredMs }) => triggeredMs + options.timeoutMs);
  if (!hasRoom(state, options)) return Math.min(...timeouts); // Another event comes first.
  return Math.min(...timeouts, Math.max(state.nextTriggerMs, state.pausedUntilMs));
}
