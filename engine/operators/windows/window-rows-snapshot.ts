/**
 * Snapshot of the rows of open windows, for operators that keep them all, and back.
 *
 *     window that ends at 20   rows on disk, copied before the barrier passes  ─┐
 *                              rows in memory, handed out as they lie          ─┴─▶ the window's end, columns of the input
 *
 * Rows of a window come in the order in which equal ones do, so that they do again behind a restart. Each snapshot has all of
 * them: windows close, and what is open is new for the most part.
 *
 * Before: engine/operators/external-sorter.ts, engine/operators/own-rows.ts
 */
import type { Batch } from '../../batch/batch.ts';
import type { SnapshotReader, SnapshotRows, SnapshotWriter } from '../../contracts/snapshot.ts';
import type { MemoryScope } from '../../memory/slot-memory.ts';
import { fieldOf, freeName, type Schema } from '../../schema/schema.ts';
import { rowsFrom } from '../../stream/selected-batch.ts';
import type { HeldRows } from '../external-sorter.ts';
import { FrozenCopy } from '../frozen-copy.ts';
import type { FrozenRows } from '../frozen-rows.ts';
import type { OperatorContext } from '../operator.ts';
import { OwnRows } from '../own-rows.ts';
import { withBounds } from './window-bounds.ts';
import type { GiveRows, WindowRows } from './window-rows.ts';

export interface WindowRowsSnapshotOptions {
  readonly input: Schema;
  /** The columns that rows are sent by, in the order in which exchanges hash them. */
  readonly keys: readonly string[];
  /** How rows come to windows. */
  readonly rows: WindowRows;
  /** Open windows by their ends. */
  readonly windows: () => ReadonlyMap<number, { held(): HeldRows }>;
  /** Takes rows of a snapshot for a window. */
  readonly give: GiveRows;
}

interface RowsOfWindow {
  readonly end: number;
  readonly batch: Batch;
}

const part = 'rows';
/** Of the window of all time, whose end is no int64. */
const noEnd = Number.MAX_SAFE_INTEGER;
const highUnit = 2 ** 32;

export class WindowRowsSnapshot {
  readonly schema: Schema;
  readonly #context: OperatorContext;
  readonly #options: WindowRowsSnapshotOptions;
  readonly #onDisk: FrozenCopy;
  readonly #inMemory: RowsOfWindow[] = [];
  #own: OwnRows | null = null;
  /** What is given to windows, its next row, and where the rows of that row's window end. */
  #batch: Batch | null = null;
  #row = 0;
  #stretch: RowsOfWindow | null = null;

  constructor(context: OperatorContext, options: WindowRowsSnapshotOptions) {
    const { fields } = options.input;
    this.#context = context;
    this.#options = options;
    const name = freeName('windowEnd', new Set(fields.map((field) => field.name)));
    this.schema = { fields: [fieldOf(name, { kind: 'timestamp', unit: 'ms' }), ...fields] };
    this.#onDisk = new FrozenCopy(context, this.schema, () => this.#rowsOnDisk());
  }

  /** Hands out all rows, and what is to be known beside them; false asks to be called again, before anything changes. */
  write(writer: SnapshotWriter): boolean {
    const rows = this.#freeze();
    if (rows === null) return false;
    writer.note(this.#options.rows.note());
    writer.rows(part, this.schema, rows);
    return true;
  }

  #freeze(): SnapshotRows | null {
    const copied = this.#onDisk.freeze();
    if (copied === null) return null;
    const inMemory = this.#inMemory.splice(0);
    return new RowsOfWindows(this.#context.scope, this.schema, copied, inMemory);
  }

  /** Gives rows of this task's keys to their windows; false asks to be called again. */
  restore(reader: SnapshotReader): boolean {
    const { keys, rows } = this.#options;
    this.#own ??= new OwnRows(this.#context, { part, schema: this.schema, keys });
    for (;;) {
      if (this.#batch === null) {
        const next = this.#own.next(reader);
        if (next === 'end') break;
        this.#batch = next;
        this.#row = 0;
      } else if (!this.#giveStretch(this.#batch)) return false;
      if (this.#context.shouldYield()) return false;
    }
    this.#own.close();
    this.#own = null;
    rows.restore(reader);
    return true;
  }

  close(): void {
    this.#onDisk.close();
    for (const { batch } of this.#inMemory.splice(0)) batch.release();
    this.#own?.close();
    this.#own = null;
    this.#stretch?.batch.release();
    this.#stretch = null;
    this.#batch?.release();
    this.#batch = null;
  }

  /** Rows on disk, in order; those in memory are held on the way. */
  *#rowsOnDisk(): Generator<Batch, void> {
    const { scope } = this.#context;
    const windows = [...this.#options.windows()].sort(([a], [b]) => a - b);
    for (const [end, window] of windows) {
      const { runs, batches } = window.held();
      this.#inMemory.push(...batches.map((batch) => ({ end, batch })));
      for (const open of runs) {
        const reader = open();
        try {
          for (let batch = reader.read(); batch !== 'end'; batch = reader.read()) {
            yield withEnd(scope, { end, batch }, this.schema);
          }
        } finally {
          reader.close();
        }
      }
    }
  }

  /** Gives the next rows that are of one window; false asks to be called again. */
  #giveStretch(batch: Batch): boolean {
    this.#stretch ??= this.#stretchOf(batch);
    const { end, batch: rows } = this.#stretch;
    if (!this.#options.give(end, rows)) return false;
    this.#row += rows.rowCount;
    rows.release();
    this.#stretch = null;
    if (this.#row < batch.rowCount) return true;
    batch.release();
    this.#batch = null;
    return true;
  }

  #stretchOf(batch: Batch): RowsOfWindow {
    const end = endOf(batch, this.#row);
    let to = this.#row + 1;
    while (to < batch.rowCount && endOf(batch, to) === end) to++;
    const schema = this.#options.input;
    const all = batch.derive({ schema, columns: batch.columns.slice(1) });
    try {
      const place = { from: this.#row, count: to - this.#row };
      return { end, batch: rowsFrom(this.#context, all, place) };
    } finally {
      all.release();
    }
  }
}

/** Rows that were copied, then rows in memory. */
class RowsOfWindows implements SnapshotRows {
  readonly #scope: MemoryScope;
  readonly #schema: Schema;
  readonly #copied: FrozenRows;
  readonly #inMemory: RowsOfWindow[];

  constructor(scope: MemoryScope, schema: Schema, copied: FrozenRows, inMemory: RowsOfWindow[]) {
    this.#scope = scope;
    this.#schema = schema;
    this.#copied = copied;
    this.#inMemory = inMemory;
  }

  next(): Batch | null {
    const copied = this.#copied.next();
    if (copied !== null) return copied;
    const rows = this.#inMemory.shift();
    return rows === undefined ? null : withEnd(this.#scope, rows, this.#schema);
  }

  close(): void {
    this.#copied.close();
    for (const { batch } of this.#inMemory.splice(0)) batch.release();
  }
}

/** Takes the batch over. */
function withEnd(scope: MemoryScope, { end, batch }: RowsOfWindow, schema: Schema): Batch {
  return withBounds(scope, batch, [Number.isFinite(end) ? end : noEnd], schema);
}

function endOf(batch: Batch, row: number): number {
  const { int32, uint32 } = batch.memory;
  const at = ((batch.columns[0]?.values ?? 0) >>> 2) + batch.storedRowOf(row) * 2;
  const end = (int32[at + 1] ?? 0) * highUnit + (uint32[at] ?? 0);
  return end === noEnd ? Number.POSITIVE_INFINITY : end;
}
