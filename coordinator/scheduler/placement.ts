/**
 * Which slot runs which task. The tasks of a vertex are spread over the slots in turn, each vertex
 * starting one slot further for its single tasks, so that two of them do not meet in slot 0: that is a
 * task's home. A region takes only slots where nothing else runs. One that runs again moves on by a slot;
 * a task alone goes wherever there is room, but not where it failed.
 */
import type { PhysicalGraph } from '../../engine/plan/physical-graph.ts';
import { taskIdOf } from '../protocol.ts';

/** Task id → home, for every task of the graph. */
export function homesOf(graph: PhysicalGraph, slotCount: number): Record<string, number> {
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

export interface PlacementOptions {
  readonly homes: Readonly<Record<string, number>>;
  readonly slotCount: number;
  /** Of the attempt, from 1 on. */
  readonly number: number;
  readonly avoidSlot: number | null;
  readonly busy: ReadonlySet<number>;
}

/** Task id → slot, for one attempt of a region; null while there is no room. */
export function placeRegion(
  taskIds: readonly string[],
  { homes, slotCount, number, avoidSlot, busy }: PlacementOptions,
): Record<string, number> | null {
  const moved = (taskId: string) => ((homes[taskId] ?? 0) + number - 1) % slotCount;
  const [only, ...others] = taskIds;
  if (only === undefined || others.length > 0) {
    const slots = taskIds.map((taskId) => [taskId, moved(taskId)] as const);
    return slots.some(([, slot]) => busy.has(slot)) ? null : Object.fromEntries(slots);
  }
  const first = moved(only);
  const inTurn = Array.from({ length: slotCount }, (_, step) => (first + step) % slotCount);
  const isAllowed = (slot: number) => slotCount === 1 || slot !== avoidSlot;
  const slot = inTurn.find((one) => isAllowed(one) && !busy.has(one));
  return slot === undefined ? null : { [only]: slot };
}
