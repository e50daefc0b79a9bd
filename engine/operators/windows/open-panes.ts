/**
 * Open panes: the tables of the panes that have rows, in the order of their starts. One that is dropped gives
 * its table to the next pane, since growing a table to its size is half of what a pane costs.
 *
 * Invariant: tables share their scratch, so a batch goes into one table to its end before the next one begins.
 */
import type { Schema } from '../../schema/schema.ts';
import type { AggregatePlan } from '../aggregate-plan.ts';
import { type AggregateScratch, AggregateTable, aggregateScratchOf } from '../aggregate-table.ts';
import type { OperatorContext } from '../operator.ts';

export interface Pane {
  readonly start: number;
  readonly table: AggregateTable;
}

export interface OpenPanesOptions {
  readonly input: Schema;
  readonly keys: readonly string[];
  readonly plan: AggregatePlan;
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
    for (const { table } of this.#panes) sum += table.groups.sizeBytes;
    for (const table of this.#spare) sum += table.groups.sizeBytes;
    return sum;
  }

  /** The pane that starts there; made when it has no row yet. */
  at(start: number): Pane {
    if (this.#last?.start === start) return this.#last;
    const place = this.#placeOf(start);
    let pane = this.#panes[place];
    if (pane?.start !== start) {
      pane = { start, table: this.#spare.pop() ?? this.#newTable() };
      this.#panes.splice(place, 0, pane);
    }
    this.#last = pane;
    return pane;
  }

  /** Panes that start from `from` on and before `to`. */
  between(from: number, to: number): readonly Pane[] {
    return this.#panes.slice(this.#placeOf(from), this.#placeOf(to));
  }

  /** Drops the first panes, as long as `isDone` answers true. */
  dropWhile(isDone: (pane: Pane) => boolean): void {
    let count = 0;
    for (const pane of this.#panes) {
      if (!isDone(pane)) break;
      count++;
    }
    if (count === 0) return;
    this.#last = null;
    for (const { table } of this.#panes.splice(0, count)) this.#keep(table);
  }

  /** Drops all panes, and gives their memory back. */
  clear(): void {
    for (const table of this.#spare.splice(0)) table.close();
    for (const { table } of this.#panes.splice(0)) table.close();
    this.#last = null;
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
