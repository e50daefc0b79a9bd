/**
 * The band kernels as TypeScript sees them: what joins of streams need besides the join kernels. Times are
 * i64, all in one unit. Conventions: engine/kernels/kernels.ts.
 *
 * After: engine/kernels/growing-join-table.ts, engine/operators/interval-join-operator.ts.
 */
export interface BandKernels {
  /**
   * Sorts out the rows of a batch: those that have a time and a key, with their times; those that lack one,
   * and so come alone; and those that are late, which are only counted. At `outState`: u32 count of rows that
   * come alone, u32 of late ones, f64 least and f64 largest time of the others (the extremes of int64, the
   * wrong way round, where there are none).
   * @param factor - What times are multiplied with: 1, or 1,000 for milliseconds among microseconds.
   * @param lateBefore - Times below are late; within the range of int64.
   * @param keyValidity - Which rows have a key: by stored row, or by place where `isKeyByPlace` is 1.
   * @returns Count of the rows with a time and a key.
   */
  timedRows(
    values: number,
    validity: number,
    selection: number,
    rowCount: number,
    factor: number,
    lateBefore: number,
    keyValidity: number,
    isKeyByPlace: number,
    outRows: number,
    outTimes: number,
    outAlone: number,
    outState: number,
  ): number;
  /**
   * Moves the rows whose time is below `high` out of a list and its times; the others close ranks. At `outState`:
   * f64 least time of those that stay.
   * @param high - Within the range of int64.
   * @returns Count of rows moved.
   */
  rowsBefore(
    rows: number,
    times: number,
    count: number,
    high: number,
    outRows: number,
    outTimes: number,
    outState: number,
  ): number;
  /**
   * Writes pairs as `joinPairs` does, but only those where the time of the build row less that of the probe
   * row is from `low` to `high`; within the range of int64. All are written when the place at `state` is `rowCount`.
   * @param probeTimes - By place of the selection.
   * @param buildTimes - By row of the build side.
   */
  joinPairsWithin(
    state: number,
    heads: number,
    selection: number,
    rowCount: number,
    next: number,
    probeTimes: number,
    buildTimes: number,
    low: number,
    high: number,
    outProbe: number,
    outBuild: number,
    pairsMax: number,
  ): number;
  /** Puts the slots of a join table of 8-byte keys into a larger place, zeroed, of `mask` + 1 slots. */
  joinMoveWords(from: number, slotCount: number, to: number, mask: number): void;
  /** The same for slots with hashes. */
  joinMoveHashes(from: number, slotCount: number, to: number, mask: number): void;
  /**
   * Sets the bits of rows (u32), and writes the rows whose bit was not set, each once.
   * @param out - Room for `count`; may be `rows`.
   * @returns Count of these rows.
   */
  markNewRows(bitmap: number, rows: number, count: number, out: number): number;
}
