/** Reads the counters that a task publishes in shared memory, as the coordinator wants them. */
import type { OperatorMetrics } from '../coordinator/protocol.ts';
import { readTaskMetrics } from '../engine/task/task-metrics.ts';
import type { TaskDeployment } from './threads/slot-messages.ts';

/** One entry per operator of the task's chain; bytes count for the source, which comes first. */
export function readMetrics({ taskId, vertex, metrics }: TaskDeployment): OperatorMetrics[] {
  const { bytesIn, skipped, operators } = readTaskMetrics(metrics);
  return vertex.chain.map((_, operatorIndex) => {
    const {
      rowsIn = 0,
      rowsOut = 0,
      busyMs = 0,
      bytesSpilled = 0,
    } = operators[operatorIndex] ?? {};
    return {
      taskId,
      operatorIndex,
      rowsIn,
      rowsOut,
      busyMs,
      bytesSpilled,
      bytesIn: operatorIndex === 0 ? bytesIn : 0,
      ...(operatorIndex === 0 && { skipped }),
    };
  });
}
