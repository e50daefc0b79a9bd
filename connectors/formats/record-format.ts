/**
 * Record formats: how the bytes of records become rows. `RecordReader` brings the bytes and takes the
 * batches; a format knows where a record ends, what is in it, and what is wrong with it.
 */
import type { Batch } from '../../engine/batch/batch.ts';
import type { Split } from '../../engine/contracts/source.ts';
import type { BlockHandle } from '../../engine/memory/slot-memory.ts';

/** Bytes that were read and not used up. */
export interface RecordSpan {
  readonly path: string;
  /** Addresses; behind `end` there is room for one more byte. */
  readonly from: number;
  readonly end: number;
  /** Whether the file ends at `end`. */
  readonly isLast: boolean;
  /** Records that begin here or later belong to somebody else. */
  readonly limit: number;
  /** The byte offset in the file of an address. */
  offsetOf(address: number): number;
}

export interface RecordFormat {
  /** Rows that are not taken yet. */
  readonly rowCount: number;
  /** No room for another row: to be taken first. */
  readonly isFull: boolean;
  /** Whether rows show into the block that they were read from. */
  readonly showsIntoBlock: boolean;
  /** Told of a split before it gets its records. */
  beginSplit?(split: Split): void;
  /**
   * Makes rows of the whole records of the span, as many as there is room for.
   * @returns The address behind the last record that was used up.
   */
  addRows(span: RecordSpan): number;
  /** The rows as a batch, which the caller owns. `block` is the one that they show into. */
  takeBatch(block: BlockHandle): Batch;
  /** Gives all memory back; also after a failure. */
  close(): void;
}
