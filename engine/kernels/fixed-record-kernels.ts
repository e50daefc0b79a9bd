/** The kernels of records of a fixed size, as TypeScript sees them. Conventions: engine/kernels/kernels.ts. */

export interface FixedRecordKernels {
  /** Writes views of `width` bytes at `from` and every `stride` further on; up to 8 bytes go into the view. */
  viewsOfRecords(
    from: number,
    stride: number,
    width: number,
    count: number,
    outViews: number,
  ): void;
  /** Copies values of `width` (1, 2, 4, 8 or 16) bytes to `out`, side by side. */
  valuesOfRecords(from: number, stride: number, width: number, count: number, out: number): void;
  /**
   * Copies what `count` views from row `fromRow` on show to `to` and every `stride` further on.
   * @returns `count`, or the index of the first one that has not `width` bytes.
   */
  viewsToRecords(
    views: number,
    selection: number,
    fromRow: number,
    count: number,
    width: number,
    to: number,
    stride: number,
  ): number;
  /** The same for values of `width` (1, 2, 4, 8 or 16) bytes. */
  valuesToRecords(
    values: number,
    selection: number,
    fromRow: number,
    count: number,
    width: number,
    to: number,
    stride: number,
  ): void;
}
