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
  /**
   * Of windows one of which ends `behindMs` after each period's start: writes the stored rows of those whose moment is
   * before that end, and by stored row the end, in milliseconds. Moments are kept within 2 ** 52 ms of 1970.
   * @param periodMs - A whole number from 1 on; periods begin `offsetMs` after its multiples.
   * @param givesNulls - 1: rows without a moment are written as well.
   * @returns Count of rows written.
   */
  windowEnds(
    values: number,
    validity: number,
    selection: number,
    rowCount: number,
    unitsPerMs: number,
    periodMs: number,
    offsetMs: number,
    behindMs: number,
    givesNulls: number,
    outRows: number,
    outEnds: number,
  ): number;
  /**
   * Writes the least and the largest moment of the selected rows, in milliseconds, as two float64. Moments
   * are kept within 2 ** 52 ms of 1970, here and in `paneStarts`.
   * @param outBounds - 16 bytes, untouched when no row has a moment.
   * @returns How many rows have a moment.
   */
  timeBounds(
    values: number,
    validity: number,
    selection: number,
    rowCount: number,
    unitsPerMs: number,
    outBounds: number,
  ): number;
  /**
   * Writes the start of each selected row's pane, a float64 of milliseconds, to its stored row. Nothing is
   * written for nulls.
   * @param paneMs - A whole number from 1 on; panes begin `offsetMs` after its multiples.
   * @param shifts - How far a zone's clock is ahead of UTC: pairs of float64, since when and how much, both in
   * milliseconds; panes are by that clock then. None for UTC.
   */
  paneStarts(
    values: number,
    validity: number,
    selection: number,
    rowCount: number,
    unitsPerMs: number,
    paneMs: number,
    offsetMs: number,
    shifts: number,
    shiftCount: number,
    outStarts: number,
  ): void;
}
