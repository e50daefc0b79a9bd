/** A ring between a program and a task, both in the test's thread, with real doorbells. */
import { createDoorbell } from '../../base/env/doorbell.ts';
import type { Doorbell } from '../../base/env/slot-runner.ts';
import type { ProgramEnd } from '../../connectors/program/row-feed.ts';
import { instantiateKernels } from '../../engine/kernels/kernels.ts';
import { type RingOptions, ringBytes } from '../../engine/memory/ring.ts';
import type { SlotMemory } from '../../engine/memory/slot-memory.ts';
import type { Schema } from '../../engine/schema/schema.ts';

export interface RingScene {
  readonly ring: RingOptions;
  /** The end that feeds. */
  readonly feed: ProgramEnd;
  /** The end that drains. */
  readonly drain: ProgramEnd;
  readonly ended: AbortController;
  readonly bell: Doorbell;
}

/** @param slotBytes - Low, so that messages come in parts and the ring is full soon. */
export function ringScene(
  memory: SlotMemory,
  schema: Schema,
  slotBytes = 1024,
  slotCount = 2,
): RingScene {
  const buffer = new SharedArrayBuffer(ringBytes(slotCount, slotBytes));
  const ring = { buffer, slotCount, slotBytes };
  const bell = createDoorbell(new Int32Array(new SharedArrayBuffer(4)), 0);
  const ended = new AbortController();
  const kernels = instantiateKernels(memory.memory);
  const endOf = (name: string): ProgramEnd => ({
    ...{ name, schema, ring, kernels, bell },
    scope: memory.scope(name),
    wakeSlots: () => bell.ring(),
    signal: ended.signal,
  });
  return { ring, feed: endOf('feed'), drain: endOf('drain'), ended, bell };
}
