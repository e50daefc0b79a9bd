/**
 * The join kernels as TypeScript sees them. Conventions: engine/kernels/kernels.ts.
 *
 * A join table is described in memory by 24 bytes (`joinTableLayout`); rows of the build side have the
 * numbers 0, 1, 2, …, and 0 where "row + 1" is written means none.
 *
 * After: engine/kernels/join-table.ts, which owns such memory.
 */

/** Byte offsets of the u32 fields that describe a join table. */
export const joinTableLayout = {
  /**
   * Address of the slots, zeroed at first: key, row + 1 of the first row of the chain, 4 unused bytes for keys
   * of 8 bytes; hash, row + 1 for others.
   */
  slots: 0,
  /** Count of slots less one; the count is a power of two, above that of rows. */
  mask: 4,
  /** Address of keys of 16 bytes, by row. */
  keys: 8,
  /** Address of row + 1 of the next row with the same key, by row (u32). */
  next: 12,
  /** Address of scratch: 8 bytes for each row of a call. */
  scratch: 16,
  /**
   * Address of bits, four a slot, zeroed at first: whose bit is not set is not looked up. 0: there are none, and
   * all are.
   */
  filter: 20,
  size: 24,
} as const;

/** `joinPairs` with this number gives no pair to a row without a partner. */
export const noNumber = 0xffffffff;

/** Puts rows into a table; see `JoinKernels.joinInsertInt64`. */
export type JoinInsert = (
  table: number,
  values: number,
  validity: number,
  count: number,
  first: number,
) => number;

/** Finds chains; see `JoinKernels.joinFindInt64`. */
export type JoinFind = (
  table: number,
  values: number,
  validity: number,
  selection: number,
  count: number,
  outHeads: number,
) => number;

export interface JoinKernels {
  /**
   * Puts the rows `first` to `first + count` of the build side into a table, keys copied. Rows whose key
   * is null are left out. Later rows come first: calls go from the last rows to the first.
   * @returns How many of them have a key that was there before.
   */
  joinInsertInt64: JoinInsert;
  /** The same for keys of 16 bytes. */
  joinInsertInt128: JoinInsert;
  /** The same for views; long texts stay where they are. */
  joinInsertUtf8: JoinInsert;
  /**
   * Writes, per row of a batch, row + 1 of the first row of the build side with the same key (u32); 0 where
   * there is none, or the key is null.
   * @returns Count of rows that have one.
   */
  joinFindInt64: JoinFind;
  joinFindInt128: JoinFind;
  joinFindUtf8: JoinFind;
  /**
   * Writes pairs: stored row of the probe side, and row of the build side (u32), in the order of both.
   * At `state`: u32 place of the next row, u32 row + 1 of its next partner; both 0 at first. All are
   * written when the place is `rowCount`. Looks at `rowCount` rows and `pairsMax` pairs at most.
   * @param heads - As a find call wrote them.
   * @param next - As in the table; 0 where no key is there twice.
   * @param nullNumber - The partner of a row that has none; `noNumber` leaves such rows out.
   * @returns Count of pairs.
   */
  joinPairs(
    state: number,
    heads: number,
    selection: number,
    rowCount: number,
    next: number,
    nullNumber: number,
    outProbe: number,
    outBuild: number,
    pairsMax: number,
  ): number;
  /** Sets the bits of rows (u32). */
  markRows(bitmap: number, rows: number, count: number): void;
  /**
   * Writes the stored rows whose bit is `wanted`, looking at places `fromRow` to `rowCount`.
   * @param out - Room for all that are looked at.
   * @returns Count of rows.
   */
  rowsByMark(
    bitmap: number,
    selection: number,
    fromRow: number,
    rowCount: number,
    wanted: number,
    out: number,
  ): number;
  /**
   * Writes the stored rows that have a partner (`wanted` 1), or have none (0), by what a find call wrote.
   * @param out - Room for `rowCount`.
   * @returns Count of rows.
   */
  rowsByHead(
    heads: number,
    selection: number,
    rowCount: number,
    wanted: number,
    out: number,
  ): number;
  /** Puts bits of rows behind the `start` bits that are there; `from` 0 is all ones. */
  appendBits(from: number, rows: number, count: number, out: number, start: number): void;
}
