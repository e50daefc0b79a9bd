/** Writers of int64 and timestamps: bigints and safe numbers, stored as two words or one of 64 bits. */
import type { MemoryScope } from '../memory/slot-memory.ts';
import type { Field, FieldType } from '../schema/field-type.ts';
import { ColumnWriter } from './column-writer.ts';
import { outOfRangeError, typeMismatchError } from './value-errors.ts';

const int64Min = -(2n ** 63n);
const int64Max = 2n ** 63n - 1n;

/** Takes bigints and whole numbers that are safe, whatever the schema's `js`: neither loses a bit. */
export class Int64Writer extends ColumnWriter {
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
export class TimestampWriter extends Int64Writer {
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

function expectedInt64(type: FieldType): string {
  if (type.kind === 'timestamp') return 'a Date, a bigint or a whole number';
  return type.kind === 'int64' && type.js === 'number' ? 'a whole number' : 'a bigint';
}
