/** What a group table is made for, what it reads of a batch, and where it writes groups. */
import type { AccumulatorSpec } from './accumulators.ts';
import type { ColumnAddress } from './group-cells.ts';
import type { KeyForm } from './key-layout.ts';

export interface GroupTableOptions {
  readonly keyForm: KeyForm;
  readonly accumulators: readonly AccumulatorSpec[];
  /**
   * Most slots, a power of two from 64 on. With it the table may become full (`isFull`) instead of failing:
   * its owner reads groups out and calls `clear`. @defaultValue no limit
   */
  readonly slotsMax?: number;
  /** Slots to begin with, a power of two from 64 on. @defaultValue 1,024 */
  readonly slotsFirst?: number;
  /** Most bytes of slots and arena, while it grows too; with it the table may become full as well. @defaultValue no limit */
  readonly bytesMax?: number;
  /** Groups have numbers, by order of first arrival; see `GroupRows`. @defaultValue false */
  readonly isNumbered?: boolean;
}

/** The rows of a batch, as the table reads them. */
export interface GroupRows {
  readonly key: ColumnAddress;
  /** The selection of `key`. @defaultValue `selection` */
  readonly keySelection?: number;
  /** One per accumulator; not read by `count`. */
  readonly inputs: readonly ColumnAddress[];
  readonly selection: number;
  readonly rowCount: number;
  /**
   * For a numbered table, u32 addresses: `numbers` gets the group of each row, the first for row 0 of
   * the batch; `counts`, with room for all groups, the count of rows of each.
   */
  readonly numbering?: { readonly numbers: number; readonly counts: number };
  /** For a numbered table: a bitmap where the bits of stored rows that made a group are set. */
  readonly arrivals?: number;
}

/** Where groups are written; validity 0 when it is not wanted. */
export interface GroupColumns {
  /** 8 bytes per group for int64, else 16. */
  readonly key: ColumnAddress;
  /** One for each of `resultSizes`, which says its bytes per group. */
  readonly results: readonly ColumnAddress[];
}
