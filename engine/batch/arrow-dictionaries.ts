/**
 * Dictionaries of a record batch from outside, each imported once, however many batches of ours its
 * rows become. Batches retain the blocks that their views point into.
 */
import type { BlockHandle, SlotMemory } from '../memory/slot-memory.ts';
import type { Column } from './batch.ts';

export interface DictionaryColumn {
  /** The values, one per index. */
  readonly column: Column;
  readonly count: number;
  readonly blocks: readonly BlockHandle[];
}

export class ArrowDictionaries {
  readonly #memory: SlotMemory;
  readonly #columns = new Map<object, DictionaryColumn>();
  readonly #blocks: BlockHandle[] = [];

  constructor(memory: SlotMemory) {
    this.#memory = memory;
  }

  /** The column of a dictionary. `make` notes its blocks in the list that it is given, also when it throws. */
  get(
    dictionary: object,
    make: (blocks: BlockHandle[]) => { readonly column: Column; readonly count: number },
  ): DictionaryColumn {
    const known = this.#columns.get(dictionary);
    if (known !== undefined) return known;
    const blocks: BlockHandle[] = [];
    try {
      const made = { ...make(blocks), blocks };
      this.#columns.set(dictionary, made);
      return made;
    } finally {
      this.#blocks.push(...blocks);
    }
  }

  release(): void {
    for (const block of this.#blocks.splice(0)) this.#memory.release(block);
    this.#columns.clear();
  }
}
