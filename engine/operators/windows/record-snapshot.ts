/**
 * Snapshot of the open records of keys: pieces as they lie on disk (`RecordDisk`), and whether each has come out and is kept
 * for rows that come late.
 *
 *     records in memory ─▶ in their order ─┐
 *     records on disk ─────────────────────┴─▶ two bounds, keys, parts, isKept ─▶ records of the next tasks
 *
 * Copied in slices before the barrier passes, those on disk too: which of them are still there changes with every row.
 *
 * Before: engine/operators/frozen-rows.ts, engine/operators/own-rows.ts
 */
import type { Batch, Column } from '../../batch/batch.ts';
import type { SnapshotReader, SnapshotRows } from '../../contracts/snapshot.ts';
import { addressOf } from '../../memory/slot-memory.ts';
import { bitmapSizeOf, boolType } from '../../schema/field-type.ts';
import { fieldOf, freeName, type Schema } from '../../schema/schema.ts';
import { selectedBatch } from '../../stream/selected-batch.ts';
import type { AggregatePlan } from '../aggregate-plan.ts';
import { FrozenCopy } from '../frozen-copy.ts';
import type { OperatorContext } from '../operator.ts';
import { OwnRows } from '../own-rows.ts';
import type { KeyedRecords } from './keyed-records.ts';
import { readRecordBatch } from './record-batch.ts';
import type { Piece, RecordDisk } from './record-disk.ts';
import { type OrderedRecord, RecordOrder } from './record-order.ts';

export interface RecordSnapshotOptions {
  readonly records: KeyedRecords;
  readonly order: OrderedRecord;
  /** Of records as pieces: two bounds, keys, parts. */
  readonly pieces: Schema;
  readonly keys: readonly string[];
  readonly plan: AggregatePlan;
  /** Null where records stay in memory. */
  readonly disk: RecordDisk | null;
  /** Makes records of pieces from a row on; answers the next row. */
  readonly restore: (pieces: Batch, fromRow: number, isKept: boolean) => number;
}

const segmentRows = 1024;
const recordsMax = 131_072;

export class RecordSnapshot {
  readonly #context: OperatorContext;
  readonly #options: RecordSnapshotOptions;
  readonly schema: Schema;
  readonly #copy: FrozenCopy;
  #own: OwnRows | null = null;
  /** Pieces that are made records again, and the next row of the first. */
  readonly #pieces: Piece[] = [];
  #row = 0;

  constructor(context: OperatorContext, options: RecordSnapshotOptions) {
    const { fields } = options.pieces;
    this.#context = context;
    this.#options = options;
    const taken = new Set(fields.map(({ name }) => name));
    this.schema = { fields: [...fields, fieldOf(freeName('isKept', taken), boolType)] };
    this.#copy = new FrozenCopy(context, this.schema, () => this.#all());
  }

  /** Copies all records; null asks to be called again, before anything changes. */
  freeze(): SnapshotRows | null {
    if (this.#options.disk?.settle() === false) return null;
    return this.#copy.freeze();
  }

  /** Makes records of this task's keys; false asks to be called again. */
  restore(reader: SnapshotReader): boolean {
    const { keys, disk } = this.#options;
    this.#own ??= new OwnRows(this.#context, { part: 'records', schema: this.schema, keys });
    for (;;) {
      if (disk?.settle() === false) return false;
      const [piece] = this.#pieces;
      if (piece === undefined) {
        if (disk?.isFull === true) {
          disk.write();
          continue;
        }
        const rows = this.#own.next(reader);
        if (rows === 'end') break;
        if (rows !== null) this.#divide(rows);
      } else this.#add(piece);
      if (this.#context.shouldYield()) return false;
    }
    this.#own.close();
    this.#own = null;
    return true;
  }

  close(): void {
    this.#copy.close();
    this.#own?.close();
    this.#own = null;
    for (const { batch } of this.#pieces.splice(0)) batch.release();
  }

  *#all(): Generator<Batch, void> {
    const { records, order, pieces: schema, plan, disk } = this.#options;
    const all = new RecordOrder(this.#context, records, order);
    try {
      while (all.read(recordsMax)) {
        for (let from = 0; from < all.count; ) {
          const { list, isKept } = all.segment(from, segmentRows);
          const reading = { list, results: plan.parts, schema, beyond: 0 };
          const { batch } = readRecordBatch(this.#context, records, reading, 0);
          from += list.count;
          if (batch !== null) yield this.#rowsOf({ batch, isKept });
        }
      }
    } finally {
      all.close();
    }
    for (const piece of disk?.live() ?? []) yield this.#rowsOf(piece);
  }

  /** A piece as rows of the snapshot; takes it over. */
  #rowsOf({ batch, isKept }: Piece): Batch {
    const { scope } = this.#context;
    const sizeBytes = bitmapSizeOf(batch.storedRows);
    const block = scope.allocate(sizeBytes);
    const values = addressOf(block);
    scope.memory.bytes.fill(isKept ? 0xff : 0, values, values + sizeBytes);
    const column: Column = { type: boolType, values, validity: 0 };
    const columns = [...batch.columns, column];
    const rows = batch.derive({ schema: this.schema, columns, blocks: [block] });
    batch.release();
    return rows;
  }

  /** Rows of a snapshot as pieces: those that have come out, and others; takes the batch over. */
  #divide(rows: Batch): void {
    const { scope } = this.#context;
    const { pieces } = this.#options;
    const { bytes, uint32 } = scope.memory;
    const kept = rows.columns.at(-1)?.values ?? 0;
    const batch = rows.derive({ schema: pieces, columns: rows.columns.slice(0, -1) });
    rows.release();
    for (const isKept of [false, true]) {
      const selection = scope.allocate(batch.rowCount * 4);
      const at = addressOf(selection) >>> 2;
      let rowCount = 0;
      for (let row = 0; row < batch.rowCount; row++) {
        const stored = batch.storedRowOf(row);
        const bit = ((bytes[kept + (stored >>> 3)] ?? 0) >>> (stored & 7)) & 1;
        if (bit === Number(isKept)) uint32[at + rowCount++] = stored;
      }
      const part = selectedBatch(this.#context, batch, { selection, rowCount });
      if (part !== null) this.#pieces.push({ batch: part, isKept });
    }
    batch.release();
  }

  #add({ batch, isKept }: Piece): void {
    this.#row = this.#options.restore(batch, this.#row, isKept);
    if (this.#row < batch.rowCount) return;
    this.#row = 0;
    this.#pieces.shift();
    batch.release();
  }
}
