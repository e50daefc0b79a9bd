/**
 * Operator chain: operators of one task, joined by direct calls.
 *
 *     offer ─▶ [link 0] operator 0 ─▶ [link 1] operator 1 ─▶ … ─▶ last outbox (exchange, or none)
 *
 * A link holds the one batch that its operator has not finished. `pump` goes from the last link to
 * the first, so that room made at the end is used by those before it. At the end of input operators
 * finish one after the other, each after what the one before gave out has gone through.
 *
 * Every call is counted and timed for the operator that runs (engine/task/task-metrics.ts).
 * Before: engine/operators/source-operator.ts. After: engine/stream/outbox.ts.
 */
import type { Batch } from '../batch/batch.ts';
import type { Operator } from '../operators/operator.ts';
import { ChainedOutbox, type Outbox } from '../stream/outbox.ts';
import type { TaskMetrics } from './task-metrics.ts';

export interface OperatorChainOptions {
  readonly operators: readonly Operator[];
  /** Takes what the last operator gives out. */
  readonly last: Outbox;
  readonly metrics: TaskMetrics;
  /** Index of the first operator in the metrics: 1 behind a source, else 0. */
  readonly firstIndex: number;
}

interface Link {
  readonly operator: Operator;
  readonly index: number;
  readonly input: ChainedOutbox;
  /** Where the operator's output goes. */
  readonly output: Outbox;
}

export class OperatorChain implements Outbox {
  readonly #links: readonly Link[];
  readonly #metrics: TaskMetrics;
  readonly #first: Outbox;
  /** Operators that have finished. */
  #finishedCount = 0;

  constructor({ operators, last, metrics, firstIndex }: OperatorChainOptions) {
    this.#metrics = metrics;
    const links: Link[] = [];
    let next = last;
    for (let place = operators.length - 1; place >= 0; place--) {
      const operator = operators[place];
      if (operator === undefined) continue;
      const index = firstIndex + place;
      const output = counting(next, (rows) => metrics.addRowsOut(index, rows));
      const input = new ChainedOutbox((batch, row) => this.#process(link, batch, row));
      const link: Link = { operator, index, input, output };
      links.unshift(link);
      next = input;
    }
    this.#links = links;
    this.#first = next;
  }

  /** Whether no further input can change what comes out. */
  get hasEnough(): boolean {
    return this.#links.some(({ operator }) => operator.hasEnough === true);
  }

  offer(batch: Batch): boolean {
    return this.#first.offer(batch);
  }

  /** Goes on with batches that operators have not finished; true when none is left. */
  pump(): boolean {
    let isEmpty = true;
    for (let place = this.#links.length - 1; place >= 0; place--) {
      if (this.#links[place]?.input.pump() === false) isEmpty = false;
    }
    return isEmpty;
  }

  /** The input has ended; true when all operators have finished. */
  finish(): boolean {
    for (;;) {
      if (!this.pump()) return false;
      const link = this.#links[this.#finishedCount];
      if (link === undefined) return true;
      const before = this.#metrics.enter(link.index, 0);
      const isFinished = link.operator.finish(link.output);
      this.#metrics.leave(before);
      if (!isFinished) return false;
      this.#finishedCount++;
    }
  }

  close(): void {
    for (const { input, operator } of this.#links) {
      input.close();
      operator.close();
    }
  }

  #process({ operator, index, output }: Link, batch: Batch, fromRow: number): number {
    const before = this.#metrics.enter(index, fromRow);
    const nextRow = operator.process(batch, fromRow, output);
    this.#metrics.leave(before);
    this.#metrics.addRowsIn(index, nextRow - fromRow);
    return nextRow;
  }
}

/** An outbox that reports the rows it has passed on. */
function counting(next: Outbox, addRows: (rows: number) => void): Outbox {
  return {
    offer(batch) {
      const { rowCount } = batch;
      if (!next.offer(batch)) return false;
      addRows(rowCount);
      return true;
    },
  };
}
