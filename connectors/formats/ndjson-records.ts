/**
 * NDJSON as a record format: a JSON object per line, its members to columns by name. Keys may come in
 * any order, members that no column has are passed over, of two with one name the last counts; a column
 * without a member is null. Empty lines are no records. What values may look like: cell-values.ts.
 */
import { type Batch, batchRowsMax } from '../../engine/batch/batch.ts';
import type { SlotContext } from '../../engine/contracts/connector.ts';
import type { SplitReader } from '../../engine/contracts/source.ts';
import type { BlockHandle } from '../../engine/memory/slot-memory.ts';
import type { BadRecords } from './bad-records.ts';
import { jsonCellValue } from './cell-values.ts';
import { RecordColumns } from './record-columns.ts';
import type { RecordFormat, RecordSpan } from './record-format.ts';
import { RecordReader } from './record-reader.ts';

const newline = 10;

export interface NdjsonReaderOptions {
  /** @defaultValue 1 MiB; at least 4; tests set it low. */
  readonly bufferBytes?: number;
  /** @defaultValue 64 MiB; tests set it low. */
  readonly recordBytesMax?: number;
}

export function createNdjsonReader(
  context: SlotContext,
  options: NdjsonReaderOptions = {},
): SplitReader {
  const blocks = { borders: { kind: 'lines' }, ...options } as const;
  return new RecordReader(context, blocks, (bad) => new NdjsonRecords(context, bad));
}

export class NdjsonRecords implements RecordFormat {
  readonly #context: SlotContext;
  readonly #columns: RecordColumns;

  constructor(context: SlotContext, bad: BadRecords) {
    this.#context = context;
    const { bytes } = context.scope.memory;
    this.#columns = new RecordColumns(
      context,
      {
        kind: 'ndjson',
        cellOf: ({ type }, text) => jsonCellValue(type, text),
        recordEnd: (start, limit) => {
          const index = bytes.subarray(start, limit).indexOf(newline);
          return index < 0 ? limit : start + index;
        },
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

  /** Rows that are not taken yet, with bad ones among them. */
  get storedRows(): number {
    return this.#columns.storedRows;
  }

  /** Address of a u32 for each of these: where its line begins. */
  get rowStarts(): number {
    return this.#columns.rowStarts;
  }

  get showsIntoBlock(): boolean {
    return this.#columns.showsIntoBlock;
  }

  /** @throws NDJSON_RECORD. */
  addRows(span: RecordSpan): number {
    const columns = this.#columns;
    const end = this.#endOfLines(span);
    let from = span.from;
    while (from < end && !columns.isFull) {
      const { storedRows, state } = columns;
      const { kernels } = this.#context;
      const rowCount = kernels.parseNdjson(from, end, state, storedRows, batchRowsMax);
      from = columns.accept(span, rowCount);
    }
    return Math.min(from, span.end);
  }

  takeBatch(block: BlockHandle): Batch {
    return this.#columns.takeBatch(block);
  }

  close(): void {
    this.#columns.close();
  }

  /** Address behind the last line break; the last line of a file gets one if it has none. */
  #endOfLines({ from, end, isLast }: RecordSpan): number {
    const { bytes } = this.#context.scope.memory;
    if (bytes[end - 1] === newline) return end;
    if (isLast && end > from) {
      bytes[end] = newline;
      return end + 1;
    }
    const index = bytes.subarray(from, end).lastIndexOf(newline);
    return from + index + 1;
  }
}
