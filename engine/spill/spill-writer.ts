/**
 * Spill writer: rows to one file, as bodies that share blocks.
 *
 *     append ─▶ body │ body │ …   a block is written when the next body has no room in it
 *     cut    ─▶ what has come since the last one is a run: it can be read by itself
 *
 * What it holds is one block, whatever is appended: the rows are copied at once. A row that is larger than
 * a block gets one of its own.
 *
 * Before: engine/spill/spill-files.ts. After: engine/spill/spill-blocks.ts.
 */
import { assert } from '../../base/assert.ts';
import type { Batch } from '../batch/batch.ts';
import { encodedSizeOf, encodeRows } from '../batch/wire.ts';
import { addressOf, type BlockHandle } from '../memory/slot-memory.ts';
import type { OpenFile, SpillBlocks } from './spill-blocks.ts';
import type { SpillContext } from './spill-space.ts';

/** Rows of a file that are read together, in the order in which they were written. */
export interface SpillRun {
  readonly path: string;
  readonly startByte: number;
  readonly endByte: number;
  readonly rowCount: number;
  /** Of its largest block, unpacked: more than a usual block has, where a row is larger than one. */
  readonly blockBytesMax: number;
}

/** What a writer gets of the operator's files. */
export interface SpillWriterParts extends SpillContext {
  readonly file: OpenFile;
  readonly blocks: SpillBlocks;
  /** Bytes of bodies that a block takes. */
  readonly payloadBytes: number;
  /** Address of the numbers 0 to 8,191: the rows of a batch without selection. */
  readonly places: number;
  /** Turns what a disk threw into what the job fails with. */
  readonly errorOf: (error: unknown) => unknown;
  readonly onWritten: (bytes: number) => void;
  readonly onClose: (closed: SpillWriter) => void;
}

/** Bodies begin here in the buffer: there is room for the header, and they lie at a multiple of 8. */
export const payloadStart = 64;

export class SpillWriter {
  readonly #parts: SpillWriterParts;
  /** A header and the bodies that have gathered. */
  #buffer: BlockHandle;
  #gatheredBytes = 0;
  #position = 0;
  #runStart = 0;
  #rowCount = 0;
  #blockBytesMax = 0;

  /** @throws MEMORY_EXHAUSTED */
  constructor(parts: SpillWriterParts) {
    this.#parts = parts;
    this.#buffer = parts.scope.allocate(payloadStart + parts.payloadBytes);
  }

  /** Rows since the start or the last `cut`. */
  get rowCount(): number {
    return this.#rowCount;
  }

  /**
   * Writes `count` stored rows of the batch, listed as u32 at `rows`; without a list the first ones. The
   * batch is still the caller's.
   * @throws SPILL_DISK_FULL; MEMORY_EXHAUSTED for a row that is larger than a block
   */
  append(batch: Batch, rows = 0, count = batch.rowCount): void {
    if (count === 0) return;
    const { kernels, payloadBytes, places } = this.#parts;
    const sizeBytes = encodedSizeOf(kernels, batch, rows, count);
    if (sizeBytes <= payloadBytes) {
      this.#gather(batch, rows, count, sizeBytes);
    } else if (count === 1) {
      this.#writeLarge(batch, rows, sizeBytes);
    } else {
      const list = rows !== 0 ? rows : batch.selection !== 0 ? batch.selection : places;
      const step = Math.floor(count / Math.ceil(sizeBytes / payloadBytes));
      const partRows = Math.max(1, step);
      for (let done = 0; done < count; done += partRows) {
        this.append(batch, list + done * 4, Math.min(partRows, count - done));
      }
    }
  }

  /** Ends a run; what follows belongs to the next one. */
  cut(): SpillRun {
    this.#flush();
    const run = {
      path: this.#parts.file.path,
      startByte: this.#runStart,
      endByte: this.#position,
      rowCount: this.#rowCount,
      blockBytesMax: this.#blockBytesMax,
    };
    this.#runStart = this.#position;
    this.#rowCount = 0;
    this.#blockBytesMax = 0;
    return run;
  }

  /** Ends the last run and closes the file. */
  finish(): SpillRun {
    const run = this.cut();
    this.close();
    return run;
  }

  /** Gives all up but the file itself; twice is once. */
  close(): void {
    if (this.#buffer === 0) return;
    const { scope, spill, file, onClose } = this.#parts;
    scope.memory.release(this.#buffer);
    this.#buffer = 0;
    onClose(this);
    spill.disk.close(file.id);
  }

  #gather(batch: Batch, rows: number, count: number, sizeBytes: number): void {
    assert(this.#buffer !== 0, 'a writer that is given rows is open');
    const { kernels, payloadBytes } = this.#parts;
    if (this.#gatheredBytes + sizeBytes > payloadBytes) this.#flush();
    const at = addressOf(this.#buffer) + payloadStart + this.#gatheredBytes;
    this.#gatheredBytes += encodeRows(kernels, batch, rows, count, at);
    this.#rowCount += count;
  }

  #flush(): void {
    if (this.#gatheredBytes === 0) return;
    this.#writeBlock(addressOf(this.#buffer) + payloadStart, this.#gatheredBytes);
    this.#gatheredBytes = 0;
  }

  #writeLarge(batch: Batch, rows: number, sizeBytes: number): void {
    this.#flush();
    const { scope, kernels } = this.#parts;
    const block = scope.allocate(payloadStart + sizeBytes);
    try {
      const at = addressOf(block) + payloadStart;
      encodeRows(kernels, batch, rows, 1, at);
      this.#writeBlock(at, sizeBytes);
    } finally {
      scope.memory.release(block);
    }
    this.#rowCount++;
  }

  #writeBlock(start: number, sizeBytes: number): void {
    const { blocks, file, errorOf, onWritten } = this.#parts;
    let written: number;
    try {
      written = blocks.write(file, this.#position, start, sizeBytes);
    } catch (error) {
      throw errorOf(error);
    }
    this.#position += written;
    this.#blockBytesMax = Math.max(this.#blockBytesMax, sizeBytes);
    onWritten(written);
  }
}
