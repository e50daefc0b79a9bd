/**
 * The group kernels as TypeScript sees them. Conventions: engine/kernels/kernels.ts.
 *
 * A group table is described in memory by 48 bytes (`groupTableLayout`), its slots lie elsewhere:
 *
 *     slot    0  u32 hash, 0 = empty
 *             4  24 bits of flags: bit 0 null key, the others of accumulators that have a value
 *             7  u8 size of a text key: its bytes, up to 8; 255 when it is longer
 *             8  key: i64, a text of up to 8 bytes, or u32 length and u32 address in the arena
 *            16  (of a key of 16 bytes the other half, and cells from 24 on)
 *                cells of accumulators (`cellsOf`); all slots are zeroed by whoever makes the table
 *
 * After: engine/kernels/group-table.ts, which owns such memory.
 */
import type { KeyForm } from './key-layout.ts';

/** Byte offsets of the u32 fields that describe a group table. */
export const groupTableLayout = {
  /** Address of the slots. */
  slots: 0,
  /** Count of slots less one; the count is a power of two. */
  mask: 4,
  /** Bytes of a slot, a multiple of 8. */
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
  /** For the kernels alone. */
  scratch: 40,
  /** Bytes of the description. */
  size: 48,
} as const;

/** Where the slots of a described table are, and the bytes of each. */
export function groupSlotsOf(
  { description }: { readonly description: number },
  uint32: Uint32Array,
): { readonly address: number; readonly stride: number } {
  const address = uint32[(description + groupTableLayout.slots) >>> 2]!;
  const stride = uint32[(description + groupTableLayout.stride) >>> 2]!;
  return { address, stride };
}

export const groupTableStatus = { done: 0, tableFull: 1, arenaFull: 2 } as const;

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

/** The kernel that finds groups by keys of a form. */
export function groupFindOf(
  kernels: Pick<GroupKernels, 'findGroupsUtf8' | 'findGroupsInt64' | 'findGroupsInt128'>,
  form: KeyForm,
): FindGroups {
  if (form === 'view') return kernels.findGroupsUtf8;
  return form === 'int64' ? kernels.findGroupsInt64 : kernels.findGroupsInt128;
}

/** Hash tables keyed by a column, and rows by group. */
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
  /** The same for keys of 16 bytes. */
  findGroupsInt128: FindGroups;
  /**
   * Writes the addresses (u32) of occupied slots, in stretches from all over the table, from place
   * `fromSlot` of that order on, looking at `slotsMax` slots. At `result`: u32 place to go on with; the count of slots at
   * the end.
   * @returns Count of addresses, at most `rowsMax`.
   */
  occupiedSlots(
    table: number,
    fromSlot: number,
    slotsMax: number,
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
  /** Copies 8 bytes at `offset` of each slot: int64 keys (8), accumulators. */
  gather8(slots: number, count: number, offset: number, out: number): void;
  /** Makes views of text keys; long ones point into the arena. */
  gatherViews(slots: number, count: number, out: number): void;
  /** Copies 16 bytes at `offset` of each slot: keys (8), accumulators. */
  gather16(slots: number, count: number, offset: number, out: number): void;
  /**
   * Writes a bitmap: bit set when the u32 at `flags` of the slot has `flag`; with `isInverted` 1 when it
   * has not. The validity of keys is flag 1 at 4, inverted; that of an accumulator see `cellsOf`.
   * @returns Count of bits set.
   */
  gatherFlags(
    slots: number,
    count: number,
    flags: number,
    flag: number,
    isInverted: number,
    out: number,
  ): number;
  /**
   * Sets the bit of each stored row whose slot is met for the first time: 8 zeroed bytes at `offset` of
   * the slot remember it. `fromRow` is the row of the first slot.
   */
  markArrivals(
    slots: number,
    count: number,
    offset: number,
    selection: number,
    fromRow: number,
    bitmap: number,
  ): void;
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
