/** Room that all columns of a reader work in, one after the other. */
import { batchRowsMax } from '../../../engine/batch/batch.ts';
import { utf8ViewSize } from '../../../engine/batch/utf8-view.ts';
import {
  addressOf,
  type BlockHandle,
  type MemoryScope,
} from '../../../engine/memory/slot-memory.ts';

/** A value takes 16 bytes at most, and what is written behind the last some more. */
const valuesBytes = batchRowsMax * utf8ViewSize + 64;
const indexesBytes = batchRowsMax * 4;

export class ReadRoom {
  /** u32 for each row. */
  readonly indexes: number;
  readonly lengths: number;
  /** Values as the file has them. */
  readonly dense: number;
  /** Values of the column's type, before they are spread over the rows that have one. */
  readonly converted: number;
  /** Rows that are passed over. */
  readonly passed: number;
  readonly bitmap: number;
  /** 8 bytes. */
  readonly result: number;
  readonly #scope: MemoryScope;
  readonly #block: BlockHandle;

  constructor(scope: MemoryScope) {
    this.#scope = scope;
    this.#block = scope.allocate(3 * valuesBytes + 2 * indexesBytes + batchRowsMax / 8 + 64);
    this.dense = addressOf(this.#block);
    this.converted = this.dense + valuesBytes;
    this.passed = this.converted + valuesBytes;
    this.indexes = this.passed + valuesBytes;
    this.lengths = this.indexes + indexesBytes;
    this.bitmap = this.lengths + indexesBytes;
    this.result = this.bitmap + batchRowsMax / 8;
  }

  close(): void {
    this.#scope.memory.release(this.#block);
  }
}
