/**
 * Window results: the groups of one window as batches, from the tables of its panes.
 *
 *     one pane         its groups are the window's
 *     several panes    parts of each ─▶ merged in a table of their own ─▶ results
 *
 *     a pane on disk   parts of all ─▶ merged within the share (`SpilledWindow`) ─▶ results
 *
 * A window that begins where the one before began, and ends later, goes on with what was merged then. Where
 * windows are given out several times, groups carry the round of their last row (`touchColumn`), and those
 * without a row since are left out.
 */
import { assert } from '../../../base/assert.ts';
import type { Batch } from '../../batch/batch.ts';
import { addressOf } from '../../memory/slot-memory.ts';
import { aggregatePartsOf } from '../../plan/aggregate-parts.ts';
import type { Schema } from '../../schema/schema.ts';
import {
  type AggregateColumnOptions,
  type AggregatePlan,
  planAggregates,
} from '../aggregate-plan.ts';
import { AggregateTable } from '../aggregate-table.ts';
import type { OperatorContext } from '../operator.ts';
import type { Pane } from './open-panes.ts';
import type { PaneDisk } from './pane-disk.ts';
import { SpilledWindow } from './spilled-window.ts';

export interface WindowResultsOptions {
  readonly input: Schema;
  /** What comes out: keys, results; or, where `givesParts`, keys and parts. */
  readonly groups: Schema;
  readonly keys: readonly string[];
  readonly aggregates: readonly AggregateColumnOptions[];
  readonly plan: AggregatePlan;
  readonly givesParts: boolean;
  /** Whether a window of one pane is merged too, so that the next one may go on with it. */
  readonly mergesAll: boolean;
  /** Whether the last result is the round of the last row. */
  readonly hasTouch: boolean;
  /** Null where panes never go to disk. */
  readonly disk: PaneDisk | null;
}

export interface WindowPart {
  readonly panes: readonly Pane[];
  /** Groups without a row after that round are left out; 0 for none. */
  readonly sinceRound: number;
  /** Whether the panes follow those of the window before, whose groups belong to this one too. */
  readonly isContinued: boolean;
}

export class WindowResults {
  readonly #context: OperatorContext;
  readonly #options: WindowResultsOptions;
  readonly #partsSchema: Schema;
  readonly #mergePlan: AggregatePlan;
  /** Made for the first window of several panes. */
  #merge: AggregateTable | null = null;
  #window: WindowPart | null = null;
  #tables: readonly AggregateTable[] = [];
  /** The window that is given out, when it has panes on disk. */
  #spilled: SpilledWindow | null = null;
  /** Tables that have been merged. */
  #mergedTables = 0;
  #batch: Batch | null = null;
  #row = 0;

  constructor(context: OperatorContext, options: WindowResultsOptions) {
    const { input, keys, aggregates, groups: output, givesParts } = options;
    this.#context = context;
    this.#options = options;
    // A phase that gives parts has windows of one pane only.
    const parts = aggregatePartsOf({ keys, aggregates, output }, input);
    this.#partsSchema = givesParts ? output : parts.schema;
    this.#mergePlan = givesParts
      ? options.plan
      : planAggregates(parts.schema, 'final', parts.aggregates);
  }

  /** The results of groups, but for the round. */
  get results(): AggregatePlan['results'] {
    const { plan, hasTouch } = this.#options;
    return hasTouch ? plan.results.slice(0, -1) : plan.results;
  }

  /** Whether the window that was begun is merged of panes on disk: then none goes on with it. */
  get isOnDisk(): boolean {
    return this.#spilled !== null;
  }

  /** Gives back the memory of what was merged; no window goes on with it. */
  letGo(): void {
    assert(this.#window === null, 'no window is being given out');
    this.#closeMerge();
  }

  begin(window: WindowPart): void {
    assert(this.#window === null, 'one window is given out at a time');
    this.#window = window;
    this.#mergedTables = 0;
    this.#tables = window.panes.flatMap(({ table }) => (table === null ? [] : [table]));
    if (window.panes.some(({ runs }) => runs.length > 0)) {
      this.#beginSpilled(window);
      return;
    }
    if (this.#merge === null) return;
    if (window.isContinued) this.#merge.rewind();
    else this.#merge.clear();
  }

  /** The next groups; null when this slice has none. */
  next(): Batch | null | 'end' {
    const window = this.#window;
    assert(window !== null, 'a window has begun');
    if (this.#spilled !== null) return this.#nextSpilled(this.#spilled);
    const { plan, givesParts, groups, mergesAll } = this.#options;
    const [only, ...others] = this.#tables;
    if (only === undefined && !window.isContinued) return this.#end();
    if (only !== undefined && others.length === 0 && !window.isContinued && !mergesAll) {
      return this.#read(only, givesParts ? plan.parts : plan.results, groups);
    }
    if (this.#mergedTables < this.#tables.length) {
      this.#mergeSlice(this.#tables[this.#mergedTables] as AggregateTable);
      return null;
    }
    return this.#read(this.#mergeTable(), this.#mergePlan.results, groups);
  }

  close(): void {
    this.#batch?.release();
    this.#batch = null;
    this.#spilled?.close();
    this.#spilled = null;
    this.#closeMerge();
  }

  #closeMerge(): void {
    this.#merge?.close();
    this.#merge = null;
  }

  #beginSpilled({ panes, isContinued }: WindowPart): void {
    const { disk, keys, plan, groups: output } = this.#options;
    assert(disk !== null && !isContinued, 'a window with panes on disk is merged from its start');
    this.#closeMerge();
    const schemas = { parts: this.#partsSchema, output };
    const plans = { plan, mergePlan: this.#mergePlan };
    this.#spilled = new SpilledWindow(this.#context, { disk, panes, keys, ...schemas, ...plans });
  }

  #nextSpilled(spilled: SpilledWindow): Batch | null | 'end' {
    const batch = spilled.next();
    if (batch !== 'end') {
      return batch === null || !this.#options.hasTouch ? batch : this.#touched(batch);
    }
    spilled.close();
    this.#spilled = null;
    return this.#end();
  }

  #end(): 'end' {
    this.#window = null;
    this.#tables = [];
    return 'end';
  }

  #read(
    table: AggregateTable,
    results: AggregatePlan['results'],
    schema: Schema,
  ): Batch | null | 'end' {
    if (!table.settle()) return null;
    if (table.isReadOut) {
      table.rewind();
      return this.#end();
    }
    const batch = table.next(results, schema);
    return batch === null || !this.#options.hasTouch ? batch : this.#touched(batch);
  }

  /** Merges one batch of a pane's parts. */
  #mergeSlice(table: AggregateTable): void {
    if (!table.settle()) return;
    if (this.#batch === null) {
      if (table.isReadOut) {
        table.rewind();
        this.#mergedTables++;
        return;
      }
      this.#batch = table.next(this.#options.plan.parts, this.#partsSchema);
      this.#row = 0;
      if (this.#batch === null) return;
    }
    this.#row = this.#mergeTable().add(this.#batch, this.#row);
    if (this.#row < this.#batch.rowCount) return;
    this.#batch.release();
    this.#batch = null;
  }

  #mergeTable(): AggregateTable {
    const { keys } = this.#options;
    const options = { input: this.#partsSchema, keys, plan: this.#mergePlan };
    this.#merge ??= new AggregateTable(this.#context, options);
    return this.#merge;
  }

  /** Without the round, and the groups that have no row since. */
  #touched(batch: Batch): Batch | null {
    const { scope } = this.#context;
    const columns = batch.columns.slice(0, -1);
    const schema = { fields: batch.schema.fields.slice(0, -1) };
    const since = this.#window?.sinceRound ?? 0;
    const values = batch.columns.at(-1)?.values ?? 0;
    const block = scope.allocate(batch.rowCount * 4);
    const { uint32 } = scope.memory;
    const at = addressOf(block) >>> 2;
    let count = 0;
    for (let row = 0; row < batch.rowCount; row++) {
      // Rounds are small: the low word of an int64 is all of one.
      if ((uint32[(values >>> 2) + row * 2] ?? 0) > since) uint32[at + count++] = row;
    }
    const selection = count === batch.rowCount ? 0 : at * 4;
    const kept = batch.derive({ schema, columns, rowCount: count, selection, blocks: [block] });
    batch.release();
    if (count > 0) return kept;
    kept.release();
    return null;
  }
}
