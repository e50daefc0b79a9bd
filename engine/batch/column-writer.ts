/**
 * Column writers: one column of a batch in the making, one class per type (the classes are in the
 * files beside this one, `columnWriterOf` chooses). They check a value from a user's function and
 * write it straight into the slot's memory; no object is kept per value.
 *
 * The blocks start small and double, and a writer remembers how far it got, so a stream of full
 * batches allocates the full size at once and a batch of three rows stays small.
 *
 * Contract: `set(row, value)` is called with ascending rows; a row may be set again before the next
 * one (asserted: rows stay below the most a batch has). After an error the row can be set anew.
 * After: engine/batch/batch-builder.ts
 */
import { assert } from '../../base/assert.ts';
import { addressOf, type BlockHandle, type MemoryScope } from '../memory/slot-memory.ts';
import { bitmapSizeOf, valuesSizeOf } from '../schema/field-type.ts';
import type { Field } from '../schema/schema.ts';
import { batchRowsMax, type Column } from './batch.ts';
import { isNullError } from './value-errors.ts';

const firstCapacity = 64;

export abstract class ColumnWriter {
  readonly field: Field;
  protected readonly scope: MemoryScope;
  /** Byte address of the values. */
  protected values = 0;
  #valuesBlock: BlockHandle = 0;
  #validityBlock: BlockHandle = 0;
  /** Byte address of the bitmap; 0 until the first null. */
  protected validity = 0;
  protected capacity = 0;
  #nextCapacity = firstCapacity;

  constructor(scope: MemoryScope, field: Field) {
    this.scope = scope;
    this.field = field;
  }

  /** Bytes of text that the batch holds so far. */
  get textBytes(): number {
    return 0;
  }

  /** Byte address of the values; it holds until the column grows or is taken. */
  get address(): number {
    return this.values;
  }

  /** Rows that there is room for at `address`. */
  get room(): number {
    return this.capacity;
  }

  /**
   * Writes the value of a row; undefined counts as null. Each class has its own, and not one that
   * calls a method per type: then a call in a driver leads straight to the typed write.
   * @throws VALUE_IS_NULL, VALUE_TYPE_MISMATCH, VALUE_OUT_OF_RANGE naming the column.
   */
  abstract set(row: number, value: unknown): void;

  /**
   * Makes room for all rows of a batch, for kernels that write values themselves; answers with where
   * they go. The bitmap, which a nullable column has from now on, is all ones.
   */
  reserve(): Column {
    if (this.capacity < batchRowsMax) {
      this.#nextCapacity = batchRowsMax;
      this.grow(batchRowsMax - 1);
    }
    if (this.field.nullable && this.validity === 0) this.#addValidity();
    return { type: this.field.type, validity: this.validity, values: this.values };
  }

  /**
   * Hands the column over: its place, and its blocks, which the caller owns from now on.
   * @param hasNulls - Whether a value may be null; without nulls a column has no bitmap.
   */
  take(rowCount: number, blocks: BlockHandle[], hasNulls = true): Column {
    if (this.capacity === 0) this.grow(0);
    const { values } = this;
    const column = { type: this.field.type, validity: hasNulls ? this.validity : 0, values };
    this.addBlocks(blocks);
    this.#forget();
    this.#nextCapacity = Math.max(firstCapacity, Math.min(batchRowsMax, rowCount));
    return column;
  }

  /** Gives all memory back; the writer starts anew. */
  discard(): void {
    const blocks: BlockHandle[] = [];
    this.addBlocks(blocks);
    for (const block of blocks) this.scope.memory.release(block);
    this.#forget();
  }

  protected abstract writeNull(row: number): void;

  /** Adds the blocks that the column holds. */
  protected addBlocks(to: BlockHandle[]): void {
    if (this.#valuesBlock !== 0) to.push(this.#valuesBlock);
    if (this.#validityBlock !== 0) to.push(this.#validityBlock);
  }

  protected forget(): void {
    // Only text has more than the two blocks.
  }

  #forget(): void {
    this.#valuesBlock = 0;
    this.#validityBlock = 0;
    this.validity = 0;
    this.values = 0;
    this.capacity = 0;
    this.forget();
  }

  protected grow(row: number): void {
    assert(row < batchRowsMax, 'a row of a batch is below 8,192');
    let capacity = Math.max(this.#nextCapacity, this.capacity * 2);
    while (capacity <= row) capacity *= 2;
    capacity = Math.min(capacity, batchRowsMax);
    const { type } = this.field;
    const kept = valuesSizeOf(type, this.capacity);
    this.#valuesBlock = this.#moved(this.#valuesBlock, kept, valuesSizeOf(type, capacity));
    this.values = addressOf(this.#valuesBlock);
    if (this.#validityBlock !== 0) {
      const from = bitmapSizeOf(this.capacity);
      const to = bitmapSizeOf(capacity);
      this.#validityBlock = this.#moved(this.#validityBlock, from, to);
      this.validity = addressOf(this.#validityBlock);
      this.scope.memory.bytes.fill(0xff, this.validity + from, this.validity + to);
    }
    this.capacity = capacity;
  }

  /** A larger block with the first `kept` bytes of the old one, which is released. */
  #moved(block: BlockHandle, kept: number, sizeBytes: number): BlockHandle {
    const { memory } = this.scope;
    const moved = this.scope.allocate(sizeBytes);
    if (block !== 0) {
      const from = addressOf(block);
      memory.bytes.copyWithin(addressOf(moved), from, from + kept);
      memory.release(block);
    }
    return moved;
  }

  protected setNull(row: number): void {
    if (row >= this.capacity) this.grow(row);
    if (!this.field.nullable) throw isNullError(this.field);
    if (this.validity === 0) this.#addValidity();
    const { bytes } = this.scope.memory;
    bytes[this.validity + (row >>> 3)]! &= ~(1 << (row & 7));
    this.writeNull(row);
  }

  #addValidity(): void {
    const size = bitmapSizeOf(this.capacity);
    this.#validityBlock = this.scope.allocate(size);
    this.validity = addressOf(this.#validityBlock);
    this.scope.memory.bytes.fill(0xff, this.validity, this.validity + size);
  }

  protected setValid(row: number): void {
    this.scope.memory.bytes[this.validity + (row >>> 3)]! |= 1 << (row & 7);
  }
}
