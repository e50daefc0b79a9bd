/**
 * The Parquet kernels as TypeScript sees them: what pages hold, as values of columns. Conventions:
 * engine/kernels/kernels.ts. None trusts what it reads: where the result is a count, fewer than asked
 * for means that the value behind them is wrong or is not there.
 */

/** Byte offsets of the u32 fields of the state of a reader of runs. */
export const runsLayout = {
  /** The next run; set both, and `left` to 0, before the first call. */
  at: 0,
  end: 4,
  /** Bits of a value: 0 to 32. */
  width: 8,
  /** Values left of the run that is being read. */
  left: 12,
  size: 32,
} as const;

/** The state of a reader of deltas; `startDelta` fills it. */
export const deltaLayout = {
  /** u32: values that are still to come. */
  left: 8,
  size: 64,
} as const;

/** Turns `count` values into others. @returns The first that has no such value, or `count`. */
export type Check = (values: number, count: number, out: number) => number;
type CheckBy = (values: number, count: number, parameter: number, out: number) => number;
type Spread = (values: number, bits: number, fromBit: number, count: number, out: number) => void;

/** Runs ("RLE/bit-packed hybrid") and bits. */
export interface RunKernels {
  /** Reads values as u32. @returns How many there were below `limit`. */
  readRuns(state: number, count: number, limit: number, out: number): number;
  /**
   * Reads those of the next `count` values whose u32 numbers lie at `rows`, ascending; the others are passed over.
   * @returns `count`; less where a value is at the limit, or not there.
   */
  readRunsAt(
    state: number,
    count: number,
    limit: number,
    rows: number,
    rowCount: number,
    out: number,
  ): number;
  /** Reads values of one bit into a bitmap, from `outBit` on. @returns Count of ones; -1: damaged. */
  readRunBits(state: number, count: number, out: number, outBit: number): number;
  /** Copies bits; those before `outBit` stay. @returns Count of ones. */
  copyBits(from: number, fromBit: number, count: number, out: number, outBit: number): number;
}

/** Puts values in the rows that have one, by a bitmap; a row without one gets zeroes. */
export interface SpreadKernels {
  spread1Bit(
    values: number,
    bits: number,
    fromBit: number,
    count: number,
    out: number,
    outBit: number,
  ): void;
  spread1: Spread;
  spread2: Spread;
  spread4: Spread;
  spread8: Spread;
  spread16: Spread;
}

/** Values of plain pages. */
export interface ParquetValueKernels {
  /** Views of byte arrays, each behind its u32 length; at `result`: u32 address behind the last. */
  viewsFromPlain(from: number, end: number, count: number, out: number, result: number): number;
  /** Views of values of `size` bytes. */
  viewsFromFixed(values: number, size: number, count: number, out: number): void;
  /** 1 when all bytes are ASCII. */
  isAscii(from: number, end: number): number;
  /** int32 to 8 or 16 bits; with the parameter 0 unsigned ones. */
  checkedInt8: CheckBy;
  checkedInt16: CheckBy;
  float64FromInt32: Check;
  float32FromFloat16: Check;
  decimalsFromInt32: Check;
  decimalsFromInt64: Check;
  /** Of `size` bytes with the highest first. */
  decimalsFromFixed(values: number, size: number, count: number, out: number): number;
  decimalsFromViews: Check;
  /** int64 that is 0 or more. */
  checkedNotNegative: Check;
  /** int64 times the parameter. */
  multipliedInt64: CheckBy;
  /** int64 by the parameter, without a rest. */
  dividedInt64: CheckBy;
  /** INT96 of nanoseconds and day; the parameter says how many nanoseconds are a unit. */
  timestampsFromInt96: CheckBy;
  /** Values of `size` bytes of which byte n lies at `from + n * stride`. */
  joinStreams(from: number, stride: number, size: number, count: number, out: number): void;
}

/** Delta encodings. */
export interface DeltaKernels {
  /** @returns Count of values of the stream in [from, end); -1: damaged. */
  startDelta(state: number, from: number, end: number): number;
  /** Reads integers of 4 or 8 bytes. */
  readDelta(state: number, count: number, outSize: number, out: number): number;
  /** @returns Address (`>>> 0`) behind the stream; 0: damaged. The state is used up. */
  skipDelta(state: number): number;
  /** Views of texts of u32 lengths, side by side from `from` on. */
  viewsFromLengths(lengths: number, count: number, from: number, end: number, out: number): number;
  /**
   * Texts that begin as the one before does. `previous`: the view of the one before. The texts go to
   * `bytes`, whose room is their sum and 16.
   */
  joinPrefixes(
    prefixes: number,
    suffixes: number,
    count: number,
    from: number,
    end: number,
    previous: number,
    bytes: number,
    out: number,
  ): number;
}

/** All of them. */
export interface ParquetKernels
  extends RunKernels,
    SpreadKernels,
    ParquetValueKernels,
    DeltaKernels {}
