/**
 * The sort kernels as TypeScript sees them. Conventions: engine/kernels/kernels.ts.
 * After: engine/kernels/sort-buffer.ts, which owns the memory of a sort.
 */

/** Byte offsets of the u32 fields of a sort's state; fields not set by the caller start at zero. */
export const sortLayout = {
  /** Address of the entries, by the caller; holds the sorted entries at the end. */
  entries: 0,
  /** Address of as much room again, by the caller. */
  scratch: 4,
  /** Entries, by the caller. */
  count: 8,
  /** Keys per sort row, by the caller. */
  keyCount: 12,
  /** Bit k is set when key k is descending, by the caller. */
  descendingBits: 16,
  /** From here on the kernel's. */
  progress: 20,
  size: 64,
} as const;

/** Flags of a sort key, for the `order` argument. */
export const sortOrder = { descending: 1, nullsLast: 2, narrow: 4 } as const;

/** Bytes of a sort entry; the u32 at `sortEntryRow` is the address of its sort row. */
export const sortEntrySize = 24;
export const sortEntryRow = 20;

/** Bytes of a sort row with `keyCount` keys (1 to 16). */
export function sortRowSizeOf(keyCount: number): number {
  return 8 + keyCount * 16;
}

/** Byte offsets of the u32 fields of a radix sort's state; fields not set by the caller start at zero. */
export const radixLayout = {
  /** Address of the rows, by the caller; holds the sorted rows at the end. */
  entries: 0,
  /** Address of as much room again, by the caller. */
  scratch: 4,
  /** Rows, by the caller. */
  count: 8,
  /** Bytes of a row, by the caller. */
  stride: 12,
  /** Keys per row, by the caller. */
  keyCount: 16,
  /** All the rest is the kernel's. */
  size: 1200,
} as const;

/** Bytes of a narrow sort row with `keyCount` keys (1 to 16). */
export function narrowRowSizeOf(keyCount: number): number {
  return 8 + keyCount * 8;
}

/** Bytes of a head of `mergeRows`: u32 next sort row, u32 behind the last, u32 base, 4 for the kernel. */
export const mergeHeadSize = 16;

/** Encodes a column as one key of sort rows; see `Kernels.encodeSortInt64`. */
export type EncodeSort = (
  values: number,
  validity: number,
  selection: number,
  fromRow: number,
  count: number,
  rows: number,
  stride: number,
  keyIndex: number,
  order: number,
) => void;

/** Sort rows, their encoding and sorting. */
export interface SortKernels {
  /**
   * Begins `count` sort rows at `rows`, `stride` = `sortRowSizeOf(keys)` apart: number =
   * `firstNumber` + stored row. Call before the encoders.
   */
  startSortRows(
    selection: number,
    fromRow: number,
    count: number,
    rows: number,
    stride: number,
    firstNumber: number,
  ): void;
  /**
   * Writes key `keyIndex` of `count` sort rows from row `fromRow` of a column on. `order` is a sum of
   * `sortOrder` flags. Timestamps are int64, dates int32.
   */
  encodeSortInt64: EncodeSort;
  encodeSortInt32: EncodeSort;
  encodeSortInt16: EncodeSort;
  encodeSortInt8: EncodeSort;
  encodeSortUint32: EncodeSort;
  encodeSortUint16: EncodeSort;
  encodeSortUint8: EncodeSort;
  encodeSortBool: EncodeSort;
  /** The two keys of a decimal, in this order. */
  encodeSortDecimalHigh: EncodeSort;
  encodeSortDecimalLow: EncodeSort;
  /** NaN above all numbers; -0 equal to 0. */
  encodeSortFloat64: EncodeSort;
  encodeSortFloat32: EncodeSort;
  /** Views, in byte order, which is that of code points. The bytes must stay where they are. */
  encodeSortUtf8: EncodeSort;
  /**
   * @returns -1, 0 or 1: the order of two sort rows (addresses), e.g. to merge sorted inputs.
   * `descendingBits` has bit k set when key k is descending.
   */
  compareSortRows(a: number, b: number, keyCount: number, descendingBits: number): number;
  /**
   * Writes an entry (`sortEntrySize`) per sort row, what `sortSlice` sorts. `isText` is 1 when the
   * first key is utf8: its next bytes then go into the entry, else the second key. `isFixed` is 1
   * when there are at most two keys and none is utf8: then the entry holds them all.
   */
  makeSortEntries(
    rows: number,
    count: number,
    stride: number,
    isText: number,
    isFixed: number,
    descendingBits: number,
    outEntries: number,
  ): void;
  /**
   * Goes on with a stable sort for about `stepsMax` entry moves. `state` is `sortLayout`.
   * @returns 1 when done; the state's `entries` then is the sorted array.
   */
  sortSlice(state: number, stepsMax: number): number;
  /** Writes the u32 numbers of the rows behind `count` entries. */
  sortedRowNumbers(entries: number, count: number, outNumbers: number): void;
  /** Copies the sort rows behind `count` entries, in their order; not onto themselves. */
  takeSortRows(entries: number, count: number, stride: number, outRows: number): void;
  /**
   * Keeps, in place and in order, the sort rows that belong before the row `bound`.
   * @returns Count of rows kept.
   */
  keepRowsBefore(
    rows: number,
    count: number,
    stride: number,
    bound: number,
    keyCount: number,
    descendingBits: number,
  ): number;
  /**
   * Merges sorted runs of sort rows: writes the base of the run plus the number of the row (u32), in
   * order; among equal rows the lower run is first. Each of the `headCount` heads, from 1, has a row.
   * Stops when `rowsMax` are written or a run has no more rows: its head is then at its end.
   * @returns Count of rows written, at least one where `rowsMax` is.
   */
  mergeRows(
    heads: number,
    headCount: number,
    stride: number,
    keyCount: number,
    descendingBits: number,
    outNumbers: number,
    rowsMax: number,
  ): number;
  /**
   * Puts sort rows in the order of the ranges between `boundaryCount` sort rows at `boundaries`, which are in
   * order: writes their numbers (u32), and `rangeCount` + 1 starts (u32), of at least one range more than there
   * are boundaries. A row that is equal to boundaries may go to any range beside these; task `sender` of
   * `senderCount` chooses by its number. `ranges` is room for a u32 per row.
   */
  rangeRows(
    rows: number,
    rowCount: number,
    stride: number,
    keyCount: number,
    descendingBits: number,
    boundaries: number,
    boundaryCount: number,
    sender: number,
    senderCount: number,
    rangeCount: number,
    ranges: number,
    outRows: number,
    outStarts: number,
  ): void;
  /**
   * Goes on with a stable radix sort of narrow sort rows for about `stepsMax` row moves. `state` is
   * `radixLayout`.
   * @returns 1 when done; the state's `entries` then are the rows in order.
   */
  radixSlice(state: number, stepsMax: number): number;
  /** Writes the u32 numbers of `count` sort rows that lie `stride` bytes apart. */
  rowNumbersOf(rows: number, count: number, stride: number, outNumbers: number): void;
}
