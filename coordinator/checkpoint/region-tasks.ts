/**
 * The checkpoints of an attempt some of whose tasks are started again alone:
 *
 *     checkpoint 7   collecting: r1 ✓ r2 …       r2's tasks fail: it is given up, for their part of it never comes
 *     checkpoint 6   in the log                  they go on from it
 *     what sinks have prepared behind 6          r1: waits for the next checkpoint, as ever
 *                                                r2: dropped, for the tasks that go on from 6 write it again
 *
 * One that is being written has all its answers, and may still become the newest complete one: what r2 goes on from is
 * known when none is under way (`quiet`). None is triggered until r2's tasks run again. That is no failure of a checkpoint:
 * restart strategies count it.
 *
 * Before: coordinator/checkpoint/checkpoint-state.ts. After: coordinator/job/region-restart.ts.
 */
import type { CheckpointEffect, CheckpointStep, CheckpointsState } from './attempt-checkpoints.ts';
import { dropCheckpoint, isLogged } from './checkpoint-steps.ts';

/** Tasks have failed, or had to be stopped with those that have: nothing that they say counts until they run again. */
export function tasksFailed(
  state: CheckpointsState,
  { taskIds, reason, nowMs }: { taskIds: readonly string[]; reason: string; nowMs: number },
): CheckpointStep {
  const failed = new Set([...(state.restart?.taskIds ?? []), ...taskIds]);
  const tasks = new Map(state.tasks);
  for (const taskId of taskIds) {
    if (tasks.has(taskId)) tasks.set(taskId, { answeredId: state.nextId - 1, end: null });
  }
  let next: CheckpointsState = {
    ...{ ...state, tasks, restart: { taskIds: failed, isQuiet: false } },
    writes: state.writes.filter(({ taskId }) => !failed.has(taskId)),
  };
  const effects: CheckpointEffect[] = [];
  for (const pending of state.checkpoints) {
    if (isLogged(pending) || pending.phase === 'writing') continue;
    const dropped = dropCheckpoint(next, pending, { outcome: 'abandoned', reason, nowMs });
    next = dropped.state;
    effects.push(...dropped.effects);
  }
  return { state: next, effects };
}

/** They run again, from the newest complete checkpoint; once all do, the next one may be triggered. */
export function tasksRestarted(
  state: CheckpointsState,
  taskIds: readonly string[],
): CheckpointsState {
  if (state.restart === null) return state;
  const left = new Set(state.restart.taskIds);
  for (const taskId of taskIds) left.delete(taskId);
  return { ...state, restart: left.size === 0 ? null : { ...state.restart, taskIds: left } };
}

/** Said once: what the tasks are to go on from does not change any more. */
export function quiet(state: CheckpointsState): CheckpointStep {
  const { restart, checkpoints } = state;
  if (restart === null || restart.isQuiet || checkpoints.length > 0) return { state, effects: [] };
  return {
    state: { ...state, restart: { ...restart, isQuiet: true } },
    effects: [{ kind: 'quiet' }],
  };
}
