/**
 * Touched times: a column in which every row has the time that is now, for accumulators that keep the latest; and such times as
 * what has passed since, and back.
 */
import { type Batch, batchRowsMax } from '../../batch/batch.ts';
import type { ColumnAddress } from '../../kernels/group-table.ts';
import { addressOf, type BlockHandle, type MemoryScope } from '../../memory/slot-memory.ts';

export class TouchedTimes {
  readonly #scope: MemoryScope;
  readonly #block: BlockHandle;
  #writtenMs = -1;

  /** @throws MEMORY_EXHAUSTED */
  constructor(scope: MemoryScope) {
    this.#scope = scope;
    this.#block = scope.allocate(batchRowsMax * 8);
  }

  /** The column at that time, from 0 on; it holds until the next call. */
  at(nowMs: number): ColumnAddress {
    const values = addressOf(this.#block);
    if (nowMs !== this.#writtenMs) {
      const { uint32 } = this.#scope.memory;
      const [low, high] = [nowMs % 2 ** 32, Math.floor(nowMs / 2 ** 32)];
      for (let at = values >>> 2; at < (values >>> 2) + batchRowsMax * 2; at += 2) {
        uint32[at] = low;
        uint32[at + 1] = high;
      }
      this.#writtenMs = nowMs;
    }
    return { values, validity: 0 };
  }

  close(): void {
    this.#scope.memory.release(this.#block);
  }
}

/** Makes of the times in the last column, in place, how long ago they were; and of that, by another clock, times again. */
export function turnTimes({ columns, memory, storedRows }: Batch, nowMs: number): void {
  const { int32, uint32 } = memory;
  const at = (columns.at(-1)?.values ?? 0) >>> 2;
  for (let row = 0; row < storedRows; row++) {
    const timeMs = (int32[at + row * 2 + 1] ?? 0) * 2 ** 32 + (uint32[at + row * 2] ?? 0);
    const agoMs = nowMs - timeMs;
    uint32[at + row * 2] = agoMs >>> 0;
    uint32[at + row * 2 + 1] = Math.floor(agoMs / 2 ** 32) >>> 0;
  }
}

/** When the group of a row was touched, which is the last column. */
export function touchedMsOf({ columns, memory }: Batch, row: number): number {
  const at = ((columns.at(-1)?.values ?? 0) >>> 2) + row * 2;
  return (memory.int32[at + 1] ?? 0) * 2 ** 32 + (memory.uint32[at] ?? 0);
}
