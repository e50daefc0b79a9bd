/**
 * Count aggregate: groups rows by key columns and by windows of so many rows of a key, and gives a window out when its
 * last row has come.
 *
 *     rows ─▶ panes of each key ──full──▶ windows of one pane: as they are
 *                                        └ of several: parts of each ─▶ merged by window and key
 *
 * A row is in the windows of its place among the rows of its key, in the order in which they come; so nothing depends
 * on time, and watermarks pass. Only whole windows come out: rows that are in none at the end are counted. It has one
 * phase, for what number a row is, is known where all rows of a key are.
 *
 * Where panes have what they may have in memory they go to disk, and come back for rows of their keys (`RecordDisk`).
 *
 * Invariants:
 * - A window is out before rows that come behind its last one are worked on, but those of the same call.
 * - Rows are in a window that came out, or counted as incomplete.
 */
import type { Batch, Column } from '../../batch/batch.ts';
import { batchRowsMax } from '../../batch/batch.ts';
import type { SnapshotReader, SnapshotWriter } from '../../contracts/snapshot.ts';
import { addressOf } from '../../memory/slot-memory.ts';
import { aggregatePartsOf } from '../../plan/aggregate-parts.ts';
import { greatestDivisor } from '../../plan/window-spec.ts';
import { int64Type } from '../../schema/field-type.ts';
import { fieldOf, freeName, type Schema } from '../../schema/schema.ts';
import {
  type AggregateColumnOptions,
  type AggregatePlan,
  planAggregates,
} from '../aggregate-plan.ts';
import { readGroupBatch } from '../aggregate-results.ts';
import { AggregateTable } from '../aggregate-table.ts';
import type { IdleAnswer, Operator, OperatorContext, Outbox } from '../operator.ts';
import { sumOfCounts } from '../snapshot-notes.ts';
import { CountTable } from './count-table.ts';
import { RecordDisk } from './record-disk.ts';
import { RecordSnapshot } from './record-snapshot.ts';

export interface CountAggregateOptions {
  readonly input: Schema;
  /** Keys, results. */
  readonly output: Schema;
  /** Rows of a window, and how many later the next one begins: at most as many. */
  readonly rows: number;
  readonly slideRows: number;
  readonly keys: readonly string[];
  readonly aggregates: readonly AggregateColumnOptions[];
  /** What panes may have in memory before they go to disk. @defaultValue as the share allows */
  readonly recordBytesMax?: number;
}

/** Of windows of several panes: a number of the window, keys, parts, and how they are merged. */
interface CountMerge {
  readonly number: string;
  readonly schema: Schema;
  readonly output: Schema;
  readonly plan: AggregatePlan;
}

export class CountAggregateOperator implements Operator {
  readonly #context: OperatorContext;
  readonly #options: CountAggregateOptions;
  readonly #plan: AggregatePlan;
  readonly #table: CountTable;
  /** Null where there is one key. */
  readonly #disk: RecordDisk | null;
  readonly #snapshot: RecordSnapshot;
  /** Panes of a window, and by how many the next one begins later. */
  readonly #windowPanes: number;
  readonly #slidePanes: number;
  readonly #merge: CountMerge | null;
  #merged: AggregateTable | null = null;
  /** Panes that have become full, in their order, and how many of them are done. */
  #full: number[] = [];
  #fullDone = 0;
  /** The row to go on with, once all that is full was given out; null when nothing was added. */
  #next: number | null = null;
  #parts: Batch | null = null;
  #partsRow = 0;
  #isReading = false;
  #pending: Batch | null = null;
  #rowCount = 0;
  /** Rows that are in a window which came out. */
  #coveredCount = 0;
  #hasEnded = false;

  constructor(context: OperatorContext, options: CountAggregateOptions) {
    const { input, keys, aggregates, rows, slideRows } = options;
    this.#context = context;
    this.#options = options;
    this.#plan = planAggregates(input, 'whole', aggregates);
    const paneRows = greatestDivisor(rows, slideRows);
    this.#windowPanes = rows / paneRows;
    this.#slidePanes = slideRows / paneRows;
    const windowPanes = this.#windowPanes;
    const pieces = piecesOf(options);
    const table = { input, keys, plan: this.#plan, pieces, paneRows, windowPanes };
    this.#table = new CountTable(context, table);
    this.#disk = keys.length === 0 ? null : this.#newDisk(pieces);
    this.#snapshot = new RecordSnapshot(context, {
      ...{ records: this.#table.records, order: this.#table.order, pieces, keys },
      ...{ plan: this.#plan, disk: this.#disk },
      restore: (given, fromRow) => this.#table.restore(given, fromRow),
    });
    this.#merge = windowPanes === 1 ? null : mergeOf(options);
  }

  /** Rows that are in no window: the input has ended before enough others came. */
  get notedRows(): Readonly<Record<string, number>> {
    return { incomplete: this.#hasEnded ? this.#rowCount - this.#coveredCount : 0 };
  }

  process(batch: Batch, fromRow: number, outbox: Outbox): number {
    if (this.#next === null) {
      const next = this.#addRows(batch, fromRow);
      if (next === fromRow && batch.rowCount > 0) return fromRow;
      this.#next = next;
      this.#rowCount += next - fromRow;
    }
    if (!this.#giveOut(outbox)) return fromRow;
    const next = this.#next;
    this.#next = null;
    if (next === batch.rowCount) this.#disk?.endBatch();
    return next;
  }

  /** What is held has no time, and what comes out has none either. */
  idle(): IdleAnswer {
    return 'pass';
  }

  advance(): boolean {
    return true;
  }

  /** Panes that windows to come have; what is complete is out. */
  snapshot(writer: SnapshotWriter): boolean {
    const rows = this.#snapshot.freeze();
    if (rows === null) return false;
    writer.note({ rows: this.#rowCount, covered: this.#coveredCount });
    writer.rows('records', this.#snapshot.schema, rows);
    return true;
  }

  restore(reader: SnapshotReader): boolean {
    if (!this.#snapshot.restore(reader)) return false;
    // The sums count: rows that one task counted may be covered in another.
    this.#rowCount = sumOfCounts(reader, 'rows');
    this.#coveredCount = sumOfCounts(reader, 'covered');
    return true;
  }

  finish(): boolean {
    this.#hasEnded = true;
    return true;
  }

  close(): void {
    this.#pending?.release();
    this.#pending = null;
    this.#parts?.release();
    this.#parts = null;
    this.#merged?.close();
    this.#snapshot.close();
    this.#disk?.close();
    this.#table.close();
  }

  #newDisk(pieces: Schema): RecordDisk {
    const { input, keys, recordBytesMax } = this.#options;
    return new RecordDisk(this.#context, this.#table.records, {
      ...{ input, keys, plan: this.#plan, pieces, order: this.#table.order },
      restore: (rows, fromRow) => this.#table.restore(rows, fromRow),
      isOver: () => false,
      ...(recordBytesMax !== undefined && { recordBytesMax }),
    });
  }

  /** Adds rows once panes of their keys are in memory; answers the next row. */
  #addRows(batch: Batch, fromRow: number): number {
    try {
      const isReady = this.#disk?.makeReady(batch) ?? true;
      if (!isReady) return fromRow;
      return this.#table.add(batch, fromRow, this.#full);
    } catch (error) {
      throw this.#disk?.explained(error) ?? error;
    }
  }

  /** Gives out the windows of panes that are full; false asks to be called again. */
  #giveOut(outbox: Outbox): boolean {
    for (;;) {
      if (this.#pending !== null && !outbox.offer(this.#pending)) return false;
      this.#pending = null;
      if (this.#parts !== null) this.#mergeSlice(this.#parts);
      else if (this.#isReading) this.#pending = this.#readMerged();
      else if (this.#fullDone < this.#full.length) this.#readNext();
      else break;
      if (this.#context.shouldYield()) return false;
    }
    const { records } = this.#table;
    if (this.#full.length > 0 && records.isEmpty) records.clear();
    this.#full = [];
    this.#fullDone = 0;
    return true;
  }

  /** Reads the panes of the next windows, as many as a batch has room for, and drops those of no window to come. */
  #readNext(): void {
    const { scope } = this.#context;
    const panes = this.#windowPanes;
    const windowsMax = Math.max(1, Math.floor(batchRowsMax / panes));
    const block = scope.allocate(windowsMax * panes * 4);
    try {
      const list = addressOf(block);
      const from = this.#fullDone;
      let windows = 0;
      while (this.#fullDone < this.#full.length && windows < windowsMax) {
        const pane = this.#full[this.#fullDone++] ?? 0;
        if (!this.#isLast(pane)) continue;
        this.#table.panesOf(pane, list + windows * panes * 4);
        windows++;
      }
      if (windows > 0) this.#read(list, windows);
      for (let at = from; at < this.#fullDone; at++) this.#table.dropBehind(this.#full[at] ?? 0);
    } finally {
      scope.memory.release(block);
    }
  }

  /** Whether a window ends with the pane; counts the rows that are in their first one. */
  #isLast(pane: number): boolean {
    const { rows, slideRows } = this.#options;
    const behindFirst =
      this.#windowPanes === 1 ? 0 : this.#table.numberOf(pane) + 1 - this.#windowPanes;
    if (behindFirst < 0 || behindFirst % this.#slidePanes !== 0) return false;
    this.#coveredCount += behindFirst === 0 ? rows : slideRows;
    return true;
  }

  /** The windows of one pane as they are; those of several as parts that are merged next. */
  #read(list: number, windows: number): void {
    const { output } = this.#options;
    if (this.#merge === null) {
      this.#pending = this.#readPanes(list, windows, output, false);
      return;
    }
    const { schema } = this.#merge;
    const inner = { fields: schema.fields.slice(1) };
    const parts = this.#readPanes(list, windows * this.#windowPanes, inner, true);
    if (parts === null) return;
    this.#parts = this.#numbered(parts, schema);
    this.#partsRow = 0;
    parts.release();
  }

  #readPanes(list: number, count: number, schema: Schema, areParts: boolean): Batch | null {
    const { scope, kernels } = this.#context;
    const { records: table } = this.#table;
    table.select(list, count);
    const results = areParts ? this.#plan.parts : this.#plan.results;
    const reading = { scope, kernels, table, keys: table.keyColumns, results, schema };
    return readGroupBatch(reading, 0).batch;
  }

  /** The batch with the number of the window in front of each pane's parts. */
  #numbered(parts: Batch, schema: Schema): Batch {
    const { scope } = this.#context;
    const { rowCount } = parts;
    const block = scope.allocate(rowCount * 8);
    const values = addressOf(block);
    const { uint32 } = scope.memory;
    for (let row = 0; row < rowCount; row++) {
      uint32[(values >>> 2) + row * 2] = Math.floor(row / this.#windowPanes);
      uint32[(values >>> 2) + row * 2 + 1] = 0;
    }
    const number: Column = { type: int64Type, values, validity: 0 };
    return parts.derive({ schema, columns: [number, ...parts.columns], blocks: [block] });
  }

  #mergeSlice(parts: Batch): void {
    const merged = this.#mergedTable();
    this.#partsRow = merged.add(parts, this.#partsRow);
    if (this.#partsRow < parts.rowCount) return;
    parts.release();
    this.#parts = null;
    this.#isReading = true;
  }

  /** The next windows that were merged, without their number. */
  #readMerged(): Batch | null {
    const merged = this.#mergedTable();
    if (!merged.settle()) return null;
    if (merged.isReadOut || this.#merge === null) {
      merged.clear();
      this.#isReading = false;
      return null;
    }
    const batch = merged.next(this.#merge.plan.results, this.#merge.output);
    if (batch === null) return null;
    const { output: schema } = this.#options;
    const windows = batch.derive({ schema, columns: batch.columns.slice(1) });
    batch.release();
    return windows;
  }

  #mergedTable(): AggregateTable {
    const { keys } = this.#options;
    const {
      number = '',
      schema: input = this.#options.input,
      plan = this.#plan,
    } = this.#merge ?? {};
    this.#merged ??= new AggregateTable(this.#context, { input, keys: [number, ...keys], plan });
    return this.#merged;
  }
}

/** Panes on disk: number, rows, keys, parts. */
function piecesOf({ input, output, keys, aggregates }: CountAggregateOptions): Schema {
  const parts = aggregatePartsOf({ keys, aggregates, output }, input).schema;
  const taken = new Set(parts.fields.map((field) => field.name));
  const bounds = ['number', 'rows'].map((name) => fieldOf(freeName(name, taken), int64Type));
  return { fields: [...bounds, ...parts.fields] };
}

function mergeOf({ input, output, keys, aggregates }: CountAggregateOptions): CountMerge {
  const taken = new Set([...input.fields, ...output.fields].map((field) => field.name));
  const number = freeName('window', taken);
  const all = { fields: [fieldOf(number, int64Type), ...output.fields] };
  const parts = aggregatePartsOf({ keys: [number, ...keys], aggregates, output: all }, input);
  const plan = planAggregates(parts.schema, 'final', parts.aggregates);
  return { number, schema: parts.schema, output: all, plan };
}
