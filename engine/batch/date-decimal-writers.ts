/** Writers of dates and decimals: values that JavaScript has as texts. */
import { ColumnWriter } from './column-writer.ts';
import { checkedDays, writeCheckedDecimal } from './value-checks.ts';

export class DateWriter extends ColumnWriter {
  set(row: number, value: unknown): void {
    if (value === null || value === undefined) this.setNull(row);
    else this.#write(row, value);
  }

  #write(row: number, value: unknown): void {
    const days = checkedDays(this.field, value);
    if (row >= this.capacity) this.grow(row);
    this.scope.memory.int32[(this.values >>> 2) + row] = days;
    if (this.validity !== 0) this.setValid(row);
  }

  protected writeNull(row: number): void {
    this.scope.memory.int32[(this.values >>> 2) + row] = 0;
  }
}

export class DecimalWriter extends ColumnWriter {
  set(row: number, value: unknown): void {
    if (value === null || value === undefined) this.setNull(row);
    else this.#write(row, value);
  }

  #write(row: number, value: unknown): void {
    if (row >= this.capacity) this.grow(row);
    const { uint32 } = this.scope.memory;
    writeCheckedDecimal(this.field, value, uint32, (this.values >>> 2) + row * 4);
    if (this.validity !== 0) this.setValid(row);
  }

  protected writeNull(row: number): void {
    const word = (this.values >>> 2) + row * 4;
    this.scope.memory.uint32.fill(0, word, word + 4);
  }
}
