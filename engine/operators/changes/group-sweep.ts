/**
 * Group sweep: the groups that are to stay, in a new table, a slice at a time.
 *
 *     old table ─▶ keys, parts, touched ─▶ those with rows, touched since ─▶ new table
 *
 * Why a new table: slots of an open table can't be emptied alone, and texts that were replaced lie in its arena for
 * ever. What is swept costs a pass over all groups, so it is done when half of a time to live is over, or half of
 * the groups are gone.
 */
import { assert } from '../../../base/assert.ts';
import type { Batch } from '../../batch/batch.ts';
import type { GroupTable } from '../../kernels/group-table.ts';
import type { GroupTableParts } from './group-table-parts.ts';

export class GroupSweep {
  readonly #parts: GroupTableParts;
  readonly #from: GroupTable;
  readonly #to: GroupTable;
  readonly #sinceMs: number;
  #slot = 0;
  #batch: Batch | null = null;
  #row = 0;

  /** @param sinceMs - Groups that were touched before are left out. */
  constructor(parts: GroupTableParts, from: GroupTable, sinceMs: number) {
    this.#parts = parts;
    this.#from = from;
    this.#to = parts.newTable();
    this.#sinceMs = sinceMs;
  }

  /** Does a slice; the new table when all is in it, whose owner closes the old one; null asks to be called again. */
  step(): GroupTable | null {
    if (this.#to.isGrowing) this.#to.grow();
    else if (this.#batch !== null) this.#add(this.#batch);
    else if (this.#slot < this.#from.slotCount) this.#read();
    else return this.#to;
    return null;
  }

  /** Only where the new table is not taken over. */
  close(): void {
    this.#batch?.release();
    this.#batch = null;
    this.#to.close();
  }

  #read(): void {
    const { batch, next } = this.#parts.read(this.#from, this.#slot);
    this.#slot = next ?? this.#from.slotCount;
    if (batch === null) return;
    this.#batch = this.#parts.staying(batch, this.#sinceMs);
    this.#row = 0;
  }

  #add(batch: Batch): void {
    const touched = batch.columns.at(-1);
    assert(touched !== undefined, 'the last column is the time of the last touch');
    this.#row = this.#to.addRows(this.#parts.rowsOf(batch, touched), this.#row);
    if (this.#row < batch.rowCount) return;
    batch.release();
    this.#batch = null;
  }
}
