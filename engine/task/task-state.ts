/**
 * The states of a task and the legal ways between them.
 *
 *     created ──▶ running ──▶ finished     all rows are through, all outputs ended
 *        │           ├──────▶ failed       an operator threw; the outputs carry the mark
 *        └───────────┴──────▶ cancelled    closed before its end
 */
import { assert } from '../../base/assert.ts';

/** In the order of their numbers in shared memory (engine/task/task-metrics.ts). */
export const taskStates = ['created', 'running', 'finished', 'failed', 'cancelled'] as const;

export type TaskState = (typeof taskStates)[number];

/** From each state the states that may follow. */
export const taskTransitions: Readonly<Record<TaskState, readonly TaskState[]>> = {
  created: ['running', 'failed', 'cancelled'],
  running: ['finished', 'failed', 'cancelled'],
  finished: [],
  failed: [],
  cancelled: [],
};

/** The state after a legal step (asserted). */
export function nextTaskState(from: TaskState, to: TaskState): TaskState {
  assert(taskTransitions[from].includes(to), `a task may go from ${from} to ${to}`);
  return to;
}
