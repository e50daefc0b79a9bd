/**
 * CSV as a record format: fields to columns, by the names of the header in any order, or by their
 * places. A field that is empty and not in quotes is null (or whatever `nullText` says); fields that a
 * record lacks at its end are null; more fields than the header has are an error. Empty lines are no
 * records, unless records have one field. What values may look like: cell-values.ts.
 */
import { type Batch, batchRowsMax } from '../../engine/batch/batch.ts';
import type { SlotContext } from '../../engine/contracts/connector.ts';
import type { Split, SplitReader } from '../../engine/contracts/source.ts';
import { recordStateLayout } from '../../engine/kernels/record-kernels.ts';
import { addressOf, type BlockHandle } from '../../engine/memory/slot-memory.ts';
import { endFilesOf, type FileRange } from '../filesystem/file-range.ts';
import type { BadRecords } from './bad-records.ts';
import { csvCellValue } from './cell-values.ts';
import { cutError, firstRecordFrom } from './csv-borders.ts';
import { CsvHeaders } from './csv-headers.ts';
import { type CsvOptions, delimiterByteOf, quoteByteOf } from './csv-options.ts';
import { RecordColumns } from './record-columns.ts';
import type { RecordFormat, RecordSpan } from './record-format.ts';
import { RecordReader } from './record-reader.ts';

const newline = 10;

export interface CsvReaderSizes {
  /** @defaultValue 1 MiB; at least 4; tests set it low. */
  readonly bufferBytes?: number;
  /** @defaultValue 64 MiB; tests set it low. */
  readonly recordBytesMax?: number;
}

export function createCsvReader(
  options: CsvOptions,
  context: SlotContext,
  sizes: CsvReaderSizes = {},
): SplitReader {
  const headers = new CsvHeaders(options, context);
  const rules = { delimiter: delimiterByteOf(options), quote: quoteByteOf(options) };
  const borders = {
    kind: 'own',
    firstRecord: (range: FileRange) => {
      const { sizeBytes } = headers.read(range);
      return range.start === 0
        ? sizeBytes
        : Math.max(sizeBytes, firstRecordFrom(context.disk, range, range.start, rules));
    },
    checkEnd: (range: FileRange, byteOffset: number) => {
      const { sizeBytes } = headers.read(range);
      const next = Math.max(sizeBytes, firstRecordFrom(context.disk, range, range.end, rules));
      if (next !== byteOffset) throw cutError(range.path, range.end);
    },
  } as const;
  return new RecordReader(
    context,
    { borders, ...sizes },
    (bad) => new CsvRecords(options, headers, context, bad),
  );
}

class CsvRecords implements RecordFormat {
  readonly #context: SlotContext;
  readonly #options: CsvOptions;
  readonly #headers: CsvHeaders;
  readonly #columns: RecordColumns;
  /** The file whose fields the kernel knows. */
  #path: string | null = null;
  #nullText: BlockHandle = 0;

  constructor(options: CsvOptions, headers: CsvHeaders, context: SlotContext, bad: BadRecords) {
    this.#context = context;
    this.#options = options;
    this.#headers = headers;
    this.#columns = new RecordColumns(
      context,
      {
        kind: 'csv',
        quote: quoteByteOf(options),
        cellOf: ({ type }, field) => csvCellValue(type, field),
        recordEnd: (start, limit) => this.#recordEnd(start, limit),
      },
      bad,
    );
  }

  get rowCount(): number {
    return this.#columns.rowCount;
  }

  get isFull(): boolean {
    return this.#columns.isFull;
  }

  get showsIntoBlock(): boolean {
    return this.#columns.showsIntoBlock;
  }

  beginSplit({ payload }: Split): void {
    this.#headers.files = endFilesOf(payload);
  }

  /** @throws CSV_RECORD, CSV_HEADER, SCHEMA_MISMATCH. */
  addRows(span: RecordSpan): number {
    const columns = this.#columns;
    const { kernels } = this.#context;
    const { isLast } = span;
    const { state } = columns;
    if (this.#path !== span.path) this.#setFields(state, span);
    this.#set(state, 'limit', span.limit);
    const end = isLast ? this.#endWithBreak(span) : span.end;
    let { from } = span;
    while (from < Math.min(end, span.limit) && !columns.isFull) {
      // The state is asked for anew: that begins a batch where there is none.
      const { storedRows, state: current } = columns;
      const last = isLast ? 1 : 0;
      const rows = kernels.parseCsv(from, end, last, current, storedRows, batchRowsMax);
      const used = columns.accept(span, rows);
      if (used === from) break;
      from = used;
    }
    return Math.min(from, span.end);
  }

  takeBatch(block: BlockHandle): Batch {
    return this.#columns.takeBatch(block);
  }

  close(): void {
    this.#columns.close();
    if (this.#nullText !== 0) this.#context.scope.memory.release(this.#nullText);
    this.#nullText = 0;
    this.#path = null;
  }

  /** The last record of a file gets a line break if it has none. */
  #endWithBreak({ from, end }: RecordSpan): number {
    const { bytes } = this.#context.scope.memory;
    if (end === from || bytes[end - 1] === newline) return end;
    bytes[end] = newline;
    return end + 1;
  }

  /** Tells the kernel which column each field goes to. */
  #setFields(state: number, { path }: RecordSpan): void {
    const { uint32 } = this.#context.scope.memory;
    const { fieldCount, places } = this.#headers;
    const steps = uint32[(state + recordStateLayout.steps) >>> 2]! >>> 2;
    uint32.fill(0, steps, steps + fieldCount);
    for (const [column, place] of places.entries()) {
      uint32[steps + place] = this.#columns.entryOf(column);
    }
    this.#set(state, 'stepCount', fieldCount);
    this.#set(state, 'delimiter', delimiterByteOf(this.#options));
    this.#set(state, 'quote', quoteByteOf(this.#options));
    if (this.#nullText === 0) this.#setNullText(state);
    this.#path = path;
  }

  #setNullText(state: number): void {
    const { scope } = this.#context;
    const text = new TextEncoder().encode(this.#options.nullText);
    this.#nullText = scope.allocate(text.length);
    const address = addressOf(this.#nullText);
    scope.memory.bytes.set(text, address);
    this.#set(state, 'nullText', address);
    this.#set(state, 'nullLength', text.length);
  }

  #set(state: number, field: keyof typeof recordStateLayout, value: number): void {
    this.#context.scope.memory.uint32[(state + recordStateLayout[field]) >>> 2] = value;
  }

  /** The first line break outside of quotes. */
  #recordEnd(start: number, limit: number): number {
    const { bytes } = this.#context.scope.memory;
    const quote = quoteByteOf(this.#options);
    let isQuoted = false;
    for (let at = start; at < limit; at++) {
      if (bytes[at] === quote) isQuoted = !isQuoted;
      else if (bytes[at] === newline && !isQuoted) return at;
    }
    return limit;
  }
}
