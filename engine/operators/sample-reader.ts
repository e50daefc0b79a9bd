/**
 * Sample reader: reads the first rows of each split and leaves the rest, with a reader of its own for each:
 * a reader that has begun a split would go on with it.
 *
 *     splits   [####······] [####······] [####······]        which splits: coordinator/scheduler/sample-splits.ts
 *
 * After: engine/operators/boundaries-operator.ts.
 */
import { assert } from '../../base/assert.ts';
import type { ReadResult, Split, SplitReader } from '../contracts/source.ts';

/** Of each split: with 32 splits, ranges differ by a hundredth or so. */
const rowsPerSplit = 1024;

export class SampleReader implements SplitReader {
  readonly #newReader: () => SplitReader;
  #reader: SplitReader | null = null;
  #rowsLeft = 0;
  #bytesRead = 0;

  constructor(newReader: () => SplitReader) {
    this.#newReader = newReader;
  }

  get bytesRead(): number {
    return this.#bytesRead + (this.#reader?.bytesRead ?? 0);
  }

  open(split: Split): void {
    this.close();
    this.#reader = this.#newReader();
    this.#reader.open(split);
    this.#rowsLeft = rowsPerSplit;
  }

  read(): ReadResult {
    assert(this.#reader !== null, 'a split is open while it is read');
    if (this.#rowsLeft === 0) return 'end';
    const result = this.#reader.read();
    if (typeof result === 'string') return result;
    const rowCount = Math.min(result.rowCount, this.#rowsLeft);
    this.#rowsLeft -= rowCount;
    if (rowCount === result.rowCount) return result;
    const isDense = result.selection === 0;
    const first = result.derive({ rowCount, ...(isDense && { storedRows: rowCount }) });
    result.release();
    return first;
  }

  position(): string {
    return this.#reader?.position() ?? 'before the first split';
  }

  close(): void {
    const reader = this.#reader;
    this.#reader = null;
    if (reader === null) return;
    this.#bytesRead += reader.bytesRead;
    reader.close();
  }
}
