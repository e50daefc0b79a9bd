/**
 * The columns that the record kernels fill, and what they need beside them: where a batch of NDJSON or
 * CSV is in the making. Layouts: engine/kernels/record-kernels.ts.
 *
 *     kernel        rows, with values of every usual form
 *     this class    the values that kernels leave, read by the format's own `cellOf`
 *                   the records that are bad: not selected, and given to `BadRecords`
 *
 * Order matters: cells first, texts with escapes after them, since those are finished in the place of
 * the record's own bytes, which a bad cell would still need.
 */
import { Batch, batchRowsMax, type Column } from '../../engine/batch/batch.ts';
import type { ColumnWriter } from '../../engine/batch/column-writer.ts';
import { columnWriterOf } from '../../engine/batch/column-writer-of.ts';
import { clearView, utf8ViewSize } from '../../engine/batch/utf8-view.ts';
import type { SlotContext } from '../../engine/contracts/connector.ts';
import {
  fixupKinds,
  fixupSize,
  recordColumnKinds,
  recordColumnLayout,
  recordErrorSize,
  recordRoom,
  recordStateLayout,
} from '../../engine/kernels/record-kernels.ts';
import { addressOf, type BlockHandle } from '../../engine/memory/slot-memory.ts';
import { bitmapSizeOf, type FieldType, layoutOf } from '../../engine/schema/field-type.ts';
import type { Field } from '../../engine/schema/schema.ts';
import type { BadRecords } from './bad-records.ts';
import { BadCell } from './cell-values.ts';
import { reasonTextOf, recordError } from './record-errors.ts';
import type { RecordSpan } from './record-format.ts';

const carriageReturn = 13;
const fixupsMax = 8192;
const errorsMax = 256;

export interface RecordColumnsOptions {
  readonly kind: 'ndjson' | 'csv';
  /** The byte that quotes texts, in CSV. @defaultValue 0 */
  readonly quote?: number;
  /** Reads a value that the kernel left: what a column writer takes, or what is wrong with it. */
  readonly cellOf: (field: Field, text: string) => unknown;
  /** Address behind the record that begins at `start`, without its line break. */
  readonly recordEnd: (start: number, limit: number) => number;
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

export class RecordColumns {
  readonly showsIntoBlock: boolean;
  readonly #context: SlotContext;
  readonly #options: RecordColumnsOptions;
  readonly #bad: BadRecords;
  readonly #writers: readonly ColumnWriter[];
  #blocks: BlockHandle[] = [];
  #table = 0;
  #state = 0;
  #fixups = 0;
  #errors = 0;
  #rowStarts = 0;
  #hasBatch = false;
  #storedRows = 0;
  readonly #badRows = new Set<number>();

  constructor(context: SlotContext, options: RecordColumnsOptions, bad: BadRecords) {
    const { scope, schema } = context;
    this.#context = context;
    this.#options = options;
    this.#bad = bad;
    this.#writers = schema.fields.map((field) => columnWriterOf(scope, field));
    this.showsIntoBlock = schema.fields.some(({ type }) => type.kind === 'utf8');
  }

  /** Rows that are not taken yet, without the bad ones. */
  get rowCount(): number {
    return this.#storedRows - this.#badRows.size;
  }

  /** Rows that the columns hold: where a kernel goes on. */
  get storedRows(): number {
    return this.#storedRows;
  }

  get isFull(): boolean {
    return this.#storedRows === batchRowsMax;
  }

  /** Address of where each stored row's record begins; it holds until the next rows are read. */
  get rowStarts(): number {
    return this.#rowStarts;
  }

  /** Address of the kernel's state. */
  get state(): number {
    if (this.#state === 0) this.#allocate();
    if (!this.#hasBatch) this.#begin();
    return this.#state;
  }

  /** Address of the entry of a column. */
  entryOf(column: number): number {
    return this.#table + column * recordColumnLayout.size;
  }

  /**
   * Takes what a kernel made: reads the cells that it left and rejects the bad records.
   * @returns The address behind the last record that was used up.
   */
  accept(span: RecordSpan, rowCount: number): number {
    const { uint32 } = this.#context.scope.memory;
    const word = this.#state >>> 2;
    const consumed = uint32[word + (recordStateLayout.consumed >>> 2)]!;
    const errorCount = uint32[word + (recordStateLayout.errorCount >>> 2)]!;
    const fixupCount = uint32[word + (recordStateLayout.fixupCount >>> 2)]!;
    this.#storedRows = rowCount;
    uint32[word + (recordStateLayout.errorCount >>> 2)] = 0;
    uint32[word + (recordStateLayout.fixupCount >>> 2)] = 0;
    if (fixupCount > 0) this.#readCells(span, fixupCount);
    for (let error = 0; error < errorCount; error++) this.#rejectError(span, error);
    if (fixupCount > 0)
      this.#context.kernels.unescapeTexts(this.#fixups, fixupCount, this.#options.quote ?? 0);
    if (this.#badRows.size > 0) this.#clearBadRows();
    return consumed;
  }

  /** The rows as a batch, which the caller owns. */
  takeBatch(block: BlockHandle): Batch {
    const { schema, scope } = this.#context;
    const storedRows = this.#storedRows;
    const rowCount = this.rowCount;
    const blocks: BlockHandle[] = [];
    const columns = new Array<Column>(this.#writers.length);
    for (let index = 0; index < columns.length; index++) {
      columns[index] = this.#writers[index]!.take(storedRows, blocks, this.#nullsOf(index) > 0);
    }
    const selection = this.#takeSelection(blocks);
    if (this.showsIntoBlock) {
      scope.memory.retain(block);
      blocks.push(block);
    }
    this.#storedRows = 0;
    this.#hasBatch = false;
    return new Batch(scope.memory, { schema, rowCount, storedRows, selection, columns, blocks });
  }

  close(): void {
    for (const writer of this.#writers) writer.discard();
    for (const block of this.#blocks) this.#context.scope.memory.release(block);
    this.#blocks = [];
    this.#state = 0;
    this.#storedRows = 0;
    this.#hasBatch = false;
    this.#badRows.clear();
  }

  #allocate(): void {
    const { memory } = this.#context.scope;
    const { uint32, int32 } = memory;
    const columnCount = this.#writers.length;
    this.#state = this.#room(recordStateLayout.size);
    this.#table = this.#room(columnCount * recordColumnLayout.size);
    this.#fixups = this.#room(fixupsMax * fixupSize);
    this.#errors = this.#room(errorsMax * recordErrorSize);
    this.#rowStarts = this.#room((batchRowsMax + 1) * 4);
    const word = this.#state >>> 2;
    const set = (field: Exclude<keyof typeof recordStateLayout, 'size'>, value: number) => {
      uint32[word + (recordStateLayout[field] >>> 2)] = value;
    };
    set('columns', this.#table);
    set('columnCount', columnCount);
    set('steps', this.#room(recordRoom.steps));
    set('fixups', this.#fixups);
    set('fixupsMax', fixupsMax);
    set('errors', this.#errors);
    // Without dead letters the first bad record ends the job: none is read behind it.
    set('errorsMax', this.#bad.areCollected ? errorsMax : 1);
    set('scratch', this.#room(recordRoom.scratch));
    set('rowStarts', this.#rowStarts);
    int32[word + (recordStateLayout.credit >>> 2)] = -1;
    this.#context.schema.fields.forEach((field, index) => {
      this.#describe(field, this.entryOf(index) >>> 2);
    });
  }

  #describe({ name, type }: Field, word: number): void {
    const { bytes, uint32 } = this.#context.scope.memory;
    const encoded = new TextEncoder().encode(name);
    const address = this.#room(Math.ceil(encoded.length / 8) * 8);
    bytes.set(encoded, address);
    const kinds: Readonly<Record<string, number>> = recordColumnKinds;
    uint32[word + (recordColumnLayout.kind >>> 2)] = kinds[type.kind] ?? recordColumnKinds.other;
    uint32[word + (recordColumnLayout.name >>> 2)] = address;
    uint32[word + (recordColumnLayout.nameLength >>> 2)] = encoded.length;
    uint32[word + (recordColumnLayout.unit >>> 2)] = unitOf(type);
  }

  /** Zeroed memory that is kept until the end. */
  #room(sizeBytes: number): number {
    const { memory } = this.#context.scope;
    const block = this.#context.scope.allocate(sizeBytes);
    this.#blocks.push(block);
    const address = addressOf(block);
    memory.bytes.fill(0, address, address + memory.sizeOf(block));
    return address;
  }

  #begin(): void {
    const { bytes, uint32 } = this.#context.scope.memory;
    for (let index = 0; index < this.#writers.length; index++) {
      const { values, validity, type } = this.#writers[index]!.reserve();
      const word = this.entryOf(index) >>> 2;
      uint32[word + (recordColumnLayout.values >>> 2)] = values;
      uint32[word + (recordColumnLayout.validity >>> 2)] = validity;
      uint32[word + (recordColumnLayout.nulls >>> 2)] = 0;
      const bitsBytes = bitmapSizeOf(batchRowsMax);
      if (type.kind === 'bool') bytes.fill(0, values, values + bitsBytes);
      if (validity !== 0) bytes.fill(0xff, validity, validity + bitsBytes);
    }
    this.#hasBatch = true;
  }

  #nullsOf(column: number): number {
    const { uint32 } = this.#context.scope.memory;
    return uint32[(this.entryOf(column) + recordColumnLayout.nulls) >>> 2]!;
  }

  #readCells(span: RecordSpan, count: number): void {
    const { bytes, uint32 } = this.#context.scope.memory;
    for (let index = 0; index < count; index++) {
      const word = (this.#fixups + index * fixupSize) >>> 2;
      const entry = uint32[word + 1]!;
      const kind = entry & 63;
      if (kind !== fixupKinds.cell && kind !== fixupKinds.csvCell) continue;
      const row = uint32[word]!;
      if (this.#badRows.has(row)) continue;
      const column = (entry - this.#table) >>> 6;
      const address = uint32[word + 2]!;
      const found = decoder.decode(bytes.subarray(address, address + uint32[word + 3]!));
      const text = kind === fixupKinds.csvCell ? this.#withSingleQuotes(found) : found;
      const reason = this.#setCell(this.#writers[column]!, row, text);
      if (reason === null) continue;
      this.#badRows.add(row);
      const start = uint32[(this.#rowStarts >>> 2) + row]!;
      const field = this.#context.schema.fields[column]!;
      this.#reject(span, {
        start,
        end: this.#options.recordEnd(start, span.end),
        field,
        text,
        reason,
      });
    }
  }

  #withSingleQuotes(text: string): string {
    const quote = String.fromCharCode(this.#options.quote ?? 0);
    return text.replaceAll(quote + quote, quote);
  }

  /** What is wrong with the value, or null. */
  #setCell(writer: ColumnWriter, row: number, text: string): string | null {
    const value = this.#options.cellOf(writer.field, text);
    if (value instanceof BadCell) return value.reason;
    try {
      writer.set(row, value);
      return null;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  #rejectError(span: RecordSpan, index: number): void {
    const { uint32 } = this.#context.scope.memory;
    const word = (this.#errors + index * recordErrorSize) >>> 2;
    const start = uint32[word]!;
    const end = uint32[word + 1]!;
    const at = uint32[word + 2]!;
    const entry = uint32[word + 3]!;
    const column = entry >>> 6 === 0 ? -1 : (entry - this.#table) >>> 6;
    const field = this.#context.schema.fields[column] ?? null;
    const reason = reasonTextOf(entry & 63, { kind: this.#options.kind, offset: at - start });
    this.#reject(span, { start, end, field, text: null, reason });
  }

  #reject(span: RecordSpan, fault: Fault): void {
    const { start, end, field, text, reason } = fault;
    const { kind } = this.#options;
    const byteOffset = span.offsetOf(start);
    const { path } = span;
    const column = field?.name ?? null;
    const fullReason = column === null ? reason : `column "${column}" ${reason}`;
    const { bytes: all } = this.#context.scope.memory;
    const bytes = all.subarray(start, all[end - 1] === carriageReturn ? end - 1 : end);
    this.#bad.add({ path, byteOffset, bytes, reason: fullReason }, () =>
      recordError({ kind, path, byteOffset, column, value: text, reason: fullReason }),
    );
  }

  /** Whatever looks at all stored rows must find views there. */
  #clearBadRows(): void {
    const { memory } = this.#context.scope;
    for (const [index, { type }] of this.#context.schema.fields.entries()) {
      if (layoutOf(type) !== 'view') continue;
      const values = memory.uint32[(this.entryOf(index) + recordColumnLayout.values) >>> 2]!;
      for (const row of this.#badRows) clearView(memory, values + row * utf8ViewSize);
    }
    if (this.rowCount === 0 && this.isFull) {
      // All of them are bad: the next rows take their places.
      this.#storedRows = 0;
      this.#badRows.clear();
      this.#begin();
    }
  }

  /** Address of the numbers of good rows, in a block that is added; 0 when all are good. */
  #takeSelection(blocks: BlockHandle[]): number {
    if (this.#badRows.size === 0) return 0;
    const { scope } = this.#context;
    const block = scope.allocate(Math.max(1, this.rowCount) * 4);
    blocks.push(block);
    let word = addressOf(block) >>> 2;
    for (let row = 0; row < this.#storedRows; row++) {
      if (!this.#badRows.has(row)) scope.memory.uint32[word++] = row;
    }
    this.#badRows.clear();
    return addressOf(block);
  }
}

function unitOf(type: FieldType): number {
  if (type.kind === 'decimal') return type.scale + type.precision * 256;
  return type.kind === 'timestamp' && type.unit === 'us' ? 1 : 0;
}

/** What is wrong with a record. */
interface Fault {
  /** Addresses of the record's bytes. */
  readonly start: number;
  readonly end: number;
  readonly field: Field | null;
  /** The value's text, where one value is wrong. */
  readonly text: string | null;
  readonly reason: string;
}
