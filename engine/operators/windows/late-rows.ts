/**
 * Late rows: those whose windows have all been given out, and those without a time. They are counted, and go to
 * the late output where there is one; a row without a time ends the job unless it is told to go there too.
 */
import { typedError } from '../../../base/typed-error.ts';
import type { Batch } from '../../batch/batch.ts';
import type { OperatorContext } from '../operator.ts';

export class LateRows {
  readonly #context: OperatorContext;
  #count = 0;

  constructor(context: OperatorContext) {
    this.#context = context;
  }

  /** Rows that came too late, or had no time. */
  get count(): number {
    return this.#count;
  }

  /** So many more came before. */
  goOn(count: number): void {
    this.#count += count;
  }

  /** Takes the batch over when it answers true; false asks to be called again. */
  offer(batch: Batch): boolean {
    const { late = null } = this.#context;
    const { rowCount } = batch;
    if (late === null) batch.release();
    else if (!late.offer(batch)) return false;
    this.#count += rowCount;
    return true;
  }
}

/** What a row without a time ends the job with. */
export function eventTimeMissing(operator: string, column: string): Error {
  const message = `"${column}", the event time of operator "${operator}", is null`;
  return typedError('EVENT_TIME_MISSING', message, {
    details: { operator, column },
    hint: `Keep such rows out with where((row) => row.${column}.isNotNull()), or give them a time.`,
  });
}
