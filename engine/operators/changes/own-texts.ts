/**
 * Own texts: the texts of groups, copied out of their table. A table writes another text of a group over the one before
 * where it fits; what was given out must not change any more, and the text before is given out with the one after.
 */
import { inlineSizeMax, utf8ViewSize } from '../../batch/utf8-view.ts';
import { type AccumulatorSpec, resultSizesOf } from '../../kernels/accumulators.ts';
import type { GroupColumns } from '../../kernels/group-table.ts';
import { addressOf, type BlockHandle, type MemoryScope } from '../../memory/slot-memory.ts';

export class OwnTexts {
  readonly #scope: MemoryScope;
  /** Places of texts among the columns of results. */
  readonly #columns: readonly number[];
  #blocks: BlockHandle[] = [];

  constructor(scope: MemoryScope, accumulators: readonly AccumulatorSpec[]) {
    this.#scope = scope;
    let column = 0;
    this.#columns = accumulators.flatMap((spec) => {
      const at = column;
      column += resultSizesOf(spec).length;
      return spec.type === 'text' ? [at] : [];
    });
  }

  /** Copies the texts of `count` groups from a row on, and lets their views point there. @throws MEMORY_EXHAUSTED */
  copy({ results }: GroupColumns, fromRow: number, count: number): void {
    const { memory } = this.#scope;
    for (const column of this.#columns) {
      const first = ((results[column]?.values ?? 0) + fromRow * utf8ViewSize) >>> 2;
      const end = first + (count * utf8ViewSize) / 4;
      let sizeBytes = 0;
      for (let view = first; view < end; view += utf8ViewSize / 4) {
        const length = memory.uint32[view] ?? 0;
        if (length > inlineSizeMax) sizeBytes += length;
      }
      if (sizeBytes === 0) continue;
      const block = this.#scope.allocate(sizeBytes);
      this.#blocks.push(block);
      let to = addressOf(block);
      for (let view = first; view < end; view += utf8ViewSize / 4) {
        const length = memory.uint32[view] ?? 0;
        if (length <= inlineSizeMax) continue;
        const from = memory.uint32[view + 1] ?? 0;
        memory.bytes.copyWithin(to, from, from + length);
        memory.uint32[view + 1] = to;
        to += length;
      }
    }
  }

  /** The memory of the copies, which who takes it gives back. */
  take(): BlockHandle[] {
    const blocks = this.#blocks;
    this.#blocks = [];
    return blocks;
  }

  close(): void {
    for (const block of this.take()) this.#scope.memory.release(block);
  }
}
