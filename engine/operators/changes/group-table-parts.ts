/**
 * What the table of running groups is made of: accumulators that merge parts, and one more that has when a group was
 * touched last. Its keys and inputs are read of batches here, and written to batches of parts again.
 */
import { assert } from '../../../base/assert.ts';
import type { Batch } from '../../batch/batch.ts';
import type { Cell } from '../../kernels/accumulators.ts';
import { GroupCells } from '../../kernels/group-cells.ts';
import {
  type ColumnAddress,
  type GroupColumns,
  type GroupRows,
  GroupTable,
} from '../../kernels/group-table.ts';
import type { Kernels } from '../../kernels/kernels.ts';
import type { KeyForm } from '../../kernels/key-layout.ts';
import { addressOf, type BlockHandle } from '../../memory/slot-memory.ts';
import { int64Type } from '../../schema/field-type.ts';
import { fieldOf, freeName, type Schema } from '../../schema/schema.ts';
import { AggregateInputs } from '../aggregate-inputs.ts';
import type { AggregatePlan, AggregateResult } from '../aggregate-plan.ts';
import { readGroupBatch } from '../aggregate-results.ts';
import { GroupKeys } from '../group-keys.ts';
import type { OperatorContext } from '../operator.ts';
import type { TableSnapshotOptions } from '../table-snapshot.ts';
import { placeOf } from './group-order.ts';
import { turnTimes } from './touched-times.ts';

export interface GroupTablePartsOptions {
  /** Keys and parts, the last of which is a count of rows. */
  readonly parts: Schema;
  readonly keys: readonly string[];
  /** Merges the parts. */
  readonly plan: AggregatePlan;
}

/** As of `GroupTable`. */
const chunkRows = 1024;
const noArrivals: ReadonlyMap<number, number> = new Map();
const touchAccumulator = { function: 'max', type: 'int64' } as const;

export class GroupTableParts {
  readonly context: OperatorContext;
  /** Keys and parts, and the time of the last touch. */
  readonly partsWithTouch: Schema;
  /** Those behind the keys. */
  readonly partResults: readonly AggregateResult[];
  readonly cells: GroupCells;
  /** For keys on their way out: their scratch is another than that of keys that are looked for. */
  readonly givenKeys: GroupKeys;
  readonly #keys: GroupKeys;
  readonly #inputs: AggregateInputs;
  readonly #accumulators: AggregatePlan['accumulators'];
  readonly #touchCell: Cell;
  readonly #rowsCell: Cell;
  /** Slots of a chunk, and its rows. */
  readonly #list: BlockHandle;
  /** Without keys there is one group, which stays without rows. */
  readonly #hasKeys: boolean;

  constructor(context: OperatorContext, { parts, keys, plan }: GroupTablePartsOptions) {
    const { scope, kernels } = context;
    const touch = freeName('touched', new Set(parts.fields.map(({ name }) => name)));
    this.context = context;
    this.#hasKeys = keys.length > 0;
    this.partsWithTouch = { fields: [...parts.fields, fieldOf(touch, int64Type)] };
    this.#accumulators = [...plan.accumulators, touchAccumulator];
    this.#keys = new GroupKeys(scope, kernels, { schema: parts, keys });
    this.givenKeys = new GroupKeys(scope, kernels, { schema: parts, keys });
    this.#inputs = new AggregateInputs(scope, kernels, plan.inputs);
    const headBytes = this.#keys.form === 'int128' ? 24 : 16;
    this.cells = new GroupCells(kernels, this.#accumulators, headBytes);
    const column = this.cells.resultSizes.length - 1;
    this.#touchCell = this.cells.cellAt(this.#accumulators.length - 1);
    this.#rowsCell = this.cells.cellAt(this.#accumulators.length - 2);
    this.#list = scope.allocate(chunkRows * 8);
    this.partResults = [...plan.parts, { kind: 'plain', column, isCount: true }];
  }

  newTable(): GroupTable {
    const { scope, kernels } = this.context;
    const { form: keyForm } = this.#keys;
    return new GroupTable(scope, kernels, { keyForm, accumulators: this.#accumulators });
  }

  /** A batch as the table reads it; holds until the next call. */
  rowsOf(batch: Batch, touched: ColumnAddress): GroupRows {
    const { selection: keySelection, ...key } = this.#keys.read(batch);
    const inputs = [...this.#inputs.read(batch, noArrivals), touched];
    const { selection, rowCount } = batch;
    return { key, keySelection, inputs, selection, rowCount };
  }

  /** The same of keys alone. */
  keysOf(batch: Batch): GroupRows {
    const { selection: keySelection, ...key } = this.#keys.read(batch);
    const { selection, rowCount } = batch;
    return { key, keySelection, inputs: [], selection, rowCount };
  }

  /** A batch of parts with the time of the last touch behind them; the caller owns both. */
  withTouch(batch: Batch, { values }: ColumnAddress): Batch {
    const column = { type: int64Type, values, validity: 0 };
    return batch.derive({ schema: this.partsWithTouch, columns: [...batch.columns, column] });
  }

  /** Groups from a slot on, keys and parts and the time of the last touch, of a table that does not grow. */
  read(table: GroupTable, fromSlot: number) {
    if (table.groupCount === 0) return { batch: null, next: null };
    const { scope, kernels } = this.context;
    const { givenKeys: keys, partResults: results, partsWithTouch: schema } = this;
    const { batch, nextSlot } = readGroupBatch(
      { scope, kernels, table, keys, results, schema },
      fromSlot,
    );
    return { batch, next: nextSlot < table.slotCount ? nextSlot : null };
  }

  /** Groups whose slots are listed, in their order. */
  readList(table: GroupTable, list: number, count: number): Batch {
    const { scope, kernels } = this.context;
    const { givenKeys: keys, partResults: results, partsWithTouch: schema } = this;
    const { resultSizes, arenaBlocks } = table;
    const readGroups = (from: number, rowsMax: number, out: GroupColumns) => {
      const end = Math.min(count, from + rowsMax);
      for (let at = from; at < end; at += chunkRows) {
        table.gatherGroups(list + at * 4, Math.min(chunkRows, end - at), at - from, out);
      }
      return { rowCount: end - from, nextSlot: end };
    };
    const read = { groupCount: count, resultSizes, arenaBlocks, readGroups };
    const { batch } = readGroupBatch({ scope, kernels, table: read, keys, results, schema }, 0);
    assert(batch !== null, 'groups that are listed can be read');
    return batch;
  }

  /** Adds parts of groups that were not touched so far; of others the table knows more. Answers the next row. */
  addNew(table: GroupTable, batch: Batch, fromRow: number, tell?: (place: number) => void): number {
    const touched = batch.columns.at(-1);
    assert(touched !== undefined, 'the last column is the time of the last touch');
    const rows = this.rowsOf(batch, touched);
    const groupCount = table.groupCount;
    const found = table.findRows(rows, fromRow);
    const { uint32 } = this.context.scope.memory;
    const list = addressOf(this.#list) >>> 2;
    const selection = list + chunkRows;
    let count = 0;
    for (let at = 0; at < found; at++) {
      const slot = uint32[(table.slotsAt >>> 2) + at] ?? 0;
      if (this.isThere(slot)) continue;
      uint32[selection + count] = batch.storedRowOf(fromRow + at);
      uint32[list + count++] = slot;
    }
    this.#addCells(table, rows, count);
    // Where a slot was made, a row has the place of a key that is looked for, and another key: which one is not known here.
    if (tell === undefined || table.groupCount !== groupCount) return fromRow + found;
    for (let at = 0; at < count; at++) {
      const slot = uint32[list + at] ?? 0;
      tell(placeOf(uint32[slot >>> 2] ?? 0));
    }
    return fromRow + found;
  }

  #addCells(table: GroupTable, { inputs }: GroupRows, count: number): void {
    if (count === 0) return;
    const slots = addressOf(this.#list);
    const chunk = { slots, count, fromRow: 0, selection: slots + chunkRows * 4 };
    table.makeTextRoom(this.cells.textRoom(inputs, chunk));
    const fits = this.cells.add(table.description, inputs, chunk);
    assert(fits, 'what was there fits again');
  }

  /** Writes the hashes by which tables find the keys of a batch, u32. */
  hash(batch: Batch, out: number): void {
    const { values, validity, selection } = this.#keys.read(batch);
    const { form } = this.#keys;
    const hash = hashOf(this.context.kernels, form);
    hash(values, validity, selection, batch.rowCount, out);
  }

  /** Whether the group of a slot was ever touched. */
  isThere(slot: number): boolean {
    const { flags, flag } = this.#touchCell;
    return ((this.context.scope.memory.uint32[(slot + flags) >>> 2] ?? 0) & flag) !== 0;
  }

  hasRows(slot: number): boolean {
    const { uint32 } = this.context.scope.memory;
    const at = (slot + this.#rowsCell.offset) >>> 2;
    return uint32[at] !== 0 || uint32[at + 1] !== 0;
  }

  /** The groups of a batch that have rows, and were touched since; takes it over. */
  staying(batch: Batch, sinceMs: number): Batch | null {
    const { scope } = this.context;
    const { int32, uint32 } = scope.memory;
    const [rows, touched] = batch.columns.slice(-2).map(({ values }) => values >>> 2);
    assert(rows !== undefined && touched !== undefined, 'counts and times are the last columns');
    const block = scope.allocate(batch.rowCount * 4);
    const selection = addressOf(block);
    let rowCount = 0;
    for (let row = 0; row < batch.rowCount; row++) {
      const [low, high] = [uint32[rows + row * 2] ?? 0, uint32[rows + row * 2 + 1] ?? 0];
      const at = row * 2 + touched;
      // Behind a restart it may be before the clock's beginning.
      const touchedMs = (int32[at + 1] ?? 0) * 2 ** 32 + (uint32[at] ?? 0);
      const stays = (low !== 0 || high !== 0) && touchedMs >= sinceMs;
      if (stays) uint32[(selection >>> 2) + rowCount++] = row;
    }
    const kept = rowCount === 0 ? null : batch.derive({ rowCount, selection, blocks: [block] });
    if (kept === null) scope.memory.release(block);
    batch.release();
    return kept;
  }

  /**
   * How the table is in snapshots. Where groups are kept for a time, how long ago they were touched is written: another
   * clock shows another time, and so the rows of an earlier snapshot will not do.
   */
  snapshotOptions(
    table: () => GroupTable,
    { nowMs, ttlMs }: { readonly nowMs: () => number; readonly ttlMs: number | null },
  ): Pick<TableSnapshotOptions, 'schema' | 'count' | 'settle' | 'read' | 'add' | 'isAlwaysWhole'> {
    const present = (batch: Batch) => {
      return this.#hasKeys ? this.staying(batch, Number.NEGATIVE_INFINITY) : batch;
    };
    const turned = (batch: Batch): Batch => {
      if (ttlMs !== null) turnTimes(batch, nowMs());
      return batch;
    };
    let added: { readonly batch: Batch; readonly rows: GroupRows } | null = null;
    return {
      schema: this.partsWithTouch,
      isAlwaysWhole: ttlMs !== null,
      count: () => table().groupCount,
      settle: () => {
        while (table().isGrowing) {
          if (!table().grow() && this.context.shouldYield()) return false;
        }
        return true;
      },
      read: (place) => {
        const { batch, next } = this.read(table(), place);
        return { batch: batch && present(turned(batch)), next };
      },
      add: (batch, fromRow) => {
        if (added?.batch !== batch) {
          const touched = turned(batch).columns.at(-1);
          assert(touched !== undefined, 'the last column is the time of the last touch');
          added = { batch, rows: this.rowsOf(batch, touched) };
        }
        if (!table().isGrowing) return table().addRows(added.rows, fromRow);
        table().grow();
        return fromRow;
      },
    };
  }

  close(): void {
    this.#keys.close();
    this.givenKeys.close();
    this.#inputs.close();
    this.context.scope.memory.release(this.#list);
  }
}

/** The kernel of the hashes that tables of keys of a form have. */
export function hashOf(kernels: Kernels, form: KeyForm) {
  if (form === 'view') return kernels.hashUtf8;
  return form === 'int64' ? kernels.hashInt64 : kernels.hashInt128;
}
