/** Goal: rows, watermarks and the clock come to an operator as a case says, and again where it stops short. */
import { expect, test } from 'vitest';
import type { Batch } from '../../engine/batch/batch.ts';
import type { Operator, OperatorContext, Outbox } from '../../engine/operators/operator.ts';
import { fieldOf, type Schema } from '../../engine/schema/schema.ts';
import { batchOf, checkOperator, type Step } from './operator-harness.ts';

const schema: Schema = { fields: [fieldOf('n', { kind: 'int32' }, false)] };

/** Gives out how many rows it has got, at every mark, and rows of port 1 as late. */
class CountingOperator implements Operator {
  readonly #context: OperatorContext;
  #count = 0;
  #pending: Batch | null = null;
  #hasCounted = false;
  wakeAtMs = 50;

  constructor(context: OperatorContext) {
    this.#context = context;
  }

  process(batch: Batch, fromRow: number): number {
    const next = Math.min(fromRow + 1, batch.rowCount);
    this.#count += next - fromRow;
    return next;
  }

  processRight(batch: Batch, fromRow: number): number {
    batch.retain();
    if (this.#context.late?.offer(batch) === true) return batch.rowCount;
    batch.release();
    return fromRow;
  }

  advance(_: number, outbox: Outbox): boolean {
    return this.#give(outbox);
  }

  watermarkBehind(timeMs: number): number {
    return timeMs - 1;
  }

  wake(nowMs: number, outbox: Outbox): boolean {
    if (!this.#give(outbox)) return false;
    this.wakeAtMs = nowMs + 50;
    return true;
  }

  finish(outbox: Outbox): boolean {
    return this.#give(outbox);
  }

  close(): void {
    this.#pending?.release();
  }

  #give(outbox: Outbox): boolean {
    if (!this.#hasCounted) {
      const rows = [{ n: this.#count + (this.#context.nowMs?.() ?? 0) }];
      this.#pending = batchOf(this.#context.scope, schema, rows);
      this.#hasCounted = true;
    }
    if (this.#pending !== null && !outbox.offer(this.#pending)) return false;
    this.#pending = null;
    this.#hasCounted = false;
    return true;
  }
}

test('steps come in their order, in every mode', () => {
  const row: Step = { row: { n: 0 } };
  checkOperator({
    input: schema,
    rows: [{ n: 7 }],
    steps: [
      row,
      { watermark: 5 },
      { wake: 49 },
      row,
      { right: { n: 8 } },
      { right: { n: 9 } },
      { wake: 120 },
      { watermark: 6 },
    ],
    build: (context) => new CountingOperator(context),
    hasMarks: true,
    expected: [{ n: 2 }, { watermark: 4 }, { n: 123 }, { n: 123 }, { watermark: 5 }, { n: 123 }],
    expectedLate: [{ n: 8 }, { n: 9 }],
  });
});

test('a watermark that does not grow is a mistake of the case', () => {
  const build = (context: OperatorContext) => new CountingOperator(context);
  const steps = [{ watermark: 5 }, { watermark: 5 }];
  expect(() => checkOperator({ input: schema, steps, build, expected: [] })).toThrow(/grow/);
});
