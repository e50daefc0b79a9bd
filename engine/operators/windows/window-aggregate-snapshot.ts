/**
 * Snapshot of a window aggregate: the groups of open panes as rows, and back.
 *
 *     pane, keys, parts                             one row per pane and key; of panes on disk as they are there
 *     pane, keys, parts, touch, isNew               where windows are given out again
 *
 * Rows are parts, as panes have them on disk, and are added to tables of panes as such: what comes behind them finds the
 * tables as if nothing had been.
 *
 * Which groups have changed since a window was given out is said by the rounds of their task (`RowTouch`). Where a new
 * task has rows of several old ones, whose rounds say nothing of each other, `isNew` tells: whether a group has
 * changed since one of the windows of its pane was given out. Of windows that overlap, those that come out again may then
 * have groups that have not changed; none is missed.
 *
 * Before: engine/operators/frozen-rows.ts, engine/operators/own-rows.ts
 */
import { assert } from '../../../base/assert.ts';
import type { Batch, Column } from '../../batch/batch.ts';
import type { SnapshotReader, SnapshotRows } from '../../contracts/snapshot.ts';
import { addressOf } from '../../memory/slot-memory.ts';
import { boolType } from '../../schema/field-type.ts';
import { type Field, fieldIndexOf, fieldOf, freeName, type Schema } from '../../schema/schema.ts';
import { rowsFrom } from '../../stream/selected-batch.ts';
import type { AggregatePlan } from '../aggregate-plan.ts';
import { type AggregateTable, aggregateScratchOf, type PartsOfGroups } from '../aggregate-table.ts';
import { FrozenRows } from '../frozen-rows.ts';
import type { OperatorContext } from '../operator.ts';
import { OwnRows } from '../own-rows.ts';
import type { OpenPanes, Pane } from './open-panes.ts';
import type { PaneDisk } from './pane-disk.ts';
import { cellsOfParts } from './record-parts.ts';
import { withBounds } from './window-bounds.ts';

export interface WindowSnapshotOptions {
  readonly keys: readonly string[];
  /** What the tables of panes read: it says how keys lie there. */
  readonly input: Schema;
  /** Keys and parts; the last is the round of the last row, where there is one. */
  readonly parts: Schema;
  readonly plan: AggregatePlan;
  readonly open: OpenPanes;
  readonly disk: PaneDisk;
  readonly hasTouch: boolean;
  /** The first round in which no window of a pane had been given out; 0 where one never was. */
  readonly newSince: (pane: number) => number;
}

/** The rounds of rows of several tasks: of groups that have not changed, and of those that have. */
export const mixedRounds = { given: 1, changed: 2 } as const;

const highUnit = 2 ** 32;

export class WindowAggregateSnapshot {
  readonly #context: OperatorContext;
  readonly #options: WindowSnapshotOptions;
  readonly schema: Schema;
  /** What is copied now, and the pane that comes next. */
  #frozen: FrozenRows | null = null;
  #pane = 0;
  #own: OwnRows | null = null;
  #parts: PartsOfGroups | null = null;
  /** What is added now, its next row, and where the rows of that row's pane end. */
  #batch: Batch | null = null;
  #row = 0;
  #stretch: { readonly start: number; readonly rows: Batch } | null = null;
  #stretchRow = 0;

  constructor(context: OperatorContext, options: WindowSnapshotOptions) {
    const { parts, hasTouch } = options;
    this.#context = context;
    this.#options = options;
    const taken = new Set(parts.fields.map(({ name }) => name));
    const pane = fieldOf(freeName('pane', taken), { kind: 'timestamp', unit: 'ms' });
    const isNew: Field[] = hasTouch ? [fieldOf(freeName('isNew', taken), boolType)] : [];
    this.schema = { fields: [pane, ...parts.fields, ...isNew] };
  }

  /** Copies the groups of all panes; null asks to be called again, before anything changes. */
  freeze(): SnapshotRows | null {
    const { open, disk } = this.#options;
    this.#frozen ??= new FrozenRows(this.#context, this.schema);
    for (; this.#pane < open.all.length; this.#pane++) {
      const pane = open.all[this.#pane];
      assert(pane !== undefined, 'panes stay as they are while they are copied');
      if (pane.table !== null && !this.#copy(pane, pane.table, this.#frozen)) return null;
      for (const run of pane.runs) {
        const held = disk.hold(run);
        this.#frozen.appendRun({ ...held, read: (batch) => this.#rowsOf(pane, batch) });
      }
    }
    const frozen = this.#frozen.seal();
    this.#frozen = null;
    this.#pane = 0;
    return frozen;
  }

  /**
   * Adds the groups of this task's keys to panes; false asks to be called again.
   * @param isMixed - Whether they come of several tasks.
   */
  restore(reader: SnapshotReader, isMixed: boolean): boolean {
    const { keys } = this.#options;
    this.#own ??= new OwnRows(this.#context, { part: 'panes', schema: this.schema, keys });
    for (;;) {
      if (!this.#addStretch()) return false;
      if (this.#batch === null) {
        const next = this.#own.next(reader);
        if (next === 'end') break;
        this.#batch = next === null ? null : this.#partsOf(next, isMixed);
        this.#row = 0;
      } else this.#beginStretch(this.#batch);
      if (this.#context.shouldYield()) return false;
    }
    this.#closeRestore();
    return true;
  }

  close(): void {
    this.#frozen?.close();
    this.#frozen = null;
    this.#closeRestore();
  }

  #closeRestore(): void {
    this.#own?.close();
    this.#own = null;
    this.#parts?.scratch.keys.close();
    this.#parts?.scratch.inputs.close();
    this.#parts = null;
    this.#batch?.release();
    this.#batch = null;
    this.#stretch?.rows.release();
    this.#stretch = null;
  }

  /** False asks to be called again. */
  #copy(pane: Pane, table: AggregateTable, frozen: FrozenRows): boolean {
    const { plan, parts } = this.#options;
    if (!table.settle()) return false;
    while (!table.isReadOut) {
      const groups = table.next(plan.parts, parts);
      if (groups !== null) {
        const rows = this.#rowsOf(pane, groups);
        frozen.append(rows);
        rows.release();
      }
      if (this.#context.shouldYield()) return false;
    }
    table.rewind();
    return true;
  }

  /** Groups of a pane as rows of the snapshot; takes them over. */
  #rowsOf({ start }: Pane, groups: Batch): Batch {
    const { scope } = this.#context;
    if (!this.#options.hasTouch) return withBounds(scope, groups, [start], this.schema);
    const { storedRows, columns } = groups;
    const block = scope.allocate(Math.ceil(storedRows / 8));
    const values = addressOf(block);
    scope.memory.bytes.fill(0, values, values + Math.ceil(storedRows / 8));
    const since = this.#options.newSince(start);
    const touch = (columns.at(-1)?.values ?? 0) >>> 2;
    const { uint32, bytes } = scope.memory;
    for (let row = 0; row < storedRows; row++) {
      const at = values + (row >>> 3);
      if ((uint32[touch + row * 2] ?? 0) > since) bytes[at] = (bytes[at] ?? 0) | (1 << (row & 7));
    }
    const isNew: Column = { type: boolType, values, validity: 0 };
    const fields = this.schema.fields.slice(1);
    const marked = groups.derive({
      ...{ schema: { fields }, columns: [...columns, isNew], blocks: [block] },
    });
    groups.release();
    return withBounds(scope, marked, [start], this.schema);
  }

  /** Rows of a snapshot as pane and parts, with the rounds that count here; takes the batch over. */
  #partsOf(batch: Batch, isMixed: boolean): Batch {
    const { hasTouch } = this.#options;
    if (!hasTouch) return batch;
    const { scope } = this.#context;
    const schema = { fields: this.schema.fields.slice(0, -1) };
    const kept = batch.columns.slice(0, -1);
    const [touch, isNew] = batch.columns.slice(-2);
    assert(touch !== undefined && isNew !== undefined, 'rows say in which round they were last');
    if (!isMixed) {
      const parts = batch.derive({ schema, columns: kept });
      batch.release();
      return parts;
    }
    const block = scope.allocate(batch.storedRows * 8);
    const values = addressOf(block);
    const { uint32, bytes } = scope.memory;
    for (let row = 0; row < batch.storedRows; row++) {
      const bit = ((bytes[isNew.values + (row >>> 3)] ?? 0) >>> (row & 7)) & 1;
      uint32[(values >>> 2) + row * 2] = bit === 1 ? mixedRounds.changed : mixedRounds.given;
      uint32[(values >>> 2) + row * 2 + 1] = 0;
    }
    const columns = [...kept.slice(0, -1), { ...touch, values, validity: 0 }];
    const parts = batch.derive({ schema, columns, blocks: [block] });
    batch.release();
    return parts;
  }

  /** The next rows of one pane. */
  #beginStretch(batch: Batch): void {
    const start = this.#paneAt(batch, this.#row);
    let end = this.#row + 1;
    while (end < batch.rowCount && this.#paneAt(batch, end) === start) end++;
    const isAll = end - this.#row === batch.rowCount;
    const rows = isAll
      ? batch.retain()
      : rowsFrom(this.#context, batch, { from: this.#row, count: end - this.#row });
    this.#stretch = { start, rows };
    this.#stretchRow = 0;
    this.#row = end;
    if (end < batch.rowCount) return;
    batch.release();
    this.#batch = null;
  }

  #paneAt(batch: Batch, row: number): number {
    const { uint32, int32 } = batch.memory;
    const at = ((batch.columns[0]?.values ?? 0) >>> 2) + batch.storedRowOf(row) * 2;
    return (int32[at + 1] ?? 0) * highUnit + (uint32[at] ?? 0);
  }

  /** Adds the rows of one pane; false asks to be called again. */
  #addStretch(): boolean {
    const stretch = this.#stretch;
    if (stretch === null) return true;
    const { open, disk } = this.#options;
    const { start, rows } = stretch;
    if (disk.isFull(open, start) && !disk.makeRoom(open, start)) return false;
    this.#stretchRow = open.addParts(start, this.#partsScratch(rows), rows, this.#stretchRow);
    if (this.#stretchRow < rows.rowCount) return false;
    rows.release();
    this.#stretch = null;
    return true;
  }

  #partsScratch({ schema }: Batch): PartsOfGroups {
    const { input: read, keys, plan } = this.#options;
    const keyFields = keys.map((name) => read.fields[fieldIndexOf(read, name)]);
    const input: Schema = {
      fields: schema.fields.map((field) => {
        return keyFields.find((key) => key?.name === field.name) ?? field;
      }),
    };
    const merging = cellsOfParts(plan, 1 + keys.length);
    this.#parts ??= {
      accumulators: merging.accumulators,
      scratch: aggregateScratchOf(this.#context, { input, keys, plan: merging }),
    };
    return this.#parts;
  }
}
