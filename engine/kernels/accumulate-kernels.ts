/**
 * The accumulator kernels as TypeScript sees them. Conventions: engine/kernels/kernels.ts.
 *
 * `slots` and `count` are as a find call wrote them, `fromRow` is the row of the first slot. `offset` is
 * where the accumulator's cell is in a slot, `flags` where its u32 of flags is, and `flag` its bit there,
 * which is set with the first value. Nulls add nothing.
 */

/**
 * Adds rows to an accumulator.
 * @returns -1, or the row whose value would overflow; the rows before it are added then.
 */
export type Accumulate = (
  slots: number,
  count: number,
  offset: number,
  flags: number,
  flag: number,
  values: number,
  validity: number,
  selection: number,
  fromRow: number,
) => number;

/**
 * Adds texts to an accumulator of 24 bytes: a view, and the room that the table `table` has given it.
 * The table's arena has room for `textRoomOf` the rows.
 */
export type AccumulateText = (
  table: number,
  slots: number,
  count: number,
  offset: number,
  flags: number,
  flag: number,
  values: number,
  validity: number,
  selection: number,
  fromRow: number,
) => void;

/** Accumulators of groups, one call per column. */
export interface AccumulateKernels {
  /** Adds 1 per row. */
  accumulateCount(slots: number, count: number, offset: number): void;
  /** Adds 1 per row that is not null. */
  accumulateCountValid(
    slots: number,
    count: number,
    offset: number,
    validity: number,
    selection: number,
    fromRow: number,
  ): void;
  accumulateSumInt64: Accumulate;
  accumulateSumFloat64: Accumulate;
  accumulateMinInt64: Accumulate;
  accumulateMaxInt64: Accumulate;
  /** NaN is greater than every number: min is NaN only when all values are. Of -0 and 0 the first stays. */
  accumulateMinFloat64: Accumulate;
  /** NaN is greater than every number: max is NaN when one value is. */
  accumulateMaxFloat64: Accumulate;
  /** The first value of 8 bytes that comes; `Last` the last one. */
  accumulateFirst8: Accumulate;
  accumulateLast8: Accumulate;
  /** Sums of up to 38 digits. */
  accumulateSumInt128: Accumulate;
  /** Sums int64 values in an int128, which they do not overflow. */
  accumulateSumInt64Wide: Accumulate;
  accumulateMinInt128: Accumulate;
  accumulateMaxInt128: Accumulate;
  accumulateFirst16: Accumulate;
  accumulateLast16: Accumulate;
  /** The text that comes first by its bytes. */
  accumulateMinText: AccumulateText;
  accumulateMaxText: AccumulateText;
  accumulateFirstText: AccumulateText;
  accumulateLastText: AccumulateText;
  /** @returns Bytes of arena that the rows need at most, for one accumulator of texts. */
  textRoomOf(
    values: number,
    validity: number,
    selection: number,
    fromRow: number,
    count: number,
  ): number;
  /** Adds float64 values to moments: i64 count, f64 mean, f64 m2. */
  accumulateMoments: Accumulate;
  /** Adds moments to moments; `values` has 24 bytes per row. */
  mergeMoments: Accumulate;
  /**
   * Variances of moments: m2 / (count - lost), or their roots. Where that has no meaning, since the count
   * is not above `lost`, the bit of `validity` (0: there is none) is cleared.
   */
  varianceOf(
    counts: number,
    m2: number,
    groupCount: number,
    lost: number,
    isRoot: number,
    out: number,
    validity: number,
  ): void;
  /** Writes sum / count / divisor as float64. */
  averageOfInt128(
    sums: number,
    counts: number,
    groupCount: number,
    divisor: number,
    out: number,
  ): void;
  averageOfFloat64(sums: number, counts: number, groupCount: number, out: number): void;
  int64ToFloat64(values: number, rowCount: number, out: number): void;
  /** Writes value / divisor as float64. */
  int128ToFloat64(values: number, rowCount: number, divisor: number, out: number): void;
}
