/**
 * Writer of int64 and timestamps. Takes bigints and whole numbers that are safe, whatever the schema's
 * `js`: neither loses a bit.
 */
import { ColumnWriter } from './column-writer.ts';
import { checkedInt64 } from './value-checks.ts';

export class Int64Writer extends ColumnWriter {
  set(row: number, value: unknown): void {
    if (value === null || value === undefined) this.setNull(row);
    else this.#write(row, value);
  }

  #write(row: number, value: unknown): void {
    const whole = checkedInt64(this.field, value);
    if (row >= this.capacity) this.grow(row);
    if (typeof whole === 'number') {
      const { int32 } = this.scope.memory;
      const word = (this.values >>> 2) + row * 2;
      // Exact for safe integers: the low half, and what is left in units of 2^32.
      const low = whole >>> 0;
      int32[word] = low;
      int32[word + 1] = (whole - low) / 4_294_967_296;
    } else {
      this.scope.memory.bigInt64[this.values / 8 + row] = whole;
    }
    if (this.validity !== 0) this.setValid(row);
  }

  protected writeNull(row: number): void {
    this.scope.memory.bigInt64[this.values / 8 + row] = 0n;
  }
}
