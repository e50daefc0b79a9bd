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
import { addressOf } from '../../memory/slot-memory.ts';
import { readGroupBatch } from '../aggregate-results.ts';
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
    const { context, partsWithTouch: schema, partResults: results, givenKeys: keys } = this.#parts;
    const { scope, kernels } = context;
    const from = { scope, kernels, table: this.#from, keys, results, schema };
    const { batch, nextSlot } = readGroupBatch(from, this.#slot);
    this.#slot = nextSlot;
    if (batch === null) return;
    this.#batch = this.#staying(batch);
    this.#row = 0;
  }

  /** Takes the batch over. */
  #staying(batch: Batch): Batch | null {
    const { scope } = this.#parts.context;
    const { uint32 } = scope.memory;
    const [rows, touched] = batch.columns.slice(-2).map(({ values }) => values >>> 2);
    assert(rows !== undefined && touched !== undefined, 'counts and times are the last columns');
    const block = scope.allocate(batch.rowCount * 4);
    const selection = addressOf(block);
    let rowCount = 0;
    for (let row = 0; row < batch.rowCount; row++) {
      const [low, high] = [uint32[rows + row * 2] ?? 0, uint32[rows + row * 2 + 1] ?? 0];
      const at = row * 2 + touched;
      const touchedMs = (uint32[at + 1] ?? 0) * 2 ** 32 + (uint32[at] ?? 0);
      const stays = (low !== 0 || high !== 0) && touchedMs >= this.#sinceMs;
      if (stays) uint32[(selection >>> 2) + rowCount++] = row;
    }
    const kept = rowCount === 0 ? null : batch.derive({ rowCount, selection, blocks: [block] });
    if (kept === null) scope.memory.release(block);
    batch.release();
    return kept;
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
