/**
 * The version kernels as TypeScript sees them: versions of keys by time. Times are i64, all in one unit. Conventions:
 * engine/kernels/kernels.ts.
 *
 * After: engine/operators/stream-join/version-trees.ts, which owns the memory of the trees.
 */

/** Byte offsets of the u32 addresses that describe trees, and its size. */
export const versionTreesLayout = {
  /** i64 by row. */
  times: 0,
  /** u32 by row: of versions at one time that with the larger one is the later. */
  ties: 4,
  /** Two u32 by row, the kernel's. */
  children: 8,
  /** u32 by key; zero for a key without versions. */
  roots: 12,
  size: 16,
} as const;

/** In place of a null number: rows without a version are left out. */
export const noNumber = 0xffff_ffff;

export interface VersionKernels {
  /**
   * Puts rows into the trees of their keys; their times and ties are there.
   * @param groups - Number of the key, by place.
   */
  insertVersions(table: number, groups: number, first: number, count: number): void;
  /**
   * The last version of a key at each row's time or before.
   * @param groups - Number of the key, by place, as are `rows` and `rowTimes`.
   * @param tolerance - How old a version may be, up to 2 ** 62; below 0: as old as it likes.
   * @param nullNumber - Written for rows without a version; `noNumber` leaves these out.
   * @returns Count of rows and numbers written.
   */
  findVersions(
    table: number,
    groups: number,
    rows: number,
    rowTimes: number,
    count: number,
    tolerance: number,
    nullNumber: number,
    outRows: number,
    outNumbers: number,
  ): number;
  /**
   * The rows, counted from `first` on, that a row at `bound` or later can still find.
   * @param groups - Number of the key, by row of the trees.
   * @param bound - Within the range of int64.
   * @returns Count of rows written.
   */
  liveVersions(
    table: number,
    groups: number,
    first: number,
    count: number,
    bound: number,
    tolerance: number,
    outRows: number,
  ): number;
}
