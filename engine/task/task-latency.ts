/**
 * Task latency: how long rows take to each operator of a task, and windows to come out, in shared memory, so that the
 * figures are there while the task runs and after it was cancelled.
 *
 *     operator 0   histogram of latency marks      from when rows were due at the source until all of them had been worked
 *                  histogram of windows            from when event time came to a window's end until it was given out
 *     operator 1   …
 *
 * When event time came to an end, lies between two watermarks: their clocks say when it came to each, and it went on
 * evenly between them (`EventClock`).
 *
 * A mark passes rows that an operator holds (in windows, joins, lookups); what these add is in the second histogram.
 * Before: engine/task/mark-passage.ts. After: base/latency-histogram.ts.
 */
import {
  type CellCounts,
  countsOf,
  histogramCells,
  LatencyHistogram,
} from '../../base/latency-histogram.ts';
import type { EventClock, LatencyMark, Watermark } from '../stream/stream-element.ts';

/** What an operator has counted; the cells of histograms. */
export interface OperatorLatency {
  readonly rows: CellCounts;
  readonly windows: CellCounts;
}

const histogramsPerOperator = 2;
const histogramBytes = histogramCells * 8;
/** Rows of a mark are counted as so many groups at most. */
const groupsMax = 16;

/** Bytes of shared memory for a chain of `operatorCount` operators. */
export function taskLatencyBytes(operatorCount: number): number {
  return operatorCount * histogramsPerOperator * histogramBytes;
}

/** What a task has measured, by place in its chain. */
export function readTaskLatency(buffer: ArrayBufferLike): OperatorLatency[] {
  const count = buffer.byteLength / (histogramsPerOperator * histogramBytes);
  return Array.from({ length: count }, (_, operator) => ({
    rows: countsOf(cellsOf(buffer, operator * histogramsPerOperator)),
    windows: countsOf(cellsOf(buffer, operator * histogramsPerOperator + 1)),
  }));
}

/** How event time came to an operator last. */
interface Advance {
  readonly timeMs: number;
  /** The watermark before. */
  readonly beforeMs: number;
  readonly clock: EventClock;
}

/** The writing side. Operators are named by their place in the chain. */
export class TaskLatency {
  readonly #mono: () => number;
  readonly #rows: LatencyHistogram[] = [];
  readonly #windows: LatencyHistogram[] = [];
  readonly #advances: (Advance | null)[] = [];

  /** @param buffer - Of `taskLatencyBytes`, zeroed. */
  constructor(buffer: ArrayBufferLike, mono: () => number) {
    this.#mono = mono;
    const count = buffer.byteLength / (histogramsPerOperator * histogramBytes);
    for (let operator = 0; operator < count; operator++) {
      const first = operator * histogramsPerOperator;
      this.#rows.push(new LatencyHistogram(cellsOf(buffer, first)));
      this.#windows.push(new LatencyHistogram(cellsOf(buffer, first + 1)));
    }
  }

  /** The operator has worked on all rows before the mark. */
  passed(operator: number, { fromMs, toMs, count }: LatencyMark): void {
    const nowMs = this.#mono();
    const groups = Math.min(count, groupsMax);
    const stepMs = groups > 1 ? (toMs - fromMs) / (groups - 1) : 0;
    for (let group = 0; group < groups; group++) {
      this.#rows[operator]?.record(nowMs - fromMs - group * stepMs, count / groups);
    }
  }

  /** A watermark comes to the operator, which may give out windows for it; the one before was at `beforeMs`. */
  advancing(operator: number, { timeMs, clock }: Watermark, beforeMs: number): void {
    this.#advances[operator] = clock === undefined ? null : { timeMs, beforeMs, clock };
  }

  /** The operator has given out a window for the watermark; what it gives out again, or early, is not counted. */
  gaveWindow(operator: number, endMs: number): void {
    const advance = this.#advances[operator] ?? null;
    if (advance === null || endMs <= advance.beforeMs || endMs > advance.timeMs) return;
    const { atMs, perMs } = advance.clock;
    const cameAtMs = atMs - (advance.timeMs - endMs) * perMs;
    this.#windows[operator]?.record(this.#mono() - cameAtMs);
  }
}

function cellsOf(buffer: ArrayBufferLike, histogram: number): Float64Array {
  return new Float64Array(buffer, histogram * histogramBytes, histogramCells);
}
