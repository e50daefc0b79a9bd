/**
 * The dictionary of a column that is written: texts to indexes, and the entries that readers do not have yet.
 *
 *     batch 0    red green red    indexes 0 1 0     dictionary   red green
 *     batch 1    green blue       indexes 1 2       delta        blue
 *
 * A delta adds entries, in files as in streams. Streams may also replace a dictionary, so ours begins anew
 * there when it gets large; a file has one for all of its batches, which a reader has to hold as well.
 * The index of a null leads to the empty text, which is an entry then.
 */
import { batchRowsMax, type Column } from '../../engine/batch/batch.ts';
import { utf8ViewSize } from '../../engine/batch/utf8-view.ts';
import type { SlotContext } from '../../engine/contracts/connector.ts';
import { addressOf, type BlockHandle } from '../../engine/memory/slot-memory.ts';
import { int32Type, utf8Type } from '../../engine/schema/field-type.ts';
import { ValueDictionary } from '../formats/value-dictionary.ts';

/** A dictionary batch to be written. */
export interface NewEntries {
  readonly id: number;
  readonly isDelta: boolean;
  readonly column: Column;
  readonly count: number;
}

export interface DictionaryLimits {
  /** Beyond these the dictionary begins anew. */
  readonly entriesMax: number;
  readonly textBytesMax: number;
}

export class DictionaryWriter {
  readonly #context: SlotContext;
  readonly #id: number;
  readonly #limits: DictionaryLimits | null;
  #entries: ValueDictionary;
  /** Entries that were written; null when no dictionary was. */
  #written: number | null = null;

  /** @param limits - Null: none, a dictionary is not replaced. */
  constructor(context: SlotContext, id: number, limits: DictionaryLimits | null) {
    this.#context = context;
    this.#id = id;
    this.#limits = limits;
    this.#entries = this.#empty();
  }

  /** The column as indexes; `blocks` gets a new one. */
  indexesOf({ values, validity }: Column, rowCount: number, blocks: BlockHandle[]): Column {
    if (this.#isFull()) {
      this.#entries.close();
      this.#entries = this.#empty();
      this.#written = null;
    }
    const block = this.#context.scope.allocate(batchRowsMax * 4);
    blocks.push(block);
    this.#entries.add(values, rowCount, addressOf(block));
    return { type: int32Type, validity, values: addressOf(block) };
  }

  /** What has to be written before the indexes: the first dictionary, or new entries; null: nothing. */
  takeNew(): NewEntries | null {
    const { count, entries } = this.#entries;
    const before = this.#written;
    if (before === count) return null;
    this.#written = count;
    const from = before ?? 0;
    const values = entries + from * utf8ViewSize;
    const column = { type: utf8Type, validity: 0, values };
    return { id: this.#id, isDelta: before !== null, column, count: count - from };
  }

  close(): void {
    this.#entries.close();
  }

  #isFull(): boolean {
    if (this.#limits === null) return false;
    const { entriesMax, textBytesMax } = this.#limits;
    return this.#entries.count > entriesMax || this.#entries.textBytes > textBytesMax;
  }

  #empty(): ValueDictionary {
    return new ValueDictionary(this.#context, { form: 'text', entrySize: utf8ViewSize });
  }
}
