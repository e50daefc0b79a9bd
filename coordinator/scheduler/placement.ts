/**
 * Which slot runs which task. The tasks of a vertex are spread over the slots in turn, each vertex
 * starting one slot further for its single tasks, so that two of them do not meet in slot 0: that is a
 * task's home. A region takes only slots where nothing else runs. One that runs again moves on by a slot;
 * a task alone goes wherever there is room, but not where it failed. Regions of a stream have all their tasks at home,
 * beside each other, for none of them may have an end.
 */
import { memoryWeightOf } from '../../engine/plan/memory-weight.ts';
import type { PhysicalGraph } from '../../engine/plan/physical-graph.ts';
import { taskIdOf, vertexIdOf } from '../protocol.ts';

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

/** Task id → slot, where slots are shared. */
export function slotsAtHome(
  taskIds: readonly string[],
  homes: Readonly<Record<string, number>>,
): Record<string, number> {
  return Object.fromEntries(taskIds.map((taskId) => [taskId, homes[taskId] ?? 0]));
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

/**
 * Task id → in how many shares the memory of its slot goes (engine/memory/memory-share.ts): those of all tasks in it.
 *
 * @param slots - Of all tasks that are in slots at the same time.
 */
export function slotWeightsOf(
  { vertices }: PhysicalGraph,
  slots: Readonly<Record<string, number>>,
): Record<string, number> {
  const weights = new Map(
    vertices.map(({ id, chain }) => {
      return [id, chain.reduce((sum, operator) => sum + memoryWeightOf(operator), 0)] as const;
    }),
  );
  const ofSlots = new Map<number, number>();
  for (const [taskId, slot] of Object.entries(slots)) {
    ofSlots.set(slot, (ofSlots.get(slot) ?? 0) + (weights.get(vertexIdOf(taskId)) ?? 0));
  }
  return Object.fromEntries(
    Object.entries(slots).map(([taskId, slot]) => [taskId, ofSlots.get(slot) ?? 0]),
  );
}
