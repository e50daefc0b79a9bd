/**
 * Operator chain: operators of one task, joined by direct calls.
 *
 *     offer ─▶ [link 0] operator 0 ─▶ [link 1] operator 1 ─▶ … ─▶ last outbox (exchange, or none)
 *
 * A link holds the one batch that its operator has not finished. `pump` goes from the last link to
 * the first, so that room made at the end is used by those before it. At the end of input operators
 * finish one after the other, each after what the one before gave out has gone through; a mark goes
 * from one to the next in the same way (engine/task/mark-passage.ts), but for a barrier that overtakes (engine/task/overtaking.ts).
 *
 * Every call is counted and timed for the operator that runs (engine/task/task-metrics.ts).
 * Before: engine/operators/source-operator.ts. After: engine/stream/outbox.ts.
 */
import { assert } from '../../base/assert.ts';
import type { Batch } from '../batch/batch.ts';
import type { Barrier } from '../checkpoint/barrier.ts';
import type { Operator } from '../operators/operator.ts';
import { ChainedOutbox, type Outbox } from '../stream/outbox.ts';
import type { StreamMark } from '../stream/stream-element.ts';
import { type Link, MarkPassage, type MarkRoute } from './mark-passage.ts';
import { Overtaking, type OvertakingRoute } from './overtaking.ts';

export interface OperatorChainOptions extends MarkRoute {
  /** How an unaligned barrier goes. @defaultValue there is none */
  readonly overtaking?: OvertakingRoute;
  readonly operators: readonly Operator[];
  /** Takes what the last operator gives out. */
  readonly last: Outbox;
  /** Index of the first operator in the metrics: 1 behind a source, else 0. */
  readonly firstIndex: number;
}

export class OperatorChain implements Outbox {
  readonly #links: readonly Link[];
  readonly #options: OperatorChainOptions;
  readonly #first: Outbox;
  readonly #marks: MarkPassage;
  readonly #overtaking: Overtaking | null;
  /** Operators that have finished. */
  #finishedCount = 0;

  constructor(options: OperatorChainOptions) {
    this.#options = options;
    const { operators, last, metrics, firstIndex } = options;
    const links: Link[] = [];
    let next = last;
    for (let place = operators.length - 1; place >= 0; place--) {
      const operator = operators[place];
      if (operator === undefined) continue;
      const index = firstIndex + place;
      const output = counting(next, (rows) => metrics.addRowsOut(index, rows));
      const input = new ChainedOutbox((batch, row) => this.#process(link, batch, row));
      const right = new ChainedOutbox((batch, row) => this.#processRight(link, batch, row));
      const inputs = operator.processRight === undefined ? [input] : [input, right];
      const link: Link = { operator, index, inputs, output };
      links.unshift(link);
      next = input;
    }
    this.#links = links;
    this.#first = next;
    this.#marks = new MarkPassage(links, {
      ...options,
      pumpBatches: () => this.#pumpBatches(),
    });
    const { overtaking } = options;
    const marks = this.#marks;
    this.#overtaking = overtaking ? new Overtaking(links, { ...overtaking, marks }) : null;
  }

  /** Whether no further input can change what comes out. */
  get hasEnough(): boolean {
    return this.#links.some(({ operator }) => operator.hasEnough === true);
  }

  /** Whether an operator can go on only after the doorbell has rung. */
  get isWaiting(): boolean {
    return this.#links.some(({ operator }) => operator.isWaiting === true);
  }

  /** When there is something to do though nothing comes in, by the clock; infinity for never. */
  get wakeAtMs(): number {
    return this.#marks.wakeAtMs;
  }

  /** How far event time has come at an operator; null for one that is not of the chain. */
  timeOf(operator: Operator): { readonly timeMs: number; readonly atMs: number } | null {
    const place = this.#links.findIndex((link) => link.operator === operator);
    return place < 0 ? null : this.#marks.givenAt(place);
  }

  /** @param port - The input of the vertex that the batch came in at. */
  offer(batch: Batch, port = 0): boolean {
    if (port === 0) return this.#first.offer(batch);
    const input = this.#links[0]?.inputs[port];
    assert(input !== undefined, 'a second stream is for the first operator of a chain');
    return input.offer(batch);
  }

  /** Sends a mark through, behind what was offered; to be called when `pump` has answered true. */
  offerMark(mark: StreamMark): void {
    this.#marks.begin(mark);
  }

  /** The barrier that is on its way through; null where none is. */
  get barrier(): Barrier | null {
    return this.#overtaking?.barrier ?? this.#marks.barrier;
  }

  /** Sends a barrier through ahead of what waits in the chain, and in the outputs. */
  overtake(barrier: Barrier): void {
    assert(this.#overtaking !== null, 'barriers come where there are checkpoints');
    // All that is left is in the outputs.
    const place = this.#finishedCount > 0 ? this.#links.length : 0;
    this.#overtaking.begin(barrier, place);
  }

  /** The barrier that is on its way in its turn waits no longer. */
  turnUnaligned(): void {
    const barrier = this.#marks.barrier;
    assert(this.#overtaking !== null && barrier !== null, 'a barrier is on its way, in its turn');
    const { timeoutMs: _, ...rest } = barrier;
    this.#overtaking.begin({ ...rest, mode: 'unaligned' }, this.#marks.takeBarrier());
  }

  /** Gives rows to the operator at a place, behind a restart; true when it has taken them. */
  offerAt(place: number, batch: Batch, port = 0): boolean {
    const input = this.#links[place]?.inputs[port];
    assert(input !== undefined, 'rows are for an operator of the chain');
    return input.offer(batch);
  }

  /** Sends a watermark through from a place on, behind a restart: operators in front of it have had it. */
  offerWatermarkAt(place: number, timeMs: number): void {
    this.#marks.promise(place, timeMs);
    this.#marks.begin({ kind: 'watermark', timeMs }, place);
  }

  /**
   * Goes on with batches that operators have not finished, then with marks; true when none is left.
   *
   * @param beginsMarks - Whether operators may begin marks of their own: not ahead of rows that come in behind them.
   * @defaultValue true
   */
  pump(beginsMarks = true): boolean {
    if (this.#overtaking?.step() === false) return false;
    if (!this.#pumpBatches()) return false;
    // Behind the end there are no marks: it stands for the last one.
    const { length } = this.#links;
    return (length > 0 && this.#finishedCount === length) || this.#marks.pump(beginsMarks);
  }

  /** The input has ended; true when all operators have finished. */
  finish(): boolean {
    const { metrics } = this.#options;
    for (;;) {
      if (!this.pump()) return false;
      const link = this.#links[this.#finishedCount];
      if (link === undefined) return true;
      const before = metrics.enter(link.index, 0);
      const isFinished = link.operator.finish(link.output);
      metrics.leave(before);
      if (!isFinished) return false;
      this.#finishedCount++;
    }
  }

  close(): void {
    for (const { inputs, operator } of this.#links) {
      for (const input of inputs) input.close();
      operator.close();
    }
  }

  #pumpBatches(): boolean {
    let isEmpty = true;
    for (let place = this.#links.length - 1; place >= 0; place--) {
      for (const input of this.#links[place]?.inputs ?? []) if (!input.pump()) isEmpty = false;
    }
    return isEmpty;
  }

  #process({ operator, index, output }: Link, batch: Batch, fromRow: number): number {
    const { metrics } = this.#options;
    const before = metrics.enter(index, fromRow);
    const nextRow = operator.process(batch, fromRow, output);
    metrics.leave(before);
    metrics.addRowsIn(index, nextRow - fromRow);
    return nextRow;
  }

  #processRight({ operator, index, output }: Link, batch: Batch, fromRow: number): number {
    const { metrics } = this.#options;
    const before = metrics.enter(index, fromRow);
    const nextRow = operator.processRight?.(batch, fromRow, output) ?? fromRow;
    metrics.leave(before);
    metrics.addRowsIn(index, nextRow - fromRow);
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
