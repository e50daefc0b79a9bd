/**
 * State files: the runs of entries that an operator's state has on disk, as checked blocks that can be read
 * one at a time, in any order.
 *
 *     block = records (entry-record.ts), one behind the other, by key group and hash
 *
 * One of these serves all state of an operator. The disk is not touched before the first run.
 *
 * Contract:
 * - A run is written once and read after that; `remove` and `close` take its file away.
 * - Errors are SPILL_DISK_FULL, SPILL_DAMAGED, MEMORY_EXHAUSTED and those of the disk.
 */
import type { FileId } from '../../base/env/disk.ts';
import { addressOf, type BlockHandle } from '../memory/slot-memory.ts';
import { type OpenFile, SpillBlocks, spillHeaderBytes } from '../spill/spill-blocks.ts';
import { spillWriteError } from '../spill/spill-errors.ts';
import type { SpillContext } from '../spill/spill-space.ts';

/** What a look-up reads: some hundred entries. */
const stateBlockBytes = 16 * 1024;

/** A block in memory; who asked for it releases it. */
export interface StateBlock {
  readonly handle: BlockHandle;
  readonly address: number;
  readonly sizeBytes: number;
}

export class StateFiles {
  readonly #context: SpillContext;
  readonly #blocks: SpillBlocks;
  readonly #payloadBytes: number;
  readonly #paths = new Set<string>();
  readonly #open = new Set<FileId>();
  #fileCount = 0;
  #writtenBytes = 0;

  /** @param payloadBytes - Of a block, but for one that holds a larger entry. @defaultValue 16 KiB */
  constructor(context: SpillContext, payloadBytes = stateBlockBytes) {
    const { scope, kernels, spill } = context;
    this.#context = context;
    this.#payloadBytes = payloadBytes;
    this.#blocks = new SpillBlocks({ scope, kernels, disk: spill.disk, payloadBytes });
  }

  get payloadBytes(): number {
    return this.#payloadBytes;
  }

  get writtenBytes(): number {
    return this.#writtenBytes;
  }

  /** Begins a new file. */
  create(): OpenFile {
    const { spill } = this.#context;
    return this.#attempt(() => {
      if (this.#fileCount === 0) spill.disk.makeDir(spill.folder, true);
      const path = `${spill.folder}/${spill.prefix}-state-${this.#fileCount++}.spill`;
      this.#paths.add(path);
      const id = spill.disk.open(path, 'createNew');
      this.#open.add(id);
      return { id, path };
    });
  }

  /**
   * Writes a block; answers its bytes on disk.
   * @param start - Address of the payload, with `spillHeaderBytes` in front of it that may be written to.
   */
  write(file: OpenFile, position: number, start: number, payloadBytes: number): number {
    const written = this.#attempt(() => this.#blocks.write(file, position, start, payloadBytes));
    this.#writtenBytes += written;
    this.#context.spill.onWritten(written);
    return written;
  }

  /** The same file, to be read. */
  reopen({ id, path }: OpenFile): OpenFile {
    const { disk } = this.#context.spill;
    this.closeFile(id);
    const reopened = disk.open(path, 'read');
    this.#open.add(reopened);
    return { id: reopened, path };
  }

  /** @throws SPILL_DAMAGED; MEMORY_EXHAUSTED */
  read(file: OpenFile, position: number): StateBlock {
    const header = this.#blocks.readHeader(file, position);
    const handle = this.#blocks.readPayload(file, position, header);
    return { handle, address: addressOf(handle), sizeBytes: header.payloadBytes };
  }

  remove({ id, path }: OpenFile): void {
    this.closeFile(id);
    this.#context.spill.disk.unlink(path);
    this.#paths.delete(path);
  }

  /** Removes all files. @throws The first error of the disk. */
  close(): void {
    const { disk } = this.#context.spill;
    this.#blocks.close();
    const errors: unknown[] = [];
    const work = [
      ...[...this.#open].map((id) => () => this.closeFile(id)),
      ...[...this.#paths].map((path) => () => disk.unlink(path)),
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

  closeFile(id: FileId): void {
    if (!this.#open.delete(id)) return;
    this.#context.spill.disk.close(id);
  }

  #attempt<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw spillWriteError(error, this.#context.name, this.#writtenBytes);
    }
  }
}

/** Bytes in front of a payload that is to be written. */
export const blockHeaderBytes = spillHeaderBytes;
