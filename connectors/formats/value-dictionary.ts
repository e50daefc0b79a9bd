/**
 * A dictionary under construction: values to the numbers of its entries. It grows with its entries, up to
 * a limit where there is one.
 */
import type { SlotContext } from '../../engine/contracts/connector.ts';
import { internLayout } from '../../engine/kernels/parquet-write-kernels.ts';
import { addressOf, type BlockHandle } from '../../engine/memory/slot-memory.ts';

export interface DictionaryOptions {
  readonly form: 'text' | 'fixed';
  /** Bytes of an entry: 4, 8 or 16; 16 of texts. */
  readonly entrySize: number;
  /** @defaultValue none: the slot's memory is the limit */
  readonly entriesMax?: number;
  readonly textBytesMax?: number;
}

const entriesAtFirst = 4096;
const textBytesAtFirst = 64 << 10;

export class ValueDictionary {
  readonly #context: SlotContext;
  readonly #options: DictionaryOptions;
  readonly #state: BlockHandle;
  /** The table, and behind it the entries. */
  #block: BlockHandle = 0;
  #countMax = 0;
  #texts: BlockHandle[] = [];
  #textBytes = 0;

  constructor(context: SlotContext, options: DictionaryOptions) {
    this.#context = context;
    this.#options = options;
    this.#state = context.scope.allocate(internLayout.size);
    const { uint32 } = context.scope.memory;
    const state = addressOf(this.#state) >>> 2;
    uint32.fill(0, state, state + internLayout.size / 4);
    this.#growTable(entriesAtFirst);
  }

  /** Bytes of long texts that there is room for. */
  get textBytes(): number {
    return this.#textBytes;
  }

  get count(): number {
    return this.#field(internLayout.count);
  }

  /** Address of the entries, in their form. */
  get entries(): number {
    return addressOf(this.#block) + slotsOf(this.#countMax) * 4;
  }

  /** Writes the numbers of the values' entries as u32; false when it is full, with nothing to be used. */
  add(values: number, count: number, out: number): boolean {
    const { kernels } = this.#context;
    const { form, entrySize } = this.#options;
    const state = addressOf(this.#state);
    let done = 0;
    for (;;) {
      const [from, to, left] = [values + done * entrySize, out + done * 4, count - done];
      done +=
        form === 'text'
          ? kernels.internTexts(state, from, left, to)
          : kernels.internFixed(state, from, entrySize, left, to);
      if (done === count) return true;
      if (!this.#grow(values + done * entrySize)) return false;
    }
  }

  close(): void {
    const { memory } = this.#context.scope;
    for (const block of [this.#block, this.#state, ...this.#texts]) memory.release(block);
    this.#texts = [];
  }

  /** Makes room for the value that there was none for; false where that would be too much. */
  #grow(value: number): boolean {
    const { entriesMax = Number.POSITIVE_INFINITY, textBytesMax = Number.POSITIVE_INFINITY } =
      this.#options;
    if (this.count === this.#countMax) {
      if (this.#countMax >= entriesMax) return false;
      this.#growTable(this.#countMax * 4);
      return true;
    }
    const sizeBytes = this.#context.scope.memory.uint32[value >>> 2] ?? 0;
    const wanted = Math.max(sizeBytes, textBytesAtFirst, this.#textBytes);
    if (this.#textBytes + sizeBytes > textBytesMax) return false;
    const block = this.#context.scope.allocate(wanted);
    this.#texts.push(block);
    this.#textBytes += wanted;
    this.#setField(internLayout.textAt, addressOf(block));
    this.#setField(internLayout.textEnd, addressOf(block) + wanted);
    return true;
  }

  #growTable(countMax: number): void {
    const { scope, kernels } = this.#context;
    const { memory } = scope;
    const { form, entrySize } = this.#options;
    const slots = slotsOf(countMax);
    const block = scope.allocate(slots * 4 + countMax * entrySize);
    const table = addressOf(block);
    const from = this.entries;
    memory.uint32.fill(0, table >>> 2, (table >>> 2) + slots);
    memory.bytes.copyWithin(table + slots * 4, from, from + this.count * entrySize);
    if (this.#block !== 0) memory.release(this.#block);
    this.#block = block;
    this.#countMax = countMax;
    this.#setField(internLayout.table, table);
    this.#setField(internLayout.mask, slots - 1);
    this.#setField(internLayout.entries, this.entries);
    this.#setField(internLayout.countMax, countMax);
    kernels.internAgain(addressOf(this.#state), entrySize, form === 'text' ? 1 : 0);
  }

  #field(offset: number): number {
    return this.#context.scope.memory.uint32[(addressOf(this.#state) + offset) >>> 2] ?? 0;
  }

  #setField(offset: number, value: number): void {
    this.#context.scope.memory.uint32[(addressOf(this.#state) + offset) >>> 2] = value;
  }
}

function slotsOf(countMax: number): number {
  return countMax * 2;
}
