/**
 * Spill reader: a run as batches, in the order in which they were written. It has one block in hand; the
 * batches it gives out point into that block, and hold it for as long as they live.
 *
 * Before: engine/spill/spill-files.ts. After: engine/spill/spill-blocks.ts.
 */
import type { SyncDisk } from '../../base/env/disk.ts';
import type { Batch } from '../batch/batch.ts';
import { bodySizeAt } from '../batch/body-layout.ts';
import { decodeBody } from '../batch/wire.ts';
import type { Kernels } from '../kernels/kernels.ts';
import { addressOf, type BlockHandle, type MemoryScope } from '../memory/slot-memory.ts';
import type { Schema } from '../schema/schema.ts';
import type { ElementReader } from '../stream/stream-element.ts';
import { type OpenFile, type SpillBlocks, spillHeaderBytes } from './spill-blocks.ts';
import { spillDamaged } from './spill-errors.ts';
import type { SpillRun } from './spill-writer.ts';

export interface SpillReaderOptions {
  readonly scope: MemoryScope;
  readonly kernels: Kernels;
  readonly disk: SyncDisk;
  readonly schema: Schema;
  readonly run: SpillRun;
  readonly file: OpenFile;
  readonly blocks: SpillBlocks;
  readonly onClose: (closed: SpillReader) => void;
}

export class SpillReader implements ElementReader {
  readonly #options: SpillReaderOptions;
  /** The next block in the file. */
  #position: number;
  /** The block in hand, and the next body in it; 0 when there is none. */
  #block: BlockHandle = 0;
  #bodyAt = 0;
  #payloadBytes = 0;
  #isClosed = false;

  constructor(options: SpillReaderOptions) {
    this.#options = options;
    this.#position = options.run.startByte;
  }

  /** The next rows; the caller owns the batch. @throws SPILL_DAMAGED; MEMORY_EXHAUSTED */
  read(): Batch | 'end' {
    if (this.#block === 0 && !this.#readBlock()) return 'end';
    const { scope, kernels, schema } = this.#options;
    const offset = this.#bodyAt;
    const block = this.#block;
    const sizeBytes = bodySizeAt(scope.memory.uint32, addressOf(block) + offset);
    this.#bodyAt += sizeBytes;
    if (this.#bodyAt < this.#payloadBytes) scope.memory.retain(block);
    else this.#block = 0;
    return decodeBody(kernels, scope, schema, { block, offset, sizeBytes });
  }

  /** Gives up the block in hand and the file; twice is once. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const { scope, disk, file, onClose } = this.#options;
    if (this.#block !== 0) scope.memory.release(this.#block);
    this.#block = 0;
    onClose(this);
    disk.close(file.id);
  }

  /** Gets the next block; false at the end of the run. */
  #readBlock(): boolean {
    const { blocks, file, run } = this.#options;
    if (this.#position >= run.endByte) return false;
    const header = blocks.readHeader(file, this.#position);
    const next = this.#position + spillHeaderBytes + header.storedBytes;
    if (next > run.endByte) {
      throw spillDamaged(file.path, this.#position, 'a block reaches behind its run');
    }
    this.#block = blocks.readPayload(file, this.#position, header);
    this.#payloadBytes = header.payloadBytes;
    this.#bodyAt = 0;
    this.#position = next;
    return true;
  }
}
