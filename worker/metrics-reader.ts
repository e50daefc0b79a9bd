/** Reads the counters that a task publishes in shared memory, as the coordinator wants them. */
import type { TaskActivity, TaskCounters } from '../coordinator/protocol.ts';
import { readTaskLatency } from '../engine/task/task-latency.ts';
import { readTaskMetrics } from '../engine/task/task-metrics.ts';
import type { TaskDeployment } from './threads/slot-messages.ts';

/** One entry per operator of the task's chain. */
export function readMetrics(deployment: TaskDeployment): TaskCounters {
  const { taskId, attempt, vertex, metrics, latency } = deployment;
  const { bytesIn, skipped, operators, output } = readTaskMetrics(metrics);
  const counters = vertex.chain.map((_, index) => {
    const { rowsIn = 0, rowsOut = 0, busyMs = 0, bytesSpilled = 0 } = operators[index] ?? {};
    return { rowsIn, rowsOut, busyMs, bytesSpilled };
  });
  const bytesShuffled = output.bytesSpilled;
  const measured = latency === null ? null : readTaskLatency(latency.buffer);
  return {
    ...{ taskId, attempt, bytesIn, skipped, bytesShuffled, operators: counters },
    ...(measured && { latency: measured }),
  };
}

/** What the task does now. */
export function readActivity(deployment: TaskDeployment): TaskActivity {
  const { operator, sinceMs } = readTaskMetrics(deployment.metrics);
  return { operator, sinceMs, counters: readMetrics(deployment).operators };
}
