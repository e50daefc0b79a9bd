/**
 * First rows: of rows with equal keys only the first goes on, at once. Nulls are equal to nulls, NaN to NaN.
 *
 *     a b a c b   ─▶   a b c        what goes on is never taken back, so who reads it needs to know of no changes
 *
 * It keeps a set of keys, for ever: those that memory has no room for are on disk, and before rows are worked in the keys of
 * theirs are looked for there (engine/operators/changes/kept-groups.ts).
 */
import { type Batch, batchRowsMax } from '../../batch/batch.ts';
import type { SnapshotReader, SnapshotWriter } from '../../contracts/snapshot.ts';
import type { GroupRows, GroupTable } from '../../kernels/group-table.ts';
import { addressOf, type BlockHandle } from '../../memory/slot-memory.ts';
import { bitmapSizeOf } from '../../schema/field-type.ts';
import { fieldIndexOf, type Schema } from '../../schema/schema.ts';
import { GroupKeys } from '../group-keys.ts';
import type { Operator, OperatorContext, Outbox } from '../operator.ts';
import { PendingBatch } from '../pending-batch.ts';
import { TableSnapshot } from '../table-snapshot.ts';
import type { Work } from './counted-rows.ts';
import { KeptGroups } from './kept-groups.ts';
import { KeptKeys } from './kept-keys.ts';

export interface FirstRowsOptions {
  readonly input: Schema;
  readonly keys: readonly string[];
  /** As of `KeptGroups`. */
  readonly tableBytes?: number;
}

export class FirstRowsOperator implements Operator {
  readonly #context: OperatorContext;
  readonly #keys: GroupKeys;
  readonly #keptKeys: KeptKeys;
  readonly #kept: KeptGroups;
  /** Bits of stored rows that are the first of their key. */
  readonly #marks: BlockHandle;
  readonly #pending = new PendingBatch();
  /** Of rows that are keys alone, and how they are in snapshots. */
  readonly #columns: readonly number[];
  readonly #snapshot: TableSnapshot;
  #rows: GroupRows | null = null;
  #row = 0;

  /** Rows of a snapshot for whose keys the table is ready. */
  #readyBatch: Batch | null = null;

  constructor(context: OperatorContext, { input, keys, tableBytes }: FirstRowsOptions) {
    const { scope, kernels } = context;
    this.#context = context;
    this.#columns = keys.map((name) => fieldIndexOf(input, name));
    const schema = { fields: this.#columns.flatMap((index) => input.fields[index] ?? []) };
    this.#keptKeys = new KeptKeys(context, schema);
    this.#kept = new KeptGroups(context, {
      ...{ parts: this.#keptKeys, hasKeys: true, output: input, part: 1 },
      ...(tableBytes !== undefined && { tableBytes }),
    });
    this.#snapshot = new TableSnapshot(context, {
      ...{ part: 'keys', schema, keys },
      count: () => this.#kept.count,
      settle: () => this.#kept.settle(),
      frozen: () => this.#kept.frozen(),
      read: (slot) => this.#keptKeys.read(this.#table, slot),
      add: (batch, row) => this.#addKeys(batch, row),
    });
    this.#keys = new GroupKeys(scope, kernels, { schema: input, keys });
    this.#marks = scope.allocate(bitmapSizeOf(batchRowsMax));
  }

  process(batch: Batch, fromRow: number, outbox: Outbox): number {
    if (batch.rowCount === 0) return 0;
    if (!this.#mark(batch)) return fromRow;
    if (!this.#pending.offer(outbox, () => this.#firstOf(batch))) return fromRow;
    this.#rows = null;
    return batch.rowCount;
  }

  get #table(): GroupTable {
    return this.#kept.table;
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
    this.#keys.close();
    this.#kept.close();
    this.#keptKeys.close();
    this.#context.scope.memory.release(this.#marks);
  }

  /** Marks the first rows of a batch; false asks to be called again. */
  #mark(batch: Batch): boolean {
    if (this.#rows === null && !this.#makeReady(batch)) return false;
    const rows = this.#rowsOf(batch);
    while (this.#row < rows.rowCount) {
      if (this.#table.isGrowing) this.#table.grow();
      else this.#row = this.#table.addRows(rows, this.#row);
      if (this.#row < rows.rowCount && this.#context.shouldYield()) return false;
    }
    return true;
  }

  /** Brings keys of the batch that are on disk into the table; false asks to be called again. */
  #makeReady(batch: Batch): boolean {
    const each = (work: (keys: Batch) => Work) => worked(() => this.#keysOf(batch), work);
    return this.#kept.makeReady({ count: batch.rowCount, each }, batch);
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

  /** Adds keys that were seen before; answers the next row. */
  #addKeys(batch: Batch, fromRow: number): number {
    if (this.#readyBatch !== batch) {
      const each = (work: (keys: Batch) => Work) => work(batch);
      if (!this.#kept.makeReady({ count: batch.rowCount, each }, batch)) return fromRow;
      this.#readyBatch = batch;
    }
    if (this.#table.isGrowing) {
      this.#table.grow();
      return fromRow;
    }
    const nextRow = this.#keptKeys.add(this.#table, batch, fromRow);
    if (nextRow === batch.rowCount) this.#readyBatch = null;
    return nextRow;
  }
}

/** Works on a batch that is made for it. */
function* worked(make: () => Batch, work: (batch: Batch) => Work): Work {
  const batch = make();
  try {
    yield* work(batch);
  } finally {
    batch.release();
  }
}
