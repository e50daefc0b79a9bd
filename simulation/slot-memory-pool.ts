/**
 * Slot memories that runs use one after the other: making one for each of a thousand seeds would cost
 * more than the seeds. They are poisoned, so that who reads what was freed, or was never written,
 * reads 0xDB; and a run must not depend on which one it got, which every repeated seed checks.
 */
import { compileKernels, instantiateKernels, type Kernels } from '../engine/kernels/kernels.ts';
import { SlotMemory } from '../engine/memory/slot-memory.ts';

const unused: SlotMemory[] = [];
const kernels = new WeakMap<SlotMemory, Kernels>();

export function takeSlotMemory(budgetBytes: number): SlotMemory {
  const index = unused.findIndex((memory) => memory.budgetBytes === budgetBytes);
  const [memory] = index < 0 ? [] : unused.splice(index, 1);
  return memory ?? new SlotMemory({ budgetBytes, poison: true });
}

/** The kernels of a memory, which keep nothing: the same for all who have it. */
export function kernelsOf(memory: SlotMemory): Kernels {
  const known = kernels.get(memory) ?? instantiateKernels(memory.memory, compileKernels());
  kernels.set(memory, known);
  return known;
}

/** Takes a memory back; one in which something is left is not used again. */
export function giveSlotMemory(memory: SlotMemory): void {
  if (memory.usedBytes === 0) unused.push(memory);
}
