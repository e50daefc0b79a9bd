/**
 * Ordered aggregates by windows: keeps the rows of a window of event time, sorted by keys and an order, and gives out
 * a row for each group when the watermark has passed the window's end. For what no panes can be merged of: texts
 * joined in an order, the first by an order, quantiles.
 *
 *     rows ─▶ an ordered aggregate for each window ──watermark──▶ its groups, with the window's bounds in front
 *
 * Each is an operator of its own (engine/operators/analytic/ordered-aggregate-operator.ts), whose input ends where the
 * window does. Its sorter puts rows on disk where its part of the memory is full.
 *
 * Invariants:
 * - A row is in all of its windows, or put aside as late.
 * - Groups of a window are out before the watermark that completed it goes on.
 */
import type { Batch } from '../../batch/batch.ts';
import type { SnapshotReader, SnapshotWriter } from '../../contracts/snapshot.ts';
import { hasBounds } from '../../plan/window-spec.ts';
import {
  OrderedAggregateOperator,
  type OrderedAggregateOptions,
} from '../analytic/ordered-aggregate-operator.ts';
import type { IdleAnswer, Operator, OperatorContext, Outbox } from '../operator.ts';
import { OpenWindows } from './open-windows.ts';
import { withBounds } from './window-bounds.ts';
import { WindowRows, type WindowRowsOptions } from './window-rows.ts';
import { WindowRowsSnapshot } from './window-rows-snapshot.ts';

/** The output has the window's bounds, where it has some, then keys and results. */
export type OrderedWindowOptions = OrderedAggregateOptions & WindowRowsOptions;

export class OrderedWindowOperator implements Operator {
  readonly #context: OperatorContext;
  readonly #options: OrderedWindowOptions;
  readonly #rows: WindowRows;
  readonly #windows: OpenWindows<OrderedAggregateOperator>;
  readonly #snapshot: WindowRowsSnapshot;
  /** The end of the window that is given out. */
  #window: number | null = null;

  constructor(context: OperatorContext, options: OrderedWindowOptions) {
    const { output, keys, aggregates } = options;
    const fieldCount = keys.length + aggregates.length;
    this.#context = context;
    this.#options = options;
    this.#rows = new WindowRows(context, options);
    // What comes out of one window.
    const groups = { fields: output.fields.slice(output.fields.length - fieldCount) };
    this.#windows = new OpenWindows(context, (own) => {
      return new OrderedAggregateOperator(own, { ...options, output: groups });
    });
    const { input } = options;
    this.#snapshot = new WindowRowsSnapshot(context, {
      ...{ input, keys, rows: this.#rows, windows: () => this.#windows.byEnd },
      give: (end, rows) => this.#give(end, rows),
    });
  }

  /** Rows that came too late, or without a time, and are in no window. */
  get notedRows(): Readonly<Record<string, number>> {
    return { late: this.#rows.lateCount };
  }

  process(batch: Batch, fromRow: number): number {
    return this.#rows.process(batch, fromRow, (end, rows) => this.#give(end, rows));
  }

  advance(timeMs: number, outbox: Outbox): boolean {
    for (;;) {
      this.#window ??= this.#rows.completeAt(timeMs, this.#windows.byEnd);
      if (this.#window === null) break;
      if (!this.#giveOut(this.#window, outbox)) return false;
      this.#window = null;
      if (this.#context.shouldYield()) return false;
    }
    this.#rows.advanceTo(timeMs);
    return true;
  }

  idle(): IdleAnswer {
    return this.#windows.idle();
  }

  snapshot(writer: SnapshotWriter): boolean {
    return this.#snapshot.write(writer);
  }

  restore(reader: SnapshotReader): boolean {
    return this.#snapshot.restore(reader);
  }

  finish(outbox: Outbox): boolean {
    return this.advance(Number.POSITIVE_INFINITY, outbox);
  }

  close(): void {
    this.#snapshot.close();
    this.#windows.close();
    this.#rows.close();
  }

  #give(end: number, rows: Batch): boolean {
    return this.#windows.of(end).process(rows, 0) === rows.rowCount;
  }

  /** The groups of a window that is complete; false asks to be called again. */
  #giveOut(end: number, outbox: Outbox): boolean {
    const window = this.#windows.complete(end);
    const bounds = this.#rows.boundsOf(end);
    if (!window.finish({ offer: (batch) => this.#offer(batch, bounds, outbox) })) return false;
    this.#windows.drop(end);
    this.#context.gaveWindow?.(bounds[1]);
    return true;
  }

  #offer(batch: Batch, bounds: readonly number[], outbox: Outbox): boolean {
    const { scope } = this.#context;
    const { window, output } = this.#options;
    const given = withBounds(scope, batch.retain(), hasBounds(window) ? bounds : [], output);
    let isTaken = false;
    try {
      isTaken = outbox.offer(given);
    } finally {
      if (!isTaken) given.release();
    }
    if (isTaken) batch.release();
    return isTaken;
  }
}
