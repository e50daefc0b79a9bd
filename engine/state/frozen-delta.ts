/** Frozen delta: entries that nobody writes to any more. It lasts as long as somebody needs it: its memory is given back then. */
import type { EntryTable } from './entry-table.ts';

export class FrozenDelta {
  readonly table: EntryTable;
  #holders = 1;

  /** @param table - Taken over; whoever makes the delta holds it. */
  constructor(table: EntryTable) {
    this.table = table;
  }

  hold(): this {
    this.#holders++;
    return this;
  }

  release(): void {
    if (--this.#holders === 0) this.table.clear();
  }
}
