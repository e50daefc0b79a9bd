/**
 * Writers of bool and of numbers of up to 4 bytes and float64: each checks that the value is one and
 * fits, and stores it. They differ by a range and a typed array only, and are classes of their own all
 * the same: a store that sees five kinds of arrays is several times slower than one that sees one.
 */
import { ColumnWriter } from './column-writer.ts';
import { checkedFloat32 } from './value-checks.ts';
import { outOfRangeError, typeMismatchError } from './value-errors.ts';

export class BoolWriter extends ColumnWriter {
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

export class Int8Writer extends ColumnWriter {
  set(row: number, value: unknown): void {
    if (value === null || value === undefined) this.setNull(row);
    else this.#write(row, value);
  }

  #write(row: number, value: unknown): void {
    if (typeof value !== 'number') throw typeMismatchError(this.field, 'a number', value);
    if ((value << 24) >> 24 !== value) throw outOfRangeError(this.field, value);
    if (row >= this.capacity) this.grow(row);
    this.scope.memory.bytes[this.values + row] = value;
    if (this.validity !== 0) this.setValid(row);
  }

  protected writeNull(row: number): void {
    this.scope.memory.bytes[this.values + row] = 0;
  }
}

export class Int16Writer extends ColumnWriter {
  set(row: number, value: unknown): void {
    if (value === null || value === undefined) this.setNull(row);
    else this.#write(row, value);
  }

  #write(row: number, value: unknown): void {
    if (typeof value !== 'number') throw typeMismatchError(this.field, 'a number', value);
    if ((value << 16) >> 16 !== value) throw outOfRangeError(this.field, value);
    if (row >= this.capacity) this.grow(row);
    this.scope.memory.int16[(this.values >>> 1) + row] = value;
    if (this.validity !== 0) this.setValid(row);
  }

  protected writeNull(row: number): void {
    this.scope.memory.int16[(this.values >>> 1) + row] = 0;
  }
}

export class Uint8Writer extends ColumnWriter {
  set(row: number, value: unknown): void {
    if (value === null || value === undefined) this.setNull(row);
    else this.#write(row, value);
  }

  #write(row: number, value: unknown): void {
    if (typeof value !== 'number') throw typeMismatchError(this.field, 'a number', value);
    if ((value & 0xff) !== value) throw outOfRangeError(this.field, value);
    if (row >= this.capacity) this.grow(row);
    this.scope.memory.bytes[this.values + row] = value;
    if (this.validity !== 0) this.setValid(row);
  }

  protected writeNull(row: number): void {
    this.scope.memory.bytes[this.values + row] = 0;
  }
}

export class Uint16Writer extends ColumnWriter {
  set(row: number, value: unknown): void {
    if (value === null || value === undefined) this.setNull(row);
    else this.#write(row, value);
  }

  #write(row: number, value: unknown): void {
    if (typeof value !== 'number') throw typeMismatchError(this.field, 'a number', value);
    if ((value & 0xffff) !== value) throw outOfRangeError(this.field, value);
    if (row >= this.capacity) this.grow(row);
    this.scope.memory.uint16[(this.values >>> 1) + row] = value;
    if (this.validity !== 0) this.setValid(row);
  }

  protected writeNull(row: number): void {
    this.scope.memory.uint16[(this.values >>> 1) + row] = 0;
  }
}

export class Int32Writer extends ColumnWriter {
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

export class Uint32Writer extends ColumnWriter {
  set(row: number, value: unknown): void {
    if (value === null || value === undefined) this.setNull(row);
    else this.#write(row, value);
  }

  #write(row: number, value: unknown): void {
    if (typeof value !== 'number') throw typeMismatchError(this.field, 'a number', value);
    if (value >>> 0 !== value) throw outOfRangeError(this.field, value);
    if (row >= this.capacity) this.grow(row);
    this.scope.memory.uint32[(this.values >>> 2) + row] = value;
    if (this.validity !== 0) this.setValid(row);
  }

  protected writeNull(row: number): void {
    this.scope.memory.uint32[(this.values >>> 2) + row] = 0;
  }
}

export class Float32Writer extends ColumnWriter {
  set(row: number, value: unknown): void {
    if (value === null || value === undefined) this.setNull(row);
    else this.#write(row, value);
  }

  #write(row: number, value: unknown): void {
    const number = checkedFloat32(this.field, value);
    if (row >= this.capacity) this.grow(row);
    this.scope.memory.float32[this.values / 4 + row] = number;
    if (this.validity !== 0) this.setValid(row);
  }

  protected writeNull(row: number): void {
    this.scope.memory.float32[this.values / 4 + row] = 0;
  }
}

export class Float64Writer extends ColumnWriter {
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
