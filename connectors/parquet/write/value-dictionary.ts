/**
 * The dictionary of a column chunk under construction: values to the numbers of its entries. It grows
 * with its entries, up to a limit; what has more different values than that is better written plainly.
 */
import type { SlotContext } from '../../../engine/contracts/connector.ts';
import { internLayout } from '../../../engine/kernels/parquet-write-kernels.ts';
import { addressOf, type BlockHandle } from '../../../engine/memory/slot-memory.ts';
import type { PhysicalColumn } from './physical-column.ts';

const entriesAtFirst = 4096;
/** 64 Ki entries: indexes of 16 bits, and less than 1 MiB of views or 0.5 MiB of int64. */
const entriesMax = 64 << 10;
const textBytesAtFirst = 64 << 10;
/** As most writers limit a dictionary to. */
const textBytesMax = 1 << 20;

export class ValueDictionary {
  readonly #context: SlotContext;
  readonly #column: PhysicalColumn;
  readonly #state: BlockHandle;
  /** The table, and behind it the entries. */
  #block: BlockHandle = 0;
  #countMax = 0;
  #texts: BlockHandle[] = [];
  #textBytes = 0;

  constructor(context: SlotContext, column: PhysicalColumn) {
    this.#context = context;
    this.#column = column;
    this.#state = context.scope.allocate(internLayout.size);
    const { uint32 } = context.scope.memory;
    const state = addressOf(this.#state) >>> 2;
    uint32.fill(0, state, state + internLayout.size / 4);
    this.#growTable(entriesAtFirst);
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
    const { form, formSize } = this.#column;
    const state = addressOf(this.#state);
    let done = 0;
    for (;;) {
      const [from, to, left] = [values + done * formSize, out + done * 4, count - done];
      done +=
        form === 'text'
          ? kernels.internTexts(state, from, left, to)
          : kernels.internFixed(state, from, formSize, left, to);
      if (done === count) return true;
      if (!this.#grow(values + done * formSize)) return false;
    }
  }

  close(): void {
    const { memory } = this.#context.scope;
    for (const block of [this.#block, this.#state, ...this.#texts]) memory.release(block);
    this.#texts = [];
  }

  /** Makes room for the value that there was none for; false where that would be too much. */
  #grow(value: number): boolean {
    if (this.count === this.#countMax) {
      if (this.#countMax === entriesMax) return false;
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
    const { form, formSize } = this.#column;
    const slots = slotsOf(countMax);
    const block = scope.allocate(slots * 4 + countMax * formSize);
    const table = addressOf(block);
    const from = this.entries;
    memory.uint32.fill(0, table >>> 2, (table >>> 2) + slots);
    memory.bytes.copyWithin(table + slots * 4, from, from + this.count * formSize);
    if (this.#block !== 0) memory.release(this.#block);
    this.#block = block;
    this.#countMax = countMax;
    this.#setField(internLayout.table, table);
    this.#setField(internLayout.mask, slots - 1);
    this.#setField(internLayout.entries, this.entries);
    this.#setField(internLayout.countMax, countMax);
    kernels.internAgain(addressOf(this.#state), formSize, form === 'text' ? 1 : 0);
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
