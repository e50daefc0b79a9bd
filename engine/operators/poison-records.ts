/**
 * Poison records: records on which a user's function throws whenever it is called with them. Where the
 * record's source has an output for dead letters they go there, as rows of `deadLetterSchema`, and the
 * function goes on with the next record.
 *
 *     function throws ─▶ called again, 4 times ─▶ a result: as if nothing had been
 *                                              └▶ throws each time: a dead letter
 * @see engine/compile/driver-helper.ts, docs/design/005-graphs.md
 */
import { BatchBuilder } from '../batch/batch-builder.ts';
import type { PoisonLetter } from '../compile/driver-helper.ts';
import { deadLetterSchema } from '../contracts/dead-letters.ts';
import { BuiltBatches } from './built-batches.ts';
import type { OperatorContext, Outbox } from './operator.ts';

export class PoisonRecords {
  readonly #outbox: Outbox;
  readonly #builder: BatchBuilder;
  readonly #letters: BuiltBatches;

  constructor({ scope }: Pick<OperatorContext, 'scope'>, outbox: Outbox) {
    this.#outbox = outbox;
    this.#builder = new BatchBuilder(scope, deadLetterSchema);
    this.#letters = new BuiltBatches(this.#builder);
  }

  add({ origin, reason, text }: PoisonLetter): void {
    this.#builder.appendRow([origin, reason, text, null]);
    if (this.#builder.isFull) this.#letters.cut();
  }

  /** Offers full batches; false while the outbox is full: nothing more should be read then. */
  flush(): boolean {
    return this.#letters.flush(this.#outbox);
  }

  /** Gives out the rest; false asks to be called again. */
  finish(): boolean {
    return this.#letters.finish(this.#outbox);
  }

  close(): void {
    this.#letters.close();
  }
}

/** Null where the record's source has no output for dead letters: the first poison record ends the job. */
export function poisonRecordsOf(context: OperatorContext): PoisonRecords | null {
  const { deadLetters = null } = context;
  return deadLetters === null ? null : new PoisonRecords(context, deadLetters);
}
