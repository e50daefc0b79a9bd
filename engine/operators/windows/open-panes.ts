/**
 * Open panes: the tables of the panes that have rows, in the order of their starts. One that is dropped gives
 * its table to the next pane, since growing a table to its size is half of what a pane costs.
 *
 * A pane that is on disk has runs there, and a table again when more rows come (`PaneDisk`).
 *
 * Invariant: tables share their scratch, so a batch goes into one table to its end before the next one begins.
 */

import type { Batch } from '../../batch/batch.ts';
import type { Schema } from '../../schema/schema.ts';
import type { SpillRun } from '../../spill/spill-writer.ts';
import type { AggregatePlan } from '../aggregate-plan.ts';
import {
  type AggregateScratch,
  AggregateTable,
  aggregateScratchOf,
  type PartsOfGroups,
} from '../aggregate-table.ts';
import type { OperatorContext } from '../operator.ts';

export interface Pane {
  readonly start: number;
  /** Null when all of it is on disk. */
  table: AggregateTable | null;
  /** What of it is on disk. */
  readonly runs: SpillRun[];
}

export interface OpenPanesOptions {
  readonly input: Schema;
  readonly keys: readonly string[];
  readonly plan: AggregatePlan;
  /** What one table may have. @defaultValue no limit */
  readonly bytesMax?: number;
}

/** Tables without a pane that are kept. */
const spareMax = 4;
/** A table that is emptier than that is not worth walking through for the next pane. */
const slotsPerGroupMax = 16;

export class OpenPanes {
  readonly #context: OperatorContext;
  readonly #options: OpenPanesOptions;
  readonly #scratch: AggregateScratch;
  /** Ascending by start. */
  readonly #panes: Pane[] = [];
  readonly #spare: AggregateTable[] = [];
  #last: Pane | null = null;
  #heldBytes = 0;

  constructor(context: OperatorContext, options: OpenPanesOptions) {
    this.#context = context;
    this.#options = options;
    this.#scratch = aggregateScratchOf(context, options);
  }

  get all(): readonly Pane[] {
    return this.#panes;
  }

  /** Bytes of all groups, and of tables for the next panes. */
  get sizeBytes(): number {
    let sum = 0;
    for (const { table } of this.#panes) sum += table?.groups.sizeBytes ?? 0;
    for (const table of this.#spare) sum += table.groups.sizeBytes;
    return sum;
  }

  /** Bytes as `sizeBytes`, or a little more: added up as rows come. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** The pane that rows came into last. */
  get latest(): Pane | null {
    return this.#last;
  }

  /** Adds up `heldBytes` anew. */
  count(): number {
    this.#heldBytes = this.sizeBytes;
    return this.#heldBytes;
  }

  /** Adds rows to the pane that starts there, as `AggregateTable.add`. */
  add(start: number, batch: Batch, fromRow: number): number {
    return this.#addTo(start, (table) => table.add(batch, fromRow));
  }

  /** The same, as `AggregateTable.addParts`. */
  addParts(start: number, parts: PartsOfGroups, batch: Batch, fromRow: number): number {
    return this.#addTo(start, (table) => table.addParts(parts, batch, fromRow));
  }

  #addTo(start: number, add: (table: AggregateTable) => number): number {
    const pane = this.#at(start);
    pane.table ??= this.#takeTable();
    const { groups } = pane.table;
    const before = groups.sizeBytes;
    const row = add(pane.table);
    this.#heldBytes += groups.sizeBytes - before;
    return row;
  }

  #at(start: number): Pane {
    if (this.#last?.start === start) return this.#last;
    const place = this.#placeOf(start);
    let pane = this.#panes[place];
    if (pane?.start !== start) {
      pane = { start, table: null, runs: [] };
      this.#panes.splice(place, 0, pane);
    }
    this.#last = pane;
    return pane;
  }

  /** Panes that start from `from` on and before `to`. */
  between(from: number, to: number): readonly Pane[] {
    return this.#panes.slice(this.#placeOf(from), this.#placeOf(to));
  }

  /** Drops the first panes, as long as `isDone` answers true; `forget` is told of each. */
  dropWhile(isDone: (pane: Pane) => boolean, forget: (pane: Pane) => void): void {
    let count = 0;
    for (const pane of this.#panes) {
      if (!isDone(pane)) break;
      count++;
    }
    if (count === 0) return;
    this.#last = null;
    for (const pane of this.#panes.splice(0, count)) {
      forget(pane);
      if (pane.table !== null) this.#keep(pane.table);
    }
    this.count();
  }

  /** Drops all panes, and gives their memory back. */
  clear(): void {
    this.closeSpare();
    for (const { table } of this.#panes.splice(0)) table?.close();
    this.#last = null;
    this.#heldBytes = 0;
  }

  /** Gives back the memory of tables without a pane. */
  closeSpare(): void {
    for (const table of this.#spare.splice(0)) table.close();
  }

  close(): void {
    this.clear();
    this.#scratch.keys.close();
    this.#scratch.inputs.close();
  }

  #keep(table: AggregateTable): void {
    const { groupCount, slotCount } = table.groups;
    const isEmpty = slotCount > 1024 && groupCount * slotsPerGroupMax < slotCount;
    if (isEmpty || this.#spare.length >= spareMax) {
      table.close();
      return;
    }
    table.clear();
    this.#spare.push(table);
  }

  #takeTable(): AggregateTable {
    const spare = this.#spare.pop();
    if (spare !== undefined) return spare;
    const table = this.#newTable();
    this.#heldBytes += table.groups.sizeBytes;
    return table;
  }

  #newTable(): AggregateTable {
    const options = { ...this.#options, scratch: this.#scratch, slotsFirst: 64 };
    return new AggregateTable(this.#context, options);
  }

  /** Where the first pane is that starts at `start` or later. */
  #placeOf(start: number): number {
    const panes = this.#panes;
    let [low, high] = [0, panes.length];
    // Rows come in order, nearly always: the last pane is tried first.
    if (high > 0 && (panes[high - 1]?.start ?? 0) < start) return high;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((panes[middle]?.start ?? 0) < start) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
