/**
 * Which slot runs which task: the tasks of a vertex are spread over the slots in turn, each vertex
 * starting one slot further for its single tasks, so that two of them do not meet in slot 0.
 */
import type { PhysicalGraph } from '../../engine/plan/physical-graph.ts';
import { taskIdOf } from '../protocol.ts';

/** Task id → slot index, for every task of the graph. */
export function placeTasks(graph: PhysicalGraph, slotCount: number): Record<string, number> {
  const slots: Record<string, number> = {};
  let firstSlot = 0;
  for (const { id, parallelism } of graph.vertices) {
    const isSingle = parallelism < slotCount;
    for (let index = 0; index < parallelism; index++) {
      slots[taskIdOf(id, index)] = (index + (isSingle ? firstSlot : 0)) % slotCount;
    }
    if (isSingle) firstSlot = (firstSlot + parallelism) % slotCount;
  }
  return slots;
}
