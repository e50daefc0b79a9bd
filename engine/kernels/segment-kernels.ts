/**
 * The segment kernels as TypeScript sees them: rows that lie in order, cut where their keys change, and what
 * is computed of the pieces. Conventions: engine/kernels/kernels.ts; there is never a selection.
 *
 * `marks` are bytes, one per row: 1 where a row differs from the one before it.
 */
import { type FieldType, layoutOf, valueSizeOf } from '../schema/field-type.ts';
import type { AccumulatorSpec } from './accumulators.ts';

/** Pieces of sorted rows. */
export interface SegmentKernels {
  /** Marks rows from 1 on whose value is another than that of the row before; `form` is of `compareFormOf`. */
  markChanges(
    form: number,
    values: number,
    validity: number,
    rowCount: number,
    marks: number,
  ): void;
  /**
   * Numbers segments, from `first` on: u32 per row. `outStarts` (0: not wanted) gets the u32 row where
   * each begins, at its number. The mark of row 0 is not looked at.
   * @returns The last number.
   */
  segmentRows(
    marks: number,
    rowCount: number,
    first: number,
    outSegments: number,
    outStarts: number,
  ): number;
  /** Writes base + segment × stride, u32 per row: where the cells of each row's segment are. */
  slotsOfSegments(
    segments: number,
    rowCount: number,
    base: number,
    stride: number,
    outSlots: number,
  ): void;
  /**
   * Numbers and ranks of rows within their partitions, int64 each, where they are wanted (not 0). `state` has
   * those of the last row before, 24 bytes.
   */
  rankRows(
    partitions: number,
    peers: number,
    rowCount: number,
    state: number,
    outNumbers: number,
    outRanks: number,
    outDenseRanks: number,
  ): void;
  /**
   * Row numbers (u32) of the rows whose rank is at most `limit`; `form` is one of `rankForms`, `state` that of
   * `rankRows`. There must be room for all rows.
   * @returns Their count.
   */
  firstRows(
    partitions: number,
    peers: number,
    rowCount: number,
    form: number,
    limit: number,
    state: number,
    outRows: number,
  ): number;
  /**
   * Row numbers, as gather kernels take them, of the rows that are `shift` places away from those of batch
   * `current`; for rows of no or of another partition `missing` + row.
   * @param partitions - u32 addresses, one per batch, of u32 numbers of partitions, one per row.
   * @param rowCounts - u32, one per batch.
   */
  shiftRows(
    partitions: number,
    rowCounts: number,
    batchCount: number,
    current: number,
    shift: number,
    missing: number,
    outNumbers: number,
  ): void;
  /**
   * Merges the accumulator of each segment, from 1 on, with that of the segment before it, unless it begins
   * a partition: `marks` (0: none does) at the row of `starts`. Cells lie `stride` bytes apart.
   * @returns -1, or the segment whose sum does not fit.
   */
  scanCells(
    operation: number,
    cells: number,
    stride: number,
    segmentCount: number,
    offset: number,
    sizeBytes: number,
    flags: number,
    flag: number,
    marks: number,
    starts: number,
  ): number;
  /** @returns Bytes that `joinTexts` writes at most. */
  joinedSizeOf(
    views: number,
    validity: number,
    fromRow: number,
    rowCount: number,
    separatorLength: number,
  ): number;
  /**
   * Writes the texts of rows from `fromRow` to before `rowCount`, one after the other, with a separator between those of a
   * segment. `ends` has a u32 address per segment where its text ends so far, 0 where it has none.
   */
  joinTexts(
    views: number,
    validity: number,
    segments: number,
    fromRow: number,
    rowCount: number,
    separator: number,
    separatorLength: number,
    out: number,
    ends: number,
  ): void;
}

/** Bytes of the state of ranks. */
export const rankStateBytes = 24;

/** Functions of ranks as kernels know them. */
export const rankForms = { rowNumber: 0, rank: 1, denseRank: 2 } as const;

/** How values of a type are compared: their size, or more. */
export function compareFormOf(type: FieldType): number {
  if (layoutOf(type) === 'view') return 128;
  if (type.kind === 'float32') return 32;
  return type.kind === 'float64' ? 64 : valueSizeOf(type);
}

/** What `scanCells` does with an accumulator. */
export function scanOperationOf({ function: kind, type }: AccumulatorSpec): number {
  switch (kind) {
    case 'count':
    case 'countValid':
      return 0;
    case 'sum':
      return { int64: 1, float64: 2, int128: 3, int64Wide: 4, text: -1 }[type];
    case 'min':
      return { int64: 5, float64: 7, int128: 9, int64Wide: -1, text: 11 }[type];
    case 'max':
      return { int64: 6, float64: 8, int128: 10, int64Wide: -1, text: 12 }[type];
    case 'first':
      return 13;
    case 'last':
      return 14;
    default:
      return 15;
  }
}
