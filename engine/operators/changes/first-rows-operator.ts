/**
 * First rows: of rows with equal keys only the first goes on, at once. Nulls are equal to nulls, NaN to NaN.
 *
 *     a b a c b   ─▶   a b c        what goes on is never taken back, so who reads it needs to know of no changes
 *
 * It keeps a set of keys, for ever.
 */
import { type Batch, batchRowsMax } from '../../batch/batch.ts';
import type { SnapshotReader, SnapshotWriter } from '../../contracts/snapshot.ts';
import { type GroupRows, GroupTable } from '../../kernels/group-table.ts';
import { addressOf, type BlockHandle } from '../../memory/slot-memory.ts';
import { bitmapSizeOf } from '../../schema/field-type.ts';
import { fieldIndexOf, type Schema } from '../../schema/schema.ts';
import { readGroupBatch } from '../aggregate-results.ts';
import { GroupKeys } from '../group-keys.ts';
import type { Operator, OperatorContext, Outbox } from '../operator.ts';
import { PendingBatch } from '../pending-batch.ts';
import { TableSnapshot } from '../table-snapshot.ts';

export interface FirstRowsOptions {
  readonly input: Schema;
  readonly keys: readonly string[];
}

export class FirstRowsOperator implements Operator {
  readonly #context: OperatorContext;
  readonly #keys: GroupKeys;
  readonly #table: GroupTable;
  /** Bits of stored rows that are the first of their key. */
  readonly #marks: BlockHandle;
  readonly #pending = new PendingBatch();
  /** Of rows that are keys alone, and how they are in snapshots. */
  readonly #columns: readonly number[];
  readonly #ownKeys: GroupKeys;
  readonly #snapshot: TableSnapshot;
  #rows: GroupRows | null = null;
  #row = 0;

  constructor(context: OperatorContext, { input, keys }: FirstRowsOptions) {
    const { scope, kernels } = context;
    this.#context = context;
    this.#columns = keys.map((name) => fieldIndexOf(input, name));
    const schema = { fields: this.#columns.flatMap((index) => input.fields[index] ?? []) };
    this.#ownKeys = new GroupKeys(scope, kernels, { schema, keys });
    this.#snapshot = new TableSnapshot(context, {
      ...{ part: 'keys', schema, keys },
      count: () => this.#table.groupCount,
      settle: () => this.#settle(),
      read: (slot) => this.#read(schema, slot),
      add: (batch, row) => this.#addKeys(batch, row),
    });
    this.#keys = new GroupKeys(scope, kernels, { schema: input, keys });
    const { form: keyForm } = this.#keys;
    this.#table = new GroupTable(scope, kernels, { keyForm, accumulators: [], isNumbered: true });
    this.#marks = scope.allocate(bitmapSizeOf(batchRowsMax));
  }

  process(batch: Batch, fromRow: number, outbox: Outbox): number {
    if (!this.#mark(batch)) return fromRow;
    if (!this.#pending.offer(outbox, () => this.#firstOf(batch))) return fromRow;
    this.#rows = null;
    return batch.rowCount;
  }

  snapshot(writer: SnapshotWriter): boolean {
    if (!this.#snapshot.prepare(writer)) return false;
    this.#snapshot.hand(writer);
    return true;
  }

  restore(reader: SnapshotReader): boolean {
    return this.#snapshot.restore(reader);
  }

  finish(): boolean {
    return true;
  }

  close(): void {
    this.#pending.close();
    this.#snapshot.close();
    this.#ownKeys.close();
    this.#keys.close();
    this.#table.close();
    this.#context.scope.memory.release(this.#marks);
  }

  /** Marks the first rows of a batch; false asks to be called again. */
  #mark(batch: Batch): boolean {
    const rows = this.#rowsOf(batch);
    while (this.#row < rows.rowCount) {
      if (this.#table.isGrowing) this.#table.grow();
      else this.#row = this.#table.addRows(rows, this.#row);
      if (this.#row < rows.rowCount && this.#context.shouldYield()) return false;
    }
    return true;
  }

  #rowsOf(batch: Batch): GroupRows {
    if (this.#rows !== null) return this.#rows;
    const arrivals = addressOf(this.#marks);
    this.#context.scope.memory.bytes.fill(0, arrivals, arrivals + bitmapSizeOf(batchRowsMax));
    const { selection: keySelection, ...key } = this.#keys.read(batch);
    const { selection, rowCount } = batch;
    this.#row = 0;
    this.#rows = { key, keySelection, inputs: [], selection, rowCount, arrivals };
    return this.#rows;
  }

  #firstOf(batch: Batch): Batch | null {
    const { scope } = this.#context;
    const { bytes, uint32 } = scope.memory;
    const marks = addressOf(this.#marks);
    const block = scope.allocate(batch.rowCount * 4);
    const selection = addressOf(block);
    let rowCount = 0;
    for (let row = 0; row < batch.rowCount; row++) {
      const stored = batch.storedRowOf(row);
      const mark = ((bytes[marks + (stored >>> 3)] ?? 0) >>> (stored & 7)) & 1;
      if (mark === 1) uint32[(selection >>> 2) + rowCount++] = stored;
    }
    if (rowCount > 0) {
      const first = batch.derive({ rowCount, selection, blocks: [block] });
      this.#snapshot.note(() => this.#keysOf(first));
      return first;
    }
    scope.memory.release(block);
    return null;
  }

  #keysOf(batch: Batch): Batch {
    const columns = this.#columns.flatMap((index) => batch.columns[index] ?? []);
    const fields = this.#columns.flatMap((index) => batch.schema.fields[index] ?? []);
    return batch.derive({ schema: { fields }, columns });
  }

  #settle(): boolean {
    while (this.#table.isGrowing) {
      if (!this.#table.grow() && this.#context.shouldYield()) return false;
    }
    return true;
  }

  #read(schema: Schema, slot: number) {
    const { scope, kernels } = this.#context;
    if (this.#table.groupCount === 0) return { batch: null, next: null };
    const from = { scope, kernels, table: this.#table, keys: this.#ownKeys, results: [], schema };
    const { batch, nextSlot } = readGroupBatch(from, slot);
    return { batch, next: nextSlot < this.#table.slotCount ? nextSlot : null };
  }

  /** Adds keys that were seen before; answers the next row. */
  #addKeys(batch: Batch, fromRow: number): number {
    if (!this.#settle()) return fromRow;
    const { selection: keySelection, ...key } = this.#ownKeys.read(batch);
    const { selection, rowCount } = batch;
    // Which of them are new is marked, or they would be so once more.
    const arrivals = addressOf(this.#marks);
    return this.#table.addRows(
      { key, keySelection, inputs: [], selection, rowCount, arrivals },
      fromRow,
    );
  }
}
