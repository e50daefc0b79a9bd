/**
 * One run of a file sink, from prepare to commit, on disks that a plan may fail: for the sink contract
 * and for tests of single cases. Each task writes two rows, more than its tiny buffer holds.
 */

import { createRealDisk } from '../../base/env/real-disk.ts';
import { createRealSyncDisk } from '../../base/env/real-sync-disk.ts';
import { FileCommitter } from '../../connectors/filesystem/file-committer.ts';
import type { FileSinkOptions } from '../../connectors/filesystem/file-options.ts';
import { FileSinkWriter } from '../../connectors/filesystem/file-sink-writer.ts';
import { targetOf } from '../../connectors/filesystem/sink-target.ts';
import { BatchBuilder } from '../../engine/batch/batch-builder.ts';
import type { RoleContext } from '../../engine/contracts/connector.ts';
import type { Json } from '../../engine/contracts/json.ts';
import type { SinkCommitter } from '../../engine/contracts/sink.ts';
import { instantiateKernels } from '../../engine/kernels/kernels.ts';
import { SlotMemory } from '../../engine/memory/slot-memory.ts';
import { int64Type, utf8Type } from '../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../engine/schema/schema.ts';
import { FaultPlan, faultyDisk, faultySyncDisk } from './faulty-disk.ts';
import { slotContext } from './slot-context.ts';

const schema = schemaOf(fieldOf('word', utf8Type), fieldOf('count', int64Type));

/** One for all scenes, empty between them. */
const memory = new SlotMemory({ budgetBytes: 4 << 20, poison: true });
const kernels = instantiateKernels(memory.memory);

export class SinkScene {
  readonly options: FileSinkOptions;
  readonly plan: FaultPlan;
  readonly committer: SinkCommitter;
  readonly #taskCount: number;
  readonly #attemptId: string;
  /** What the writers answered; empty until all have finished. */
  writes: readonly Json[] = [];

  constructor(
    options: Partial<FileSinkOptions> & { readonly path: string },
    scene: { plan?: FaultPlan; taskCount?: number; attemptId?: string } = {},
  ) {
    this.options = { format: { kind: 'csv' }, overwrite: false, ...options };
    this.plan = scene.plan ?? new FaultPlan();
    this.#taskCount = scene.taskCount ?? 1;
    this.#attemptId = scene.attemptId ?? 'attempt-1';
    this.committer = this.newCommitter();
  }

  /** As a coordinator that was started again has it. */
  newCommitter(): FileCommitter {
    const disk = faultyDisk(createRealDisk(), this.plan);
    const context: RoleContext = { disk, attemptId: this.#attemptId };
    return new FileCommitter(this.options, context);
  }

  async run(): Promise<void> {
    const prepared = await this.committer.prepare();
    this.write(prepared);
    await this.committer.commit(this.writes);
  }

  /** All tasks write; memory and files are given back whatever happens. */
  write(prepared: Json): void {
    const writes: Json[] = [];
    for (let taskIndex = 0; taskIndex < this.#taskCount; taskIndex++) {
      writes.push(this.#writeTask(structuredClone(prepared), taskIndex));
    }
    this.writes = writes;
  }

  #writeTask(prepared: Json, taskIndex: number): Json {
    const disk = faultySyncDisk(createRealSyncDisk(), this.plan);
    const context = slotContext(schema, { disk, taskIndex, memory, kernels });
    const { format, compression } = this.options;
    const target = targetOf(prepared);
    const builder = new BatchBuilder(context.scope, schema);
    builder.appendRow(['the', BigInt(taskIndex)]);
    builder.appendRow(['of', 7n]);
    const batch = builder.build();
    const writer = new FileSinkWriter({ format, target, compression, bufferBytes: 16 }, context);
    try {
      writer.write(batch);
      return writer.finish();
    } finally {
      try {
        writer.close();
      } finally {
        batch.release();
        memory.assertEmpty();
      }
    }
  }
}

/** What task `taskIndex` of a scene writes as CSV. */
export function sceneCsv(taskIndex: number): string {
  return `word,count\nthe,${taskIndex}\nof,7\n`;
}
