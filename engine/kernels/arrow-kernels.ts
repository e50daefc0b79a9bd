/** The Arrow kernels as TypeScript sees them. Conventions: engine/kernels/kernels.ts. */

/** Columns of Arrow files as views. All answer with the first row that is wrong, or with `rowCount`. */
export interface ArrowKernels {
  /**
   * Turns `rowCount + 1` int64 offsets into int32 ones from 0 on.
   * @returns The first that is below the first or 2 GiB beyond it; `rowCount + 1` when all are well.
   */
  narrowOffsets(offsets: number, rowCount: number, out: number): number;
  /**
   * Checks that `rowCount + 1` int32 offsets ascend, and with `isText` 1 that no text starts inside of
   * a character. An offset counts from `bytes`; those between the first and the last lead to bytes.
   */
  checkOffsets(offsets: number, rowCount: number, bytes: number, isText: number): number;
  /** Views by indexes of 1, 2, 4 or 8 bytes into `viewCount` views. */
  viewsFromIndexes(
    indexes: number,
    indexSize: number,
    validity: number,
    rowCount: number,
    views: number,
    viewCount: number,
    out: number,
  ): number;
  /**
   * Our views of Arrow's (length, prefix of 4, buffer, offset; up to 12 bytes in place), whose bytes
   * ours show into. `buffers` has u32 address and u32 size of each buffer.
   */
  viewsFromArrow(
    arrowViews: number,
    validity: number,
    rowCount: number,
    buffers: number,
    bufferCount: number,
    out: number,
  ): number;
  /** Finds a text that is not well-formed UTF-8. `result`: room for 4 bytes. */
  findInvalidText(views: number, rowCount: number, result: number): number;
}
