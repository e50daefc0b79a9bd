/**
 * Window function: keeps all rows of windows of event time, and calls a user's function for each window and key when
 * the watermark has passed the window's end.
 *
 *     rows ─▶ a sorter for each window ──watermark──▶ by key and time ─▶ the function ─▶ its rows
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
import { fieldIndexOf, type Schema } from '../../schema/schema.ts';
import { ascending } from '../../stream/row-order.ts';
import { BuiltBatches } from '../built-batches.ts';
import { ExternalSorter } from '../external-sorter.ts';
import type { IdleAnswer, Operator, OperatorContext, Outbox } from '../operator.ts';
import { RowPacer } from '../row-pacer.ts';
import { WindowRows, type WindowRowsOptions } from './window-rows.ts';

export interface WindowFunctionOptions extends WindowRowsOptions {
  /** Of the input, the user's rows; behind them are keys that are none of these. */
  readonly fieldCount: number;
  readonly output: Schema;
  readonly keys: readonly ProcessKey[];
  readonly process: (rows: Iterable<never>, window: never) => Iterable<unknown>;
}

/** Of the operator's share: what the rows of one window may hold. Two are open at a time, mostly. */
const windowPart = 1 / 4;

export class WindowFunctionOperator implements Operator {
  readonly #context: OperatorContext;
  readonly #options: WindowFunctionOptions;
  readonly #rows: WindowRows;
  readonly #builder: BatchBuilder;
  readonly #output: BuiltBatches;
  readonly #driver: GroupDriver;
  readonly #pacer: RowPacer;
  /** Open windows, by their end. */
  readonly #windows = new Map<number, ExternalSorter>();
  #madeCount = 0;
  /** The end of the window that the function is called for. */
  #window: number | null = null;
  #isArranged = false;

  constructor(context: OperatorContext, options: WindowFunctionOptions) {
    const { scope, name } = context;
    const { input, output, keys, fieldCount } = options;
    this.#context = context;
    this.#options = options;
    this.#rows = new WindowRows(context, options);
    this.#pacer = new RowPacer(context.shouldYield);
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
      bounds: () => this.#rows.boundsOf(this.#window ?? 0),
      process: options.process,
    });
  }

  /** Rows that came too late, or without a time, and are in no window. */
  get notedRows(): Readonly<Record<string, number>> {
    return { late: this.#rows.lateCount };
  }

  process(batch: Batch, fromRow: number): number {
    return this.#rows.process(batch, fromRow, (end, rows) => this.#sorterOf(end).offer(rows));
  }

  advance(timeMs: number, outbox: Outbox): boolean {
    for (;;) {
      this.#window ??= this.#rows.completeAt(timeMs, this.#windows);
      if (this.#window === null) break;
      if (!this.#call(this.#window, outbox)) return false;
    }
    if (!this.#output.finish(outbox)) return false;
    this.#rows.advanceTo(timeMs);
    return true;
  }

  idle(): IdleAnswer {
    return this.#windows.size === 0 ? 'pass' : 'hold';
  }

  finish(outbox: Outbox): boolean {
    return this.advance(Number.POSITIVE_INFINITY, outbox);
  }

  close(): void {
    this.#driver.close();
    this.#output.close();
    for (const sorter of this.#windows.values()) sorter.close();
    this.#windows.clear();
    this.#rows.close();
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
}
