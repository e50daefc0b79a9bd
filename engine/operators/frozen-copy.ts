/**
 * Frozen copy: rows that are copied at a barrier, a slice at a time, from whatever walks through them.
 *
 *     snapshot ─▶ freeze ─▶ null, null, … ─▶ frozen rows         the barrier waits for them
 *
 * Before: engine/operators/frozen-rows.ts.
 */
import type { Batch } from '../batch/batch.ts';
import type { Schema } from '../schema/schema.ts';
import { FrozenRows } from './frozen-rows.ts';
import type { OperatorContext } from './operator.ts';

export class FrozenCopy {
  readonly #context: OperatorContext;
  readonly #schema: Schema;
  readonly #all: () => Generator<Batch, void>;
  #frozen: FrozenRows | null = null;
  #copying: Generator<Batch, void> | null = null;

  /** @param all - Walks through all rows, in the form of `schema`; batches are the caller's. */
  constructor(context: OperatorContext, schema: Schema, all: () => Generator<Batch, void>) {
    this.#context = context;
    this.#schema = schema;
    this.#all = all;
  }

  /** All rows; null asks to be called again, before anything changes. */
  freeze(): FrozenRows | null {
    this.#frozen ??= new FrozenRows(this.#context, this.#schema);
    this.#copying ??= this.#all();
    for (let step = this.#copying.next(); step.done !== true; step = this.#copying.next()) {
      const rows = step.value;
      try {
        this.#frozen.append(rows);
      } finally {
        rows.release();
      }
      if (this.#context.shouldYield()) return null;
    }
    const frozen = this.#frozen.seal();
    this.#frozen = null;
    this.#copying = null;
    return frozen;
  }

  close(): void {
    this.#copying?.return();
    this.#copying = null;
    this.#frozen?.close();
    this.#frozen = null;
  }
}
