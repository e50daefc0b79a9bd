/**
 * Prints batches as a table, page by page: a page's rows say how wide its columns are, and are printed
 * when it is full. Later pages keep the widths, or get wider ones and a head of their own.
 *
 *     ┌─────────┬──────┐
 *     │ channel │ bids │
 *     ├─────────┼──────┤
 *     │ Google  │   12 │
 *     │ null    │    3 │
 *     └─────────┴──────┘
 *     … 5,000 more rows
 */
import { columnWidths, type TableColumn, type TableLines, tableLines } from '../../base/table.ts';
import { formatCount } from '../../base/units.ts';
import type { Batch } from '../../engine/batch/batch.ts';
import type { PlainRow } from '../../engine/compile/rows-driver.ts';
import type { Schema } from '../../engine/schema/schema.ts';
import { cellText, isNumberType } from './cell-text.ts';

export interface TablePrinterOptions {
  readonly schema: Schema;
  /** Rows to print at most; null for all. */
  readonly limit: number | null;
  /** Cells of a line. */
  readonly widthMax: number;
  /** The rows of a batch as a user's function reads them. */
  readonly read: (batch: Batch) => PlainRow[];
  readonly write: (text: string) => void;
  /** @defaultValue 200; tests set it low. */
  readonly pageRows?: number;
}

const pageRowsDefault = 200;

export class TablePrinter {
  readonly #options: TablePrinterOptions;
  readonly #columns: readonly TableColumn[];
  readonly #limit: number;
  readonly #pageRows: number;
  #page: string[][] = [];
  #widths: readonly number[] = [];
  /** Of the table that was begun. */
  #lines: TableLines | null = null;
  #shownCount = 0;
  #rowCount = 0;

  constructor(options: TablePrinterOptions) {
    this.#options = options;
    this.#columns = options.schema.fields.map(({ name, type }) => ({
      title: name,
      align: isNumberType(type) ? 'right' : 'left',
    }));
    this.#limit = options.limit ?? Number.POSITIVE_INFINITY;
    this.#pageRows = options.pageRows ?? pageRowsDefault;
  }

  add(batch: Batch): void {
    const { schema, read } = this.#options;
    this.#rowCount += batch.rowCount;
    const left = this.#limit - this.#shownCount;
    if (left <= 0) return;
    for (const row of read(batch).slice(0, left)) {
      this.#page.push(schema.fields.map(({ name, type }) => cellText(row[name], type)));
      this.#shownCount++;
      if (this.#page.length === this.#pageRows) this.#printPage();
    }
  }

  /** All rows have come: prints what is left, and ends the table. */
  end(): void {
    const { write } = this.#options;
    if (this.#page.length > 0 || this.#lines === null) this.#printPage();
    write(this.#lines?.foot ?? '');
    const more = this.#rowCount - this.#shownCount;
    if (more > 0) write(`… ${formatCount(more)} more ${more === 1 ? 'row' : 'rows'}\n`);
  }

  #printPage(): void {
    const { widthMax, write } = this.#options;
    const wanted = columnWidths(this.#columns, this.#page, { widthMax });
    const isWider = wanted.some((width, index) => width > (this.#widths[index] ?? 0));
    if (this.#lines === null || isWider) {
      this.#widths = wanted.map((width, index) => Math.max(width, this.#widths[index] ?? 0));
      const lines = tableLines(this.#columns, this.#widths);
      write(`${this.#lines?.foot ?? ''}${lines.head}`);
      this.#lines = lines;
    }
    const { row } = this.#lines;
    write(this.#page.map(row).join(''));
    this.#page = [];
  }
}
