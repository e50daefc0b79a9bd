/**
 * Column writers: one column of a batch in the making, one class per type. They check a value from
 * a user's function and write it straight into the slot's memory; no object is kept per value.
 *
 * The blocks start small and double, and a writer remembers how far it got, so a stream of full
 * batches allocates the full size at once and a batch of three rows stays small.
 *
 * Contract: `set(row, value)` is called with ascending rows; a row may be set again before the next
 * one (asserted: rows stay below the most a batch has). After an error the row can be set anew.
 * After: engine/batch/batch-builder.ts
 */
import { assert, assertNever } from '../../base/assert.ts';
import { addressOf, type BlockHandle, type MemoryScope } from '../memory/slot-memory.ts';
import { bitmapSizeOf, type FieldType, valuesSizeOf } from '../schema/field-type.ts';
import type { Field } from '../schema/schema.ts';
import { batchRowsMax, type Column } from './batch.ts';
import { TextArena } from './text-arena.ts';
import { utf8ViewSize } from './utf8-view.ts';
import { isNullError, outOfRangeError, typeMismatchError } from './value-errors.ts';

const firstCapacity = 64;
const int64Min = -(2n ** 63n);
const int64Max = 2n ** 63n - 1n;

/** The writer for a field's type. */
export function columnWriterOf(scope: MemoryScope, field: Field): ColumnWriter {
  const { type } = field;
  switch (type.kind) {
    case 'bool':
      return new BoolWriter(scope, field);
    case 'int32':
      return new Int32Writer(scope, field);
    case 'float64':
      return new Float64Writer(scope, field);
    case 'int64':
      return new Int64Writer(scope, field);
    case 'timestamp':
      return new TimestampWriter(scope, field, type.unit);
    case 'utf8':
      return new Utf8Writer(scope, field);
    default:
      return assertNever(type);
  }
}

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

  /**
   * Writes the value of a row; undefined counts as null. Each class has its own, and not one that
   * calls a method per type: then a call in a driver leads straight to the typed write.
   * @throws VALUE_IS_NULL, VALUE_TYPE_MISMATCH, VALUE_OUT_OF_RANGE naming the column.
   */
  abstract set(row: number, value: unknown): void;

  /** Hands the column over: its place, and its blocks, which the caller owns from now on. */
  take(rowCount: number, blocks: BlockHandle[]): Column {
    if (this.capacity === 0) this.grow(0);
    const column = { type: this.field.type, validity: this.validity, values: this.values };
    for (const block of this.blocks()) blocks.push(block);
    this.#forget();
    this.#nextCapacity = Math.max(firstCapacity, Math.min(batchRowsMax, rowCount));
    return column;
  }

  /** Gives all memory back; the writer starts anew. */
  discard(): void {
    for (const block of this.blocks()) this.scope.memory.release(block);
    this.#forget();
  }

  protected abstract writeNull(row: number): void;

  /** The blocks that the column holds. */
  protected blocks(): BlockHandle[] {
    return [this.#valuesBlock, this.#validityBlock].filter((block) => block !== 0);
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
    const { bytes } = this.scope.memory;
    if (this.validity === 0) {
      const size = bitmapSizeOf(this.capacity);
      this.#validityBlock = this.scope.allocate(size);
      this.validity = addressOf(this.#validityBlock);
      bytes.fill(0xff, this.validity, this.validity + size);
    }
    bytes[this.validity + (row >>> 3)]! &= ~(1 << (row & 7));
    this.writeNull(row);
  }

  protected setValid(row: number): void {
    this.scope.memory.bytes[this.validity + (row >>> 3)]! |= 1 << (row & 7);
  }
}

class BoolWriter extends ColumnWriter {
  set(row: number, value: unknown): void {
    if (value === null || value === undefined) this.setNull(row);
    else this.#write(row, value);
  }

  #write(row: number, value: unknown): void {
    if (typeof value !== 'boolean') throw typeMismatchError(this.field, 'a boolean', value);
    if (row >= this.capacity) this.grow(row);
    const { bytes } = this.scope.memory;
    const at = this.values + (row >>> 3);
    const bit = 1 << (row & 7);
    bytes[at] = value ? bytes[at]! | bit : bytes[at]! & ~bit;
    if (this.validity !== 0) this.setValid(row);
  }

  protected writeNull(row: number): void {
    this.scope.memory.bytes[this.values + (row >>> 3)]! &= ~(1 << (row & 7));
  }
}

class Int32Writer extends ColumnWriter {
  set(row: number, value: unknown): void {
    if (value === null || value === undefined) this.setNull(row);
    else this.#write(row, value);
  }

  #write(row: number, value: unknown): void {
    if (typeof value !== 'number') throw typeMismatchError(this.field, 'a number', value);
    if ((value | 0) !== value) throw outOfRangeError(this.field, value);
    if (row >= this.capacity) this.grow(row);
    this.scope.memory.int32[(this.values >>> 2) + row] = value;
    if (this.validity !== 0) this.setValid(row);
  }

  protected writeNull(row: number): void {
    this.scope.memory.int32[(this.values >>> 2) + row] = 0;
  }
}

class Float64Writer extends ColumnWriter {
  set(row: number, value: unknown): void {
    if (value === null || value === undefined) this.setNull(row);
    else this.#write(row, value);
  }

  #write(row: number, value: unknown): void {
    if (typeof value !== 'number') throw typeMismatchError(this.field, 'a number', value);
    if (row >= this.capacity) this.grow(row);
    this.scope.memory.float64[this.values / 8 + row] = value;
    if (this.validity !== 0) this.setValid(row);
  }

  protected writeNull(row: number): void {
    this.scope.memory.float64[this.values / 8 + row] = 0;
  }
}

/** Takes bigints and whole numbers that are safe, whatever the schema's `js`: neither loses a bit. */
class Int64Writer extends ColumnWriter {
  set(row: number, value: unknown): void {
    if (value === null || value === undefined) this.setNull(row);
    else this.#write(row, value);
  }

  #write(row: number, value: unknown): void {
    if (typeof value === 'number') this.writeNumber(row, value);
    else if (typeof value === 'bigint') this.writeBigInt(row, value);
    else throw typeMismatchError(this.field, expectedInt64(this.field.type), value);
  }

  protected writeNull(row: number): void {
    this.scope.memory.bigInt64[this.values / 8 + row] = 0n;
  }

  protected writeNumber(row: number, value: number): void {
    if (!Number.isSafeInteger(value)) throw outOfRangeError(this.field, value);
    if (row >= this.capacity) this.grow(row);
    const { int32 } = this.scope.memory;
    const word = (this.values >>> 2) + row * 2;
    // Exact for safe integers: the low half, and what is left in units of 2^32.
    const low = value >>> 0;
    int32[word] = low;
    int32[word + 1] = (value - low) / 4_294_967_296;
    if (this.validity !== 0) this.setValid(row);
  }

  protected writeBigInt(row: number, value: bigint): void {
    if (value < int64Min || value > int64Max) throw outOfRangeError(this.field, value);
    if (row >= this.capacity) this.grow(row);
    this.scope.memory.bigInt64[this.values / 8 + row] = value;
    if (this.validity !== 0) this.setValid(row);
  }
}

/** Takes what int64 takes, in the column's unit, and a Date. */
class TimestampWriter extends Int64Writer {
  readonly #perMs: number;

  constructor(scope: MemoryScope, field: Field, unit: 'ms' | 'us') {
    super(scope, field);
    this.#perMs = unit === 'ms' ? 1 : 1000;
  }

  override set(row: number, value: unknown): void {
    if (value instanceof Date) this.writeNumber(row, value.getTime() * this.#perMs);
    else super.set(row, value);
  }
}

class Utf8Writer extends ColumnWriter {
  readonly #arena: TextArena;

  constructor(scope: MemoryScope, field: Field) {
    super(scope, field);
    this.#arena = new TextArena(scope);
  }

  override get textBytes(): number {
    return this.#arena.usedBytes;
  }

  set(row: number, value: unknown): void {
    if (value === null || value === undefined) this.setNull(row);
    else this.#write(row, value);
  }

  #write(row: number, value: unknown): void {
    if (typeof value !== 'string') throw typeMismatchError(this.field, 'a string', value);
    if (row >= this.capacity) this.grow(row);
    this.#arena.writeText(this.values + row * utf8ViewSize, value);
    if (this.validity !== 0) this.setValid(row);
  }

  protected writeNull(row: number): void {
    const word = (this.values + row * utf8ViewSize) >>> 2;
    const { uint32 } = this.scope.memory;
    uint32[word] = 0;
    uint32[word + 1] = 0;
    uint32[word + 2] = 0;
    uint32[word + 3] = 0;
  }

  protected override blocks(): BlockHandle[] {
    return [...super.blocks(), ...this.#arena.blocks];
  }

  protected override forget(): void {
    this.#arena.forget();
  }
}

function expectedInt64(type: FieldType): string {
  if (type.kind === 'timestamp') return 'a Date, a bigint or a whole number';
  return type.kind === 'int64' && type.js === 'number' ? 'a whole number' : 'a bigint';
}
