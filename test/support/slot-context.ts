/** What a connector's parts get in a slot thread, for tests: real memory, kernels and disk. */
import { onTestFinished } from 'vitest';
import type { SyncDisk } from '../../base/env/disk.ts';
import { createRealSyncDisk } from '../../base/env/real-sync-disk.ts';
import type { SlotContext } from '../../engine/contracts/connector.ts';
import { instantiateKernels, type Kernels } from '../../engine/kernels/kernels.ts';
import { SlotMemory } from '../../engine/memory/slot-memory.ts';
import type { Schema } from '../../engine/schema/schema.ts';

export interface SlotOptions {
  readonly disk?: SyncDisk;
  readonly taskIndex?: number;
  readonly attempt?: number;
  readonly memory?: SlotMemory;
  /** To be shared by contexts of one memory; compiling them takes milliseconds. */
  readonly kernels?: Kernels;
  readonly hasDeadLetters?: boolean;
}

/** A context; when the test has passed, its memory must be empty. */
export function slotContext(schema: Schema, options: SlotOptions = {}): SlotContext {
  const memory = options.memory ?? emptyAtEnd(64 << 20);
  return {
    disk: options.disk ?? createRealSyncDisk(),
    scope: memory.scope('test'),
    kernels: options.kernels ?? instantiateKernels(memory.memory),
    schema,
    taskIndex: options.taskIndex ?? 0,
    attempt: options.attempt ?? 1,
    hasDeadLetters: options.hasDeadLetters ?? false,
  };
}

/** A memory that the test must leave empty. */
export function emptyAtEnd(budgetBytes: number): SlotMemory {
  const memory = new SlotMemory({ budgetBytes });
  onTestFinished(({ task }) => {
    if (task.result?.state !== 'fail') memory.assertEmpty();
  });
  return memory;
}
