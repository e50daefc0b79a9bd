/**
 * Spill files: all that one operator of a task has on disk.
 *
 *     create ─▶ writer ─▶ run ─▶ open ─▶ reader        as often, and as many at once, as memory allows
 *                          └──▶ remove
 *
 * Made when the operator is, for it reserves the memory that spilling needs; the disk is not touched before
 * the first `create`. Files are the operator's until `close`, which closes and removes all of them.
 *
 * Contract:
 * - A file is written once, by one writer, and read after that (asserted by the disk: `createNew`).
 * - Errors are SPILL_DISK_FULL, SPILL_DAMAGED, MEMORY_EXHAUSTED and those of the disk.
 *
 * Before: engine/spill/spill-space.ts. After: engine/spill/spill-writer.ts, engine/spill/spill-reader.ts.
 */
import { batchRowsMax } from '../batch/batch.ts';
import { addressOf, type BlockHandle } from '../memory/slot-memory.ts';
import type { Schema } from '../schema/schema.ts';
import { SpillBlocks } from './spill-blocks.ts';
import { spillWriteError } from './spill-errors.ts';
import { SpillReader } from './spill-reader.ts';
import type { SpillContext } from './spill-space.ts';
import { payloadStart, type SpillRun, SpillWriter } from './spill-writer.ts';

/** What a writer, and what a reader for the block it has in hand, take of the slot's memory. */
const blockBytesDefault = 256 << 10;

export interface SpillFilesOptions {
  /** Memory of a writer or reader, in bytes; a multiple of 64 KiB. @defaultValue 256 KiB */
  readonly blockBytes?: number;
}

export class SpillFiles {
  readonly #context: SpillContext;
  readonly #blocks: SpillBlocks;
  readonly #payloadBytes: number;
  readonly #places: BlockHandle;
  readonly #open = new Set<SpillWriter | SpillReader>();
  readonly #paths = new Set<string>();
  #fileCount = 0;
  #writtenBytes = 0;

  /** @throws MEMORY_EXHAUSTED */
  constructor(context: SpillContext, { blockBytes = blockBytesDefault }: SpillFilesOptions = {}) {
    const { scope, kernels, spill } = context;
    const payloadBytes = blockBytes - payloadStart;
    this.#context = context;
    this.#payloadBytes = payloadBytes;
    this.#blocks = new SpillBlocks({ scope, kernels, disk: spill.disk, payloadBytes });
    try {
      this.#places = scope.allocate(batchRowsMax * 4);
    } catch (error) {
      this.#blocks.close();
      throw error;
    }
    const places = addressOf(this.#places) >>> 2;
    for (let row = 0; row < batchRowsMax; row++) scope.memory.uint32[places + row] = row;
  }

  /** Bytes that all files have got so far. */
  get writtenBytes(): number {
    return this.#writtenBytes;
  }

  /** Begins a new file. */
  create(): SpillWriter {
    const { spill } = this.#context;
    if (this.#fileCount === 0) this.#attempt(() => spill.disk.makeDir(spill.folder, true));
    const path = `${spill.folder}/${spill.prefix}-${this.#fileCount++}.spill`;
    this.#paths.add(path);
    const id = this.#attempt(() => spill.disk.open(path, 'createNew'));
    try {
      const writer = new SpillWriter({
        ...this.#context,
        file: { id, path },
        blocks: this.#blocks,
        payloadBytes: this.#payloadBytes,
        places: addressOf(this.#places),
        errorOf: (error) => this.#errorOf(error),
        onWritten: (bytes) => {
          this.#writtenBytes += bytes;
          spill.onWritten(bytes);
        },
        onClose: (closed) => this.#open.delete(closed),
      });
      this.#open.add(writer);
      return writer;
    } catch (error) {
      spill.disk.close(id);
      throw error;
    }
  }

  /** Reads a run, batch by batch; as often as wanted. */
  open(run: SpillRun, schema: Schema): SpillReader {
    const { scope, kernels, spill } = this.#context;
    const reader = new SpillReader({
      ...{ scope, kernels, schema, run },
      disk: spill.disk,
      blocks: this.#blocks,
      file: { id: spill.disk.open(run.path, 'read'), path: run.path },
      onClose: (closed) => this.#open.delete(closed),
    });
    this.#open.add(reader);
    return reader;
  }

  /** Removes the file of a run, and with it all runs of that file. */
  remove({ path }: SpillRun): void {
    this.#context.spill.disk.unlink(path);
    this.#paths.delete(path);
  }

  /** Closes what is open, removes all files, releases all memory. @throws The first error of the disk. */
  close(): void {
    const { scope, spill } = this.#context;
    this.#blocks.close();
    scope.memory.release(this.#places);
    const errors: unknown[] = [];
    const work = [
      ...[...this.#open].map((open) => () => open.close()),
      ...[...this.#paths].map((path) => () => spill.disk.unlink(path)),
    ];
    for (const part of work) {
      try {
        part();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  }

  #attempt<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw this.#errorOf(error);
    }
  }

  #errorOf(error: unknown): unknown {
    return spillWriteError(error, this.#context.name, this.#writtenBytes);
  }
}
