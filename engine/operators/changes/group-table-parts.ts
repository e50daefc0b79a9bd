/**
 * What the table of running groups is made of: accumulators that merge parts, and one more that has when a group was
 * touched last. Its keys and inputs are read of batches here, and written to batches of parts again.
 */
import { assert } from '../../../base/assert.ts';
import type { Batch } from '../../batch/batch.ts';
import { GroupCells } from '../../kernels/group-cells.ts';
import { type ColumnAddress, type GroupRows, GroupTable } from '../../kernels/group-table.ts';
import { addressOf } from '../../memory/slot-memory.ts';
import { int64Type } from '../../schema/field-type.ts';
import { fieldOf, freeName, type Schema } from '../../schema/schema.ts';
import { AggregateInputs } from '../aggregate-inputs.ts';
import type { AggregatePlan, AggregateResult } from '../aggregate-plan.ts';
import { readGroupBatch } from '../aggregate-results.ts';
import { GroupKeys } from '../group-keys.ts';
import type { OperatorContext } from '../operator.ts';
import type { TableSnapshotOptions } from '../table-snapshot.ts';
import { turnTimes } from './touched-times.ts';

export interface GroupTablePartsOptions {
  /** Keys and parts, the last of which is a count of rows. */
  readonly parts: Schema;
  readonly keys: readonly string[];
  /** Merges the parts. */
  readonly plan: AggregatePlan;
}

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
  }
}
