/**
 * The group kernels as TypeScript sees them. Conventions: engine/kernels/kernels.ts.
 *
 * A group table is described in memory by 48 bytes (`groupTableLayout`), its slots lie elsewhere:
 *
 *     slot    0  u32 hash, 0 = empty     4  u32 flags: bit 0 null key, bit i+1 accumulator i has a value
 *             8  16 bytes key: utf8 view (long ones in the arena), or i64 and 8 unused bytes
 *            24  accumulators, 8 bytes each; all slots are zeroed by whoever makes the table
 *
 * After: engine/kernels/group-table.ts, which owns such memory.
 */

/** Byte offsets of the u32 fields that describe a group table. */
export const groupTableLayout = {
  /** Address of the slots. */
  slots: 0,
  /** Count of slots less one; the count is a power of two. */
  mask: 4,
  /** Bytes of a slot: 24 + 8 × accumulators. */
  stride: 8,
  /** Groups in the table. */
  groupCount: 12,
  /** Groups at which the table must grow. */
  groupsMax: 16,
  /** Where the next long key goes. */
  arena: 20,
  arenaEnd: 24,
  /** Why the last find call stopped: one of `groupTableStatus`. */
  status: 28,
  /** Bytes that the arena must offer, when it was full. */
  bytesNeeded: 32,
  /** Bytes of the description. */
  size: 48,
} as const;

export const groupTableStatus = { done: 0, tableFull: 1, arenaFull: 2 } as const;

/** Adds rows to an accumulator; see `Kernels.accumulateSumInt64`. */
export type Accumulate = (
  slots: number,
  count: number,
  offset: number,
  flag: number,
  values: number,
  validity: number,
  selection: number,
  fromRow: number,
) => number;

/** Finds or makes groups; see `Kernels.findGroupsUtf8`. */
export type FindGroups = (
  table: number,
  values: number,
  validity: number,
  selection: number,
  fromRow: number,
  rowCount: number,
  outSlots: number,
) => number;

/** Hash tables keyed by a column, their accumulators, and rows by group. */
export interface GroupKernels {
  /**
   * Finds the slot of each row's key from `fromRow` to `rowCount`, making slots for new keys, and
   * writes slot addresses (u32) to `outSlots`, the first for `fromRow`. Long keys are copied into
   * the arena. Nulls are one group. Stops before the first key without room; the table's `status`
   * says which. `outSlots` needs room for all rows of the call. Addresses hold until the table grows.
   * @param table - Address of the description (`groupTableLayout`).
   * @returns Count of rows done; `rowCount - fromRow` when all are.
   */
  findGroupsUtf8: FindGroups;
  /** The same for int64 keys (and what is widened to them); NaN and -0 see `float64KeyBits`. */
  findGroupsInt64: FindGroups;
  /**
   * Adds 1 per row. For this and all accumulators: `slots` as a find call wrote them, `count` of
   * them, `offset` of the accumulator in a slot (24 + 8 × its index).
   */
  accumulateCount(slots: number, count: number, offset: number): void;
  /** Adds 1 per row that is not null; `fromRow` is the row of the first slot. */
  accumulateCountValid(
    slots: number,
    count: number,
    offset: number,
    validity: number,
    selection: number,
    fromRow: number,
  ): void;
  /**
   * Adds the values of rows `fromRow` on. `flag` is the accumulator's bit in the slot's flags:
   * 2 << its index, set with the first value. Nulls add nothing.
   * @returns -1, or the row whose value would overflow; the rows before it are added.
   */
  accumulateSumInt64: Accumulate;
  /** The same for float64; always -1. */
  accumulateSumFloat64: Accumulate;
  accumulateMinInt64: Accumulate;
  accumulateMaxInt64: Accumulate;
  /** NaN is greater than every number: min is NaN only when all values are. Of -0 and 0 the first stays. */
  accumulateMinFloat64: Accumulate;
  /** NaN is greater than every number: max is NaN when one value is. */
  accumulateMaxFloat64: Accumulate;
  /**
   * Writes the addresses (u32) of occupied slots, in table order, from slot number `fromSlot` on,
   * looking at `slotsMax` slots. With `countMin` only rare groups: the count at `offset` is below it.
   * At `result`: u32 slot number to go on with; the count of slots at the end.
   * @returns Count of addresses, at most `rowsMax`.
   */
  occupiedSlots(
    table: number,
    fromSlot: number,
    slotsMax: number,
    offset: number,
    countMin: number,
    outSlots: number,
    rowsMax: number,
    result: number,
  ): number;
  /**
   * Copies the groups of `slotsMax` slots of table `from` into the larger, zeroed table `to`, and
   * counts them there. Arena and limits of `to` are the caller's to set.
   * @returns Slot number to go on with; the count of slots of `from` at the end.
   */
  rehashSlots(from: number, fromSlot: number, slotsMax: number, to: number): number;
  /**
   * Counts the frequent groups of the table: those whose count at `offset` is at least `countMin`, 1
   * or more. At `result`: u32 bytes that `keepFrequent` needs for their long keys (with `isUtf8` 1).
   */
  countFrequent(
    table: number,
    offset: number,
    countMin: number,
    isUtf8: number,
    result: number,
  ): number;
  /**
   * Removes the rare groups, in place. At least one slot is empty. The long keys of the others are
   * copied to `arena` on; the table's group count and next arena address are set.
   */
  keepFrequent(
    table: number,
    offset: number,
    countMin: number,
    isUtf8: number,
    arena: number,
  ): void;
  /** Copies 8 bytes at `offset` of each slot: int64 keys (8), accumulators. */
  gather8(slots: number, count: number, offset: number, out: number): void;
  /** Copies 16 bytes at `offset` of each slot: utf8 keys (8), whose long bytes stay in the arena. */
  gather16(slots: number, count: number, offset: number, out: number): void;
  /**
   * Writes a bitmap: bit set when the slot has `flag`; with `isInverted` 1 when it has not. The
   * validity of keys is flag 1 inverted, that of accumulator i is flag 2 << i.
   * @returns Count of bits set.
   */
  gatherFlags(slots: number, count: number, flag: number, isInverted: number, out: number): number;
  /**
   * Writes each row's group, by order of first arrival, to `outNumbers` (u32), and counts the rows of
   * each group in `counts` (u32, room for all groups, not zeroed). `slots` as a find call wrote them;
   * `offset` of 8 zeroed bytes in a slot. `groupCount`: groups that have a number.
   * @returns Groups that have a number now.
   */
  numberGroups(
    slots: number,
    count: number,
    offset: number,
    groupCount: number,
    outNumbers: number,
    counts: number,
  ): number;
  /**
   * Turns counts into places where groups begin, the first at `first`.
   * @returns Where the next group begins.
   */
  startsOfCounts(counts: number, groupCount: number, first: number): number;
  /**
   * Puts the numbers (`firstNumber` + stored row) of `count` rows from `fromRow` on behind those that
   * their groups have at `outRows`. `numbers` as `numberGroups` wrote them, the first for `fromRow`;
   * `starts` move on: after the last row each is the end of its group.
   */
  placeByGroup(
    numbers: number,
    selection: number,
    fromRow: number,
    count: number,
    firstNumber: number,
    starts: number,
    outRows: number,
  ): void;
}
