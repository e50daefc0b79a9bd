/**
 * The column of a text source that says which file a line is in: a view per row, and the path's bytes once
 * per file and batch.
 */
import { batchRowsMax } from '../../engine/batch/batch.ts';
import { utf8ViewSize, writeView } from '../../engine/batch/utf8-view.ts';
import { addressOf, type BlockHandle, type MemoryScope } from '../../engine/memory/slot-memory.ts';

const encoder = new TextEncoder();

export class PathColumn {
  readonly #scope: MemoryScope;
  #views: BlockHandle = 0;
  #rowCount = 0;
  /** Of the next batch: blocks with the bytes of its paths, the last one's in `#bytes`. */
  #blocks: BlockHandle[] = [];
  #bytes = { path: '', address: 0, size: 0 };

  constructor(scope: MemoryScope) {
    this.#scope = scope;
  }

  /** The next `count` rows are of the file `path`. */
  add(path: string, count: number): void {
    if (count === 0) return;
    if (this.#views === 0) this.#views = this.#scope.allocate(batchRowsMax * utf8ViewSize);
    if (this.#blocks.length === 0 || path !== this.#bytes.path) this.#writePath(path);
    const { address, size } = this.#bytes;
    for (let row = this.#rowCount; row < this.#rowCount + count; row++) {
      const view = addressOf(this.#views) + row * utf8ViewSize;
      writeView(this.#scope.memory, view, address, size);
    }
    this.#rowCount += count;
  }

  /** The address of the views, and the blocks that the column needs, now the caller's. */
  take(): { readonly values: number; readonly blocks: readonly BlockHandle[] } {
    const values = addressOf(this.#views);
    const blocks = [this.#views, ...this.#blocks];
    this.#views = 0;
    this.#rowCount = 0;
    this.#blocks = [];
    return { values, blocks };
  }

  close(): void {
    for (const block of [this.#views, ...this.#blocks]) {
      if (block !== 0) this.#scope.memory.release(block);
    }
    this.#views = 0;
    this.#blocks = [];
  }

  #writePath(path: string): void {
    const bytes = encoder.encode(path);
    const block = this.#scope.allocate(Math.max(1, bytes.length));
    this.#blocks.push(block);
    this.#scope.memory.bytes.set(bytes, addressOf(block));
    this.#bytes = { path, address: addressOf(block), size: bytes.length };
  }
}
