/**
 * Row queue: batches that wait, first in, first out. The first ones wait in memory, the others on disk.
 *
 *     push b0 b1 b2 b3 b4 …     memory  b0 b1      disk  b2 b3 b4 …      take  b0 b1 b2 …
 *
 * Contract: what was pushed is taken to the end before more is pushed (asserted).
 */
import { assert } from '../../../base/assert.ts';
import type { Batch } from '../../batch/batch.ts';
import { heldBytesOf } from '../../batch/held-blocks.ts';
import type { Schema } from '../../schema/schema.ts';
import { SpillFiles } from '../../spill/spill-files.ts';
import type { SpillReader } from '../../spill/spill-reader.ts';
import type { SpillRun, SpillWriter } from '../../spill/spill-writer.ts';
import type { OperatorContext } from '../operator.ts';

/** Short blocks: little is reserved for what seldom comes to it. */
const blockBytes = 64 << 10;

export interface RowQueueOptions {
  readonly schema: Schema;
  /** What may wait in memory. */
  readonly bytesMax: number;
  /** Tells its files from those of other queues of the operator. */
  readonly name: string;
}

export class RowQueue {
  readonly #options: RowQueueOptions;
  readonly #files: SpillFiles;
  readonly #batches: Batch[] = [];
  #bytes = 0;
  #writer: SpillWriter | null = null;
  #reading: { readonly run: SpillRun; readonly reader: SpillReader } | null = null;
  #isTaken = false;

  /** @throws MEMORY_EXHAUSTED */
  constructor(context: OperatorContext, options: RowQueueOptions) {
    const { spill } = context;
    const prefix = `${spill.prefix}-${options.name}`;
    this.#options = options;
    this.#files = new SpillFiles({ ...context, spill: { ...spill, prefix } }, { blockBytes });
  }

  /** Takes the batch over. */
  push(batch: Batch): void {
    assert(!this.#isTaken, 'a queue is emptied before more is put into it');
    const bytes = heldBytesOf(batch);
    if (this.#writer === null && this.#bytes + bytes <= this.#options.bytesMax) {
      this.#batches.push(batch);
      this.#bytes += bytes;
      return;
    }
    try {
      this.#writer ??= this.#files.create();
      this.#writer.append(batch);
    } finally {
      batch.release();
    }
  }

  /** The batch that waits longest, or null when none does. The caller owns it. */
  take(): Batch | null {
    this.#isTaken = true;
    const batch = this.#batches.shift() ?? this.#takeFromDisk();
    if (batch === null) {
      this.#isTaken = false;
      this.#bytes = 0;
    }
    return batch;
  }

  close(): void {
    for (const batch of this.#batches.splice(0)) batch.release();
    this.#files.close();
  }

  #takeFromDisk(): Batch | null {
    if (this.#writer !== null) {
      const run = this.#writer.finish();
      this.#writer = null;
      this.#reading = { run, reader: this.#files.open(run, this.#options.schema) };
    }
    if (this.#reading === null) return null;
    const { run, reader } = this.#reading;
    const batch = reader.read();
    if (batch !== 'end') return batch;
    this.#reading = null;
    reader.close();
    this.#files.remove(run);
    return null;
  }
}
