/**
 * Row pacer: how many rows a user's function gets before the clock is looked at again.
 *
 * A look at the clock costs about as much as a fast function, and a slow function may take a
 * millisecond per row. So the count doubles while time is left and falls to one when a step has used
 * the slice up: a slow function is interrupted after a few rows, a fast one asks once in 1,024.
 */
const rowsMax = 1024;
const rowsAtFirst = 16;

export class RowPacer {
  readonly #shouldYield: () => boolean;
  #rows = rowsAtFirst;

  constructor(shouldYield: () => boolean) {
    this.#shouldYield = shouldYield;
  }

  /** Rows of the next step. */
  get rows(): number {
    return this.#rows;
  }

  /** To be called after a step: whether to stop now. */
  isOver(): boolean {
    const isOver = this.#shouldYield();
    this.#rows = isOver ? Math.max(1, this.#rows >>> 2) : Math.min(rowsMax, this.#rows * 2);
    return isOver;
  }
}
