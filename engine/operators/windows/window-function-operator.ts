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
import type { Batch } from '../../batch/batch.ts';
import { windowDriver } from '../../compile/window-driver.ts';
import type { SnapshotReader, SnapshotWriter } from '../../contracts/snapshot.ts';
import type { ProcessKey } from '../../plan/state-spec.ts';
import { fieldIndexOf, type Schema } from '../../schema/schema.ts';
import { ascending } from '../../stream/row-order.ts';
import { ExternalSorter } from '../external-sorter.ts';
import { type GatheredPairs, GroupRunner } from '../group-runner.ts';
import type { IdleAnswer, Operator, OperatorContext, Outbox } from '../operator.ts';
import { OpenWindows } from './open-windows.ts';
import { WindowRows, type WindowRowsOptions } from './window-rows.ts';
import { WindowRowsSnapshot } from './window-rows-snapshot.ts';

export interface WindowFunctionOptions extends WindowRowsOptions {
  /** Of the input, the user's rows; behind them are keys that are none of these. */
  readonly fieldCount: number;
  readonly output: Schema;
  readonly keys: readonly ProcessKey[];
  readonly process: (rows: Iterable<never>, window: never) => Iterable<unknown>;
}

export class WindowFunctionOperator implements Operator {
  readonly #rows: WindowRows;
  readonly #windows: OpenWindows<ExternalSorter>;
  readonly #runner: GroupRunner;
  readonly #snapshot: WindowRowsSnapshot;
  /** The end of the window that the function is called for. */
  #window: number | null = null;

  constructor(context: OperatorContext, options: WindowFunctionOptions) {
    const { input, output, keys, fieldCount, process } = options;
    this.#rows = new WindowRows(context, options);
    this.#windows = new OpenWindows(context, (own) => sorterOf(own, options));
    this.#snapshot = new WindowRowsSnapshot(context, {
      ...{
        input,
        keys: keys.map(({ column }) => column),
        rows: this.#rows,
        windows: () => this.#windows.byEnd,
      },
      give: (end, rows) => this.#windows.of(end).offer(rows),
    });
    const places = keys.map(({ name, column }) => ({ name, place: fieldIndexOf(input, column) }));
    this.#runner = new GroupRunner(context, {
      ...{ pairs: input, output, gathered: this.#gathered() },
      driver: ({ operator, memory, builder }) =>
        windowDriver({
          ...{ operator, memory, input, fieldCount, output, builder, keys: places, process },
          nextBatch: () => this.#windows.byEnd.get(this.#window ?? 0)?.next() ?? null,
          bounds: () => this.#rows.boundsOf(this.#window ?? 0),
        }),
    });
  }

  /** Rows that came too late, or without a time, and are in no window. */
  get notedRows(): Readonly<Record<string, number>> {
    return { late: this.#rows.lateCount };
  }

  process(batch: Batch, fromRow: number): number {
    return this.#rows.process(batch, fromRow, (end, rows) => this.#windows.of(end).offer(rows));
  }

  advance(timeMs: number, outbox: Outbox): boolean {
    for (;;) {
      this.#window ??= this.#rows.completeAt(timeMs, this.#windows.byEnd);
      if (this.#window === null) break;
      if (!this.#runner.drain(outbox)) return false;
    }
    if (!this.#runner.finish(outbox)) return false;
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
    this.#runner.close();
    this.#rows.close();
  }

  /** The rows of the window that the function is called for. */
  #gathered(): GatheredPairs {
    return {
      arrange: () => this.#windows.complete(this.#window ?? 0).arrange(),
      clear: () => {
        this.#windows.drop(this.#window ?? 0);
        this.#window = null;
      },
      close: () => this.#windows.close(),
    };
  }
}

/** By keys, then by time. */
function sorterOf(
  context: OperatorContext,
  { keys, column: time, input: schema }: WindowFunctionOptions,
): ExternalSorter {
  const columns = [...keys.map(({ column }) => column), ...(time === null ? [] : [time])];
  return new ExternalSorter(context, { schema, order: columns.map((column) => ascending(column)) });
}
