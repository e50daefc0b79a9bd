/**
 * The build side of one join of a chain: read to its end and given to the operator.
 *
 *     build gate ─▶ operator.build … buildEnded
 *
 * Before: engine/task/build-phase.ts · After: engine/operators/hash-join-operator.ts
 */
import type { Batch } from '../batch/batch.ts';
import type { JoinOperator } from '../operators/operator.ts';
import { type ElementReader, isMark } from '../stream/stream-element.ts';
import type { TaskMetrics } from './task-metrics.ts';

export interface BuildSideOptions {
  readonly operator: JoinOperator;
  readonly gate: ElementReader;
  readonly metrics: TaskMetrics;
  /** Of the operator in the metrics. */
  readonly index: number;
}

export class BuildSide {
  readonly #options: BuildSideOptions;
  /** The batch that the operator has not finished, and its next row. */
  #batch: Batch | null = null;
  #row = 0;
  #hasEnded = false;
  #isDone = false;

  constructor(options: BuildSideOptions) {
    this.#options = options;
  }

  /** Whether the operator has all of it. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /** Works for a moment: one batch, or one slice of the operator's. */
  step(): 'busy' | 'waiting' | 'failed' {
    const { operator, gate, metrics, index } = this.#options;
    const before = metrics.enter(index, this.#row);
    try {
      if (this.#batch !== null) {
        this.#build(this.#batch);
      } else if (this.#hasEnded) {
        this.#isDone = operator.buildEnded();
      } else {
        const element = gate.read();
        if (typeof element === 'string' && element !== 'end') return element;
        if (element === 'end') this.#hasEnded = true;
        else if (!isMark(element)) this.#batch = element; // Its end is all that is waited for.
      }
      return 'busy';
    } finally {
      metrics.leave(before);
    }
  }

  close(): void {
    this.#batch?.release();
    this.#options.gate.close();
  }

  #build(batch: Batch): void {
    const { operator, metrics, index } = this.#options;
    const next = operator.build(batch, this.#row);
    metrics.addRowsIn(index, next - this.#row);
    this.#row = next;
    if (next < batch.rowCount) return;
    this.#batch = null;
    this.#row = 0;
    batch.release();
  }
}
