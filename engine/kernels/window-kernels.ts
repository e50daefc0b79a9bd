/**
 * The window kernels as TypeScript sees them. Conventions: engine/kernels/kernels.ts.
 */

/** Windows of moments. */
export interface WindowKernels {
  /**
   * Writes the start of each selected row's tumbling window, in milliseconds, to its stored row.
   * @param unitsPerMs - 1, or 1,000 where moments are in microseconds.
   * @param sizeMs - A whole number from 1 on; windows begin `offsetMs` after its multiples.
   * @returns `rowCount`, or the first row that has no window: it is null, or within a window of the
   * least int64.
   */
  windowStarts(
    values: number,
    validity: number,
    selection: number,
    rowCount: number,
    unitsPerMs: number,
    sizeMs: number,
    offsetMs: number,
    outStarts: number,
  ): number;
}
