/** Reads the counters that a task publishes in shared memory, as the coordinator wants them. */
import type { TaskActivity, TaskCounters } from '../coordinator/protocol.ts';
import { readTaskMetrics } from '../engine/task/task-metrics.ts';
import type { TaskDeployment } from './threads/slot-messages.ts';

/** One entry per operator of the task's chain. */
export function readMetrics({ taskId, attempt, vertex, metrics }: TaskDeployment): TaskCounters {
  const { bytesIn, skipped, operators, output } = readTaskMetrics(metrics);
  const counters = vertex.chain.map((_, index) => {
    const { rowsIn = 0, rowsOut = 0, busyMs = 0, bytesSpilled = 0 } = operators[index] ?? {};
    return { rowsIn, rowsOut, busyMs, bytesSpilled };
  });
  const bytesShuffled = output.bytesSpilled;
  return { taskId, attempt, bytesIn, skipped, bytesShuffled, operators: counters };
}

/** What the task does now. */
export function readActivity(deployment: TaskDeployment): TaskActivity {
  const { operator, sinceMs } = readTaskMetrics(deployment.metrics);
  return { operator, sinceMs, counters: readMetrics(deployment).operators };
}
