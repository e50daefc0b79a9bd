/**
 * The kernels of keyed state as TypeScript sees them. Conventions: engine/kernels/kernels.ts; entries, and slots of 8 bytes (hash,
 * record / 8; 0: empty): engine/state/entry-record.ts, engine/state/entry-table.ts.
 */

/** Entries of a table's key group, many at a time. Records are given and listed as u32 addresses / 8. */
export interface EntryKernels {
  /**
   * Lists the records of `steps` slots, in an order that is not that of their hashes: step s is slot s * 0x9e3779b1.
   * @param out - Room for one more than there are steps.
   * @returns How many there are.
   */
  listEntries(slots: number, mask: number, fromStep: number, steps: number, out: number): number;
  /**
   * Lays records out as rows from `fromRow` on, in the order of entrySchema (engine/state/entry-rows.ts). Bytes that do not
   * fit a view are copied to `text`; the first row that has no room there ends it.
   * @param columns - Eight u32: addresses of six columns and of the validity of values, all bits of which are set; and
   *   where the count of rows is put.
   * @returns The end of the text, as an address.
   */
  entryRows(
    records: number,
    count: number,
    columns: number,
    fromRow: number,
    text: number,
    textEnd: number,
  ): number;
  /**
   * Puts the values of the entries in `slotCount` slots in the place of those that another table has of the same keys.
   * Deleted entries, those that expire at `nowMs` or before, and those without a place that is large enough are listed
   * at `left`, which has room for all, and for 520 bytes more.
   * @param into - Slots of the other table's key group; 0: there are none.
   * @returns How many are left.
   */
  mergeEntries(
    slots: number,
    slotCount: number,
    into: number,
    mask: number,
    nowMs: number,
    left: number,
  ): number;
}
