/**
 * Task metrics: what a task is doing, in shared memory, so that another thread can look at it while
 * the task is busy, or stuck in a user's function.
 *
 *     double  0  state           index in `taskStates`
 *             1  operator        index in the chain of who runs now; -1 between runs; the chain's
 *                                length is the output (partitioning and encoding)
 *             2  row             first row of the batch that it works on
 *             3  sinceMs         when it began with that, by the thread's monotonic clock
 *             4  bytesIn         bytes of input read by a source
 *             5  skippedRows     what the source left out: rows, row groups, pages
 *             8  operator 0      rowsIn, rowsOut, busyMs, bytesSpilled
 *            12  operator 1      …          and, last, the output
 *
 * Busy time is an operator's own: while it is inside the next one's call, the next one's clock runs.
 * A double of 8 bytes at an aligned address is read and written whole; values of one task may be of
 * slightly different moments (not synchronised: they are for people to look at).
 */
import type { Skipped } from '../contracts/source.ts';
import { type TaskState, taskStates } from './task-state.ts';

/** Index of each double. */
const taskMetricsLayout = {
  state: 0,
  operator: 1,
  row: 2,
  sinceMs: 3,
  bytesIn: 4,
  skippedRows: 5,
  skippedRowGroups: 6,
  skippedPages: 7,
  operators: 8,
  /** Doubles per operator, and the index of each among them. */
  operatorStride: 4,
  rowsIn: 0,
  rowsOut: 1,
  busyMs: 2,
  bytesSpilled: 3,
} as const;

const layout = taskMetricsLayout;

/** Bytes of shared memory for a chain of `operatorCount` operators. */
export function taskMetricsBytes(operatorCount: number): number {
  return (layout.operators + (operatorCount + 1) * layout.operatorStride) * 8;
}

export interface OperatorMetrics {
  readonly rowsIn: number;
  readonly rowsOut: number;
  readonly busyMs: number;
  /** Bytes put into spill files. */
  readonly bytesSpilled: number;
}

export interface TaskMetricsSnapshot {
  readonly state: TaskState;
  readonly operator: number;
  readonly row: number;
  readonly sinceMs: number;
  readonly bytesIn: number;
  readonly skipped: Skipped;
  /** One per operator of the chain. */
  readonly operators: readonly OperatorMetrics[];
  readonly output: OperatorMetrics;
}

/** What a source counts itself. */
export interface SourceCounters {
  readonly bytesRead: number;
  readonly skipped: Skipped | null;
}

/** Reads what a task has published. */
export function readTaskMetrics(buffer: ArrayBufferLike): TaskMetricsSnapshot {
  const values = new Float64Array(buffer);
  const at = (index: number) => values[index] ?? 0;
  const operators: OperatorMetrics[] = [];
  for (let start = layout.operators; start < values.length; start += layout.operatorStride) {
    operators.push({
      rowsIn: at(start + layout.rowsIn),
      rowsOut: at(start + layout.rowsOut),
      busyMs: at(start + layout.busyMs),
      bytesSpilled: at(start + layout.bytesSpilled),
    });
  }
  const output = operators.pop() ?? { rowsIn: 0, rowsOut: 0, busyMs: 0, bytesSpilled: 0 };
  return {
    state: taskStates[at(layout.state)] ?? 'created',
    operator: at(layout.operator),
    row: at(layout.row),
    sinceMs: at(layout.sinceMs),
    bytesIn: at(layout.bytesIn),
    skipped: {
      rows: at(layout.skippedRows),
      rowGroups: at(layout.skippedRowGroups),
      pages: at(layout.skippedPages),
    },
    operators,
    output,
  };
}

/** The writing side: counters, and a stopwatch that knows whose time it is. */
export class TaskMetrics {
  readonly #values: Float64Array;
  readonly #mono: () => number;
  #current = -1;
  #since = 0;

  /** @param buffer - Of `taskMetricsBytes`, zeroed. */
  constructor(buffer: ArrayBufferLike, mono: () => number) {
    this.#values = new Float64Array(buffer);
    this.#mono = mono;
    this.#values[layout.operator] = -1;
  }

  setState(state: TaskState): void {
    this.#values[layout.state] = taskStates.indexOf(state);
  }

  setSource({ bytesRead, skipped }: SourceCounters): void {
    this.#values[layout.bytesIn] = bytesRead;
    if (skipped === null) return;
    this.#values[layout.skippedRows] = skipped.rows;
    this.#values[layout.skippedRowGroups] = skipped.rowGroups;
    this.#values[layout.skippedPages] = skipped.pages;
  }

  addRowsIn(operator: number, rows: number): void {
    this.#add(operator, layout.rowsIn, rows);
  }

  addRowsOut(operator: number, rows: number): void {
    this.#add(operator, layout.rowsOut, rows);
  }

  addBytesSpilled(operator: number, bytes: number): void {
    this.#add(operator, layout.bytesSpilled, bytes);
  }

  /** The operator starts; answers whose time it was, for `leave`. */
  enter(operator: number, row: number): number {
    const before = this.#current;
    this.#switchTo(operator);
    this.#values[layout.row] = row;
    return before;
  }

  /** The operator is back; `before` goes on. */
  leave(before: number): void {
    this.#switchTo(before);
  }

  #switchTo(operator: number): void {
    const now = this.#mono();
    if (this.#current >= 0) this.#add(this.#current, layout.busyMs, now - this.#since);
    this.#current = operator;
    this.#since = now;
    this.#values[layout.operator] = operator;
    this.#values[layout.sinceMs] = now;
  }

  #add(operator: number, counter: number, value: number): void {
    const index = layout.operators + operator * layout.operatorStride + counter;
    this.#values[index] = (this.#values[index] ?? 0) + value;
  }
}
