/**
 * Scratch of a join of streams: lists of the rows of one batch, of pairs, and of keys. One block, made once.
 *
 * Contract: who writes a list says so; `rows` and `times` are those of the current batch until it is done.
 */
import { batchRowsMax } from '../../batch/batch.ts';
import { joinScratchBytes } from '../../kernels/growing-join-table.ts';
import { addressOf, type BlockHandle, type MemoryScope } from '../../memory/slot-memory.ts';
import { bitmapSizeOf } from '../../schema/field-type.ts';

const listBytes = batchRowsMax * 4;
const bitBytes = bitmapSizeOf(batchRowsMax) + 64;
const stateBytes = 64;

export class BandScratch {
  /** Rows of the batch that have a time and a key, and their times. */
  readonly rows: number;
  readonly times: number;
  /** Rows that come alone, and lists of a moment. */
  readonly alone: number;
  readonly heads: number;
  readonly probe: number;
  readonly build: number;
  /** Rows of one slice, their times, their keys. */
  readonly partRows: number;
  readonly partTimes: number;
  readonly keys: number;
  /** Bits of stored rows of the batch that have a partner. */
  readonly bits: number;
  /** Of `timedRows`, `rowsBefore`; of pairs. */
  readonly counts: number;
  readonly state: number;
  /** Of tables. */
  readonly table: number;
  readonly sizeBytes: number;
  readonly #scope: MemoryScope;
  readonly #block: BlockHandle;

  /** @throws MEMORY_EXHAUSTED */
  constructor(scope: MemoryScope) {
    const sizes = [
      ...[listBytes, listBytes * 2, listBytes, listBytes, listBytes, listBytes],
      ...[listBytes, listBytes * 2, listBytes * 4, bitBytes, stateBytes, stateBytes],
      joinScratchBytes,
    ];
    this.#scope = scope;
    this.sizeBytes = sizes.reduce((sum, size) => sum + size, 0);
    this.#block = scope.allocate(this.sizeBytes);
    let next = addressOf(this.#block);
    const places = sizes.map((size) => {
      const at = next;
      next += size;
      return at;
    });
    const at = (index: number) => places[index] ?? 0;
    [this.rows, this.times, this.alone, this.heads] = [at(0), at(1), at(2), at(3)];
    [this.probe, this.build, this.partRows, this.partTimes] = [at(4), at(5), at(6), at(7)];
    [this.keys, this.bits, this.counts, this.state] = [at(8), at(9), at(10), at(11)];
    this.table = at(12);
  }

  /** No row of the batch has a partner yet. */
  clearBits(): void {
    this.#scope.memory.bytes.fill(0, this.bits, this.bits + bitBytes);
  }

  /** Pairs begin with the first row. */
  clearState(): void {
    this.#scope.memory.uint32.fill(0, this.state >>> 2, (this.state >>> 2) + 2);
  }

  close(): void {
    this.#scope.memory.release(this.#block);
  }
}
