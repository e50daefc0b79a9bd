/**
 * Window function: keeps all rows of windows of event time, and calls a user's function for each window and key when
 * the watermark has passed the window's end.
 *
 *     rows ─▶ panes ─▶ a sorter for each window ──watermark──▶ by key and time ─▶ the function ─▶ its rows
 *
 * A row is kept once for each window that it is in: what an aggregate would merge, a function must see. Sorters put
 * rows on disk where their part of the memory is full. Rows of a key are given in the order of time, for they come in pieces; those of
 * one time, and of the window of all time, as they came.
 *
 * Invariants:
 * - A row is in all of its windows, or put aside as late.
 * - What the function gave for a window is out before the watermark that completed it goes on.
 */
import { assert } from '../../../base/assert.ts';
import type { Batch } from '../../batch/batch.ts';
import { BatchBuilder } from '../../batch/batch-builder.ts';
import type { GroupDriver } from '../../compile/group-driver.ts';
import { windowDriver } from '../../compile/window-driver.ts';
import type { ProcessKey } from '../../plan/state-spec.ts';
import type { TimeWindowSpec, WindowFiring } from '../../plan/window-spec.ts';
import { fieldIndexOf, type Schema } from '../../schema/schema.ts';
import { ascending } from '../../stream/row-order.ts';
import { BuiltBatches } from '../built-batches.ts';
import { ExternalSorter } from '../external-sorter.ts';
import type { IdleAnswer, Operator, OperatorContext, Outbox } from '../operator.ts';
import { RowPacer } from '../row-pacer.ts';
import { eventTimeMissing, LateRows } from './late-rows.ts';
import { type PaneRows, PaneSplit } from './pane-split.ts';
import { type WindowPanes, windowPanesOf } from './window-panes.ts';
import { ZoneClock } from './zone-clock.ts';

export interface WindowFunctionOptions {
  /** The fields of the user's rows, and behind them keys that are none of these. */
  readonly input: Schema;
  readonly fieldCount: number;
  readonly output: Schema;
  readonly window: TimeWindowSpec;
  readonly column: string | null;
  readonly missing: WindowFiring['missing'];
  readonly keys: readonly ProcessKey[];
  readonly process: (rows: Iterable<never>, window: never) => Iterable<unknown>;
}

/** Of the operator's share: what the rows of one window may hold. Two are open at a time, mostly. */
const windowPart = 1 / 4;

export class WindowFunctionOperator implements Operator {
  readonly #context: OperatorContext;
  readonly #options: WindowFunctionOptions;
  readonly #panes: WindowPanes;
  readonly #clock: ZoneClock;
  readonly #split: PaneSplit;
  readonly #late: LateRows;
  readonly #builder: BatchBuilder;
  readonly #output: BuiltBatches;
  readonly #driver: GroupDriver;
  readonly #pacer: RowPacer;
  /** Open windows, by their end. */
  readonly #windows = new Map<number, ExternalSorter>();
  #madeCount = 0;
  #watermark = Number.NEGATIVE_INFINITY;
  /** What is left of the batch that is worked on, and the last window that has got the first part of it. */
  #parts: PaneRows[] | null = null;
  #partEnd = Number.NEGATIVE_INFINITY;
  /** The end of the window that the function is called for. */
  #window: number | null = null;
  #isArranged = false;

  constructor(context: OperatorContext, options: WindowFunctionOptions) {
    const { scope, name } = context;
    const { input, output, window, column, keys, fieldCount } = options;
    this.#context = context;
    this.#options = options;
    this.#panes = windowPanesOf(window);
    this.#clock = new ZoneClock(scope, 'timeZone' in window ? window.timeZone : null);
    this.#late = new LateRows(context);
    this.#pacer = new RowPacer(context.shouldYield);
    this.#split = new PaneSplit(context, {
      ...{ panes: this.#panes, clock: this.#clock },
      column: column === null ? -1 : fieldIndexOf(input, column),
    });
    this.#builder = new BatchBuilder(scope, output);
    this.#output = new BuiltBatches(this.#builder);
    this.#driver = windowDriver({
      ...{
        operator: name,
        memory: scope.memory,
        input,
        fieldCount,
        output,
        builder: this.#builder,
      },
      keys: keys.map((key) => ({ name: key.name, place: fieldIndexOf(input, key.column) })),
      nextBatch: () => this.#nextBatch(),
      bounds: () => this.#bounds(),
      process: options.process,
    });
  }

  /** Rows that came too late, or without a time, and are in no window. */
  get notedRows(): Readonly<Record<string, number>> {
    return { late: this.#late.count };
  }

  process(batch: Batch, fromRow: number): number {
    this.#parts ??= this.#split.split(batch);
    while (this.#parts.length > 0) {
      if (!this.#addPart(this.#parts)) return fromRow;
      if (this.#parts.length > 0 && this.#context.shouldYield()) return fromRow;
    }
    this.#parts = null;
    return batch.rowCount;
  }

  advance(timeMs: number, outbox: Outbox): boolean {
    for (;;) {
      this.#window ??= this.#nextWindow(timeMs);
      if (this.#window === null) break;
      if (!this.#call(this.#window, outbox)) return false;
    }
    if (!this.#output.finish(outbox)) return false;
    this.#watermark = timeMs;
    return true;
  }

  idle(): IdleAnswer {
    return this.#windows.size === 0 ? 'pass' : 'hold';
  }

  finish(outbox: Outbox): boolean {
    return this.advance(Number.POSITIVE_INFINITY, outbox);
  }

  close(): void {
    for (const { batch } of this.#parts ?? []) batch.release();
    this.#parts = null;
    this.#driver.close();
    this.#output.close();
    for (const sorter of this.#windows.values()) sorter.close();
    this.#windows.clear();
    this.#split.close();
    this.#clock.close();
  }

  /** Gives the first part to all of its windows; false asks to be called again. */
  #addPart(parts: PaneRows[]): boolean {
    const part = parts[0];
    assert(part !== undefined, 'a batch has parts');
    const { pane, batch } = part;
    if (pane === null && this.#options.missing !== 'late') {
      throw eventTimeMissing(this.#context.name, this.#options.column ?? '');
    }
    if (pane === null || this.#isOver(this.#panes.lastEndOf(pane))) {
      if (!this.#late.offer(batch)) return false;
      parts.shift();
      return true;
    }
    const from = Math.max(this.#partEnd, this.#clock.localOf(this.#watermark));
    let end = this.#panes.nextEndOf(pane, from);
    while (end !== null) {
      if (!this.#sorterOf(end).offer(batch)) return false;
      this.#partEnd = end;
      end = this.#panes.nextEndOf(pane, end);
    }
    this.#partEnd = Number.NEGATIVE_INFINITY;
    parts.shift();
    batch.release();
    return true;
  }

  #isOver(localEnd: number): boolean {
    return this.#clock.instantOf(localEnd) <= this.#watermark;
  }

  #sorterOf(end: number): ExternalSorter {
    const found = this.#windows.get(end);
    if (found !== undefined) return found;
    const { keys, column: time, input: schema } = this.#options;
    const { spill } = this.#context;
    const prefix = `${spill.prefix}w${this.#madeCount++}`;
    const own = { ...spill, prefix, share: spill.share.part(windowPart) };
    const columns = [...keys.map(({ column }) => column), ...(time === null ? [] : [time])];
    const order = columns.map((column) => ascending(column));
    const sorter = new ExternalSorter({ ...this.#context, spill: own }, { schema, order });
    this.#windows.set(end, sorter);
    return sorter;
  }

  /** The end of the first window that is complete; null when none is. */
  #nextWindow(timeMs: number): number | null {
    const first = Math.min(...this.#windows.keys());
    return this.#windows.size > 0 && this.#clock.instantOf(first) <= timeMs ? first : null;
  }

  /** Calls the function for all keys of a window; false asks to be called again. */
  #call(end: number, outbox: Outbox): boolean {
    const sorter = this.#windows.get(end);
    assert(sorter !== undefined, 'a window that is complete is open');
    if (!this.#output.flush(outbox)) return false;
    while (!this.#isArranged) {
      this.#isArranged = sorter.arrange();
      if (!this.#isArranged && this.#context.shouldYield()) return false;
    }
    for (;;) {
      const outcome = this.#driver.run(this.#pacer.rows);
      if (outcome === 'done') break;
      if (outcome === 'full') {
        this.#output.cut();
        if (!this.#output.flush(outbox)) return false;
      }
      if (this.#pacer.isOver()) return false;
    }
    this.#windows.delete(end);
    sorter.close();
    this.#window = null;
    this.#isArranged = false;
    return true;
  }

  #nextBatch(): Batch | null {
    return this.#windows.get(this.#window ?? 0)?.next() ?? null;
  }

  /** Infinite for the one window of all time. */
  #bounds(): readonly [start: number, end: number] {
    const end = this.#window ?? 0;
    const [start, until] = [this.#panes.startOf(end), end].map((bound) => {
      return Number.isFinite(bound) ? this.#clock.instantOf(bound) : bound;
    });
    return [start ?? 0, until ?? 0];
  }
}
