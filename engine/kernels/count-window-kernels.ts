/**
 * The kernels of windows by count as TypeScript sees them. Conventions: engine/kernels/kernels.ts; what a record is:
 * engine/kernels/count-window.as.ts.
 */

/** Rows by key, into panes of so many rows. */
export interface CountWindowKernels {
  /**
   * Writes the record of each row's pane to `outRecords` (u32), and adds those that become full to `outFull`: how many
   * there are, then their records.
   * @param isAlone - 1 where a full pane is a window, and leaves the list of its key.
   * @returns Rows done; fewer than `count` when there is no room for a record.
   */
  assignCounts(
    slots: number,
    count: number,
    cell: number,
    paneRows: number,
    isAlone: number,
    control: number,
    keyEnd: number,
    stride: number,
    outRecords: number,
    outFull: number,
  ): number;
  /**
   * Makes panes of rows with their numbers and how many rows they have (int64), the oldest of a key first, and writes their
   * records to `outRecords` (u32).
   * @returns Rows done; fewer than `count` when there is no room for a record.
   */
  restorePanes(
    slots: number,
    count: number,
    cell: number,
    numbers: number,
    rows: number,
    selection: number,
    fromRow: number,
    control: number,
    keyEnd: number,
    stride: number,
    outRecords: number,
  ): number;
}
