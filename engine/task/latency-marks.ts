/**
 * Latency marks of a source: what goes through the graph behind rows, to be measured where it arrives.
 *
 *     rows that are due at a time (`--rate`)   a mark behind each batch, from when its first row was due to its last
 *     others                                   a mark behind a batch now and then, from when it was read
 *
 * Paced rows are measured from their schedule, however late they were read: a source that is held up would else hide
 * just the delays that it is held up by (coordinated omission).
 * Before: engine/operators/source-operator.ts. After: engine/task/mark-passage.ts.
 */
import type { TaskSource } from '../operators/source-operator.ts';
import type { LatencyMark } from '../stream/stream-element.ts';

export class LatencyMarks {
  readonly #intervalMs: number;
  #nextAtMs = Number.NEGATIVE_INFINITY;
  #rowCount = 0;

  /** @param intervalMs - Between marks of rows that are due at no time. */
  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  /**
   * The mark that goes behind what the source has just given out; null for none.
   *
   * @param readMs - The clock, before the source read that.
   */
  next(
    { rowCount, due }: Pick<TaskSource, 'rowCount' | 'due'>,
    readMs: number,
  ): LatencyMark | null {
    const count = rowCount - this.#rowCount;
    this.#rowCount = rowCount;
    if (count === 0) return null;
    if (due !== null) return { kind: 'latency', ...due, count };
    if (readMs < this.#nextAtMs) return null;
    this.#nextAtMs = readMs + this.#intervalMs;
    return { kind: 'latency', fromMs: readMs, toMs: readMs, count: 1 };
  }
}
