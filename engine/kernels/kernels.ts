/**
 * The kernels as TypeScript sees them: one WebAssembly module over a slot's memory.
 *
 * Conventions, for every function:
 * - Arguments are numbers: byte addresses, counts, row numbers. `validity` 0 means no nulls,
 *   `selection` 0 means all rows; otherwise `selection` is the address of ascending u32 row numbers.
 * - With a selection, "row" in `fromRow` and `rowCount` counts places of the selection.
 * - Results come back as signed 32-bit numbers: an address needs `>>> 0` (marked "address").
 * - Room for outputs is the caller's, 8-byte aligned. Bitmaps are written in whole 8-byte words.
 *   Kernels read, but never write, up to 64 bytes behind their inputs.
 * - No kernel keeps state, allocates, or traps on data; progress lives in memory the caller gives.
 *
 * A group table is described in memory by 48 bytes (`groupTableLayout`), its slots lie elsewhere:
 *
 *     slot    0  u32 hash, 0 = empty     4  u32 flags: bit 0 null key, bit i+1 accumulator i has a value
 *             8  16 bytes key: utf8 view (long ones in the arena), or i64 and 8 unused bytes
 *            24  accumulators, 8 bytes each; all slots are zeroed by whoever makes the table
 *
 * After: engine/kernels/group-table.ts and engine/kernels/sort-buffer.ts, which own such memory.
 */
import { kernelsBase64 } from './kernels.wasm.ts';

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

/** Byte offsets of the u32 fields of a tokeniser's state; zero it before the first call. */
export const tokeniseLayout = {
  /** Place of the row to go on with; `rowCount` when all are done. */
  row: 0,
  /** Byte within that row. */
  byte: 4,
  /** 0, or the bytes that the next long word needs: give more `bytesOut` and call again. */
  bytesNeeded: 8,
  /** Where the bytes of the next long word would go. */
  bytesOut: 12,
  size: 16,
} as const;

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
export const sortOrder = { descending: 1, nullsLast: 2 } as const;

/** Bytes of a sort entry; the u32 at `sortEntryRow` is the address of its sort row. */
export const sortEntrySize = 24;
export const sortEntryRow = 20;

/** Bytes of a sort row with `keyCount` keys (1 to 16). */
export function sortRowSizeOf(keyCount: number): number {
  return 8 + keyCount * 16;
}

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

/** Copies values of the rows whose u32 numbers lie at `rows` (0: the first `rowCount`). */
type Take = (values: number, rows: number, rowCount: number, out: number) => void;

/** Copies the rows with the u32 `numbers`; `bases` has the u32 address of the column in each batch. */
export type GatherAcross = (bases: number, numbers: number, rowCount: number, out: number) => void;

/** Hashes a column to u32, one per row of the selection; never 0. */
type HashColumn = (
  values: number,
  validity: number,
  selection: number,
  rowCount: number,
  outHashes: number,
) => void;

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

/** Turns `rowCount` stored values into another width. */
type Convert = (values: number, rowCount: number, out: number) => void;

export interface Kernels {
  // ─── text ───

  /**
   * Splits [from, end) into lines at LF and writes a view per line; the CR of a CRLF is stripped.
   * Lines over 8 bytes point into the text. With `isLast` 1 the rest without LF is a line too.
   * At `result`: u32 address behind the last line taken (read it with `>>> 0`).
   * @returns Count of lines, at most `rowsMax`.
   */
  splitLines(
    from: number,
    end: number,
    isLast: number,
    outViews: number,
    rowsMax: number,
    result: number,
  ): number;

  /**
   * Finds the first byte sequence in [from, end) that is not well-formed UTF-8: overlong, surrogate,
   * above U+10FFFF, stray or missing continuation. At `result`: u32 1 when the sequence is right so
   * far and only cut off by `end`, else 0.
   * @returns Address (`>>> 0`) of its first byte; 0 when all is well.
   */
  findInvalidUtf8(from: number, end: number, result: number): number;

  // ─── tokenise ───

  /**
   * Writes a view per word of a utf8 column. A word is a maximal run of [A-Za-z], lower-cased; a row
   * border ends it. Words up to 8 bytes lie in the view, longer ones are copied to `bytesOut` on
   * (each needs its length rounded up to 16 until `bytesEnd`).
   *
   * Resumable: `state` (`tokeniseLayout`) says where to go on. All is done when its row is
   * `rowCount`; else the words are full, or its `bytesNeeded` is above 0. `bytesOut` is where to
   * write in this call: pass the state's `bytesOut` to go on in the same room. The bytes of the
   * words do not depend on the input afterwards.
   * @param outParents - Address for the stored row (u32) of each word, or 0. With 0, rows that lie
   *   side by side in memory are read as one span, which is faster.
   * @returns Count of words, at most `wordsMax`.
   */
  tokeniseWords(
    views: number,
    validity: number,
    selection: number,
    rowCount: number,
    state: number,
    outViews: number,
    outParents: number,
    wordsMax: number,
    bytesOut: number,
    bytesEnd: number,
  ): number;

  // ─── group ───

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

  // ─── accumulate ───

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

  // ─── table ───

  /**
   * Writes the addresses (u32) of occupied slots, in table order, from slot number `fromSlot` on,
   * looking at `slotsMax` slots. At `result`: u32 slot number to go on with; the count of slots at
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
  /** Copies 16 bytes at `offset` of each slot: utf8 keys (8), whose long bytes stay in the arena. */
  gather16(slots: number, count: number, offset: number, out: number): void;
  /**
   * Writes a bitmap: bit set when the slot has `flag`; with `isInverted` 1 when it has not. The
   * validity of keys is flag 1 inverted, that of accumulator i is flag 2 << i.
   * @returns Count of bits set.
   */
  gatherFlags(slots: number, count: number, flag: number, isInverted: number, out: number): number;

  // ─── order groups ───

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

  // ─── hash, partition ───

  hashUtf8: HashColumn;
  hashInt64: HashColumn;
  /**
   * Orders the places 0 to `rowCount - 1` by partition, stable. The key group of a hash is its high
   * 7 bits; `partitionOfKeyGroup` is the address of 128 u16. `outStarts` gets `partitionCount + 1`
   * u32: the rows of partition p are `outRows[outStarts[p]]` to `outRows[outStarts[p + 1] - 1]`.
   * Under a selection turn places into stored rows by `take4(selection, outRows, rowCount, outRows)`.
   */
  partitionRows(
    hashes: number,
    rowCount: number,
    partitionOfKeyGroup: number,
    partitionCount: number,
    outRows: number,
    outStarts: number,
  ): void;

  // ─── take ───

  /** Takes bits: bool values and validity bitmaps. */
  take1Bit: Take;
  take4: Take;
  take8: Take;
  /** Takes views; long ones keep pointing at the same bytes. */
  take16: Take;
  /** @returns Sum of the lengths of the views, exact up to 2^53. */
  utf8SizeOf(views: number, rows: number, rowCount: number): number;
  /**
   * Writes views as Arrow utf8: `rowCount + 1` int32 offsets from 0, and the bytes, exactly
   * `utf8SizeOf` of them (below 2 GiB, not checked).
   * @returns Count of bytes.
   */
  utf8ToArrow(
    views: number,
    rows: number,
    rowCount: number,
    outOffsets: number,
    outBytes: number,
  ): number;
  /** Makes views of Arrow utf8; long ones point into `bytes`. */
  utf8FromArrow(offsets: number, bytes: number, rowCount: number, outViews: number): void;
  /** Zeroes the views of nulls, as the rule for views asks; `validity` is not 0. */
  zeroNullViews(views: number, validity: number, rowCount: number): void;

  /** @returns Sum of the lengths of the texts over 8 bytes: what `copyLongTexts` needs. */
  longTextSizeOf(views: number, rowCount: number): number;
  /** Copies the texts over 8 bytes to `out`, one after the other, and points their views there. */
  copyLongTexts(views: number, rowCount: number, out: number): void;

  // ─── gather: rows of many batches; a row's number is the index of its batch × 8,192 + stored row ───

  /** Gathers bits; a bitmap at 0 is all ones. */
  gatherAcross1Bit: GatherAcross;
  gatherAcross4: GatherAcross;
  gatherAcross8: GatherAcross;
  /** Gathers views; long ones keep pointing at the same bytes. */
  gatherAcross16: GatherAcross;
  /**
   * How many of the rows have up to `bytesMax` of text together. `bases` has the views of all
   * `columnCount` text columns, column by column, `batchCount` addresses each.
   */
  rowsWithTexts(
    bases: number,
    batchCount: number,
    columnCount: number,
    numbers: number,
    rowCount: number,
    bytesMax: number,
  ): number;

  // ─── widen: all stored rows, values of nulls included ───

  /** int32 to int64. */
  widenInt32: Convert;
  /** Bits to int64 0 and 1. */
  widenBool: Convert;
  /** float64 to bits that are equal when the keys are: one NaN, no -0. Reading back needs nothing. */
  float64KeyBits: Convert;
  /** int64 to its low 32 bits. */
  narrowInt32: Convert;
  /** int64 to its lowest bit, as a bitmap. */
  narrowBool: Convert;

  // ─── sort ───

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
   * `sortOrder` flags. Timestamps are int64.
   */
  encodeSortInt64: EncodeSort;
  encodeSortInt32: EncodeSort;
  encodeSortBool: EncodeSort;
  /** NaN above all numbers; -0 equal to 0. */
  encodeSortFloat64: EncodeSort;
  /** Byte order, which is the order of code points. The texts must stay where they are. */
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
}

let compiled: WebAssembly.Module | undefined;

/** Links the kernels to a memory. The module is compiled once per thread (about 5 ms). */
export function instantiateKernels(memory: WebAssembly.Memory): Kernels {
  compiled ??= new WebAssembly.Module(decodeBase64(kernelsBase64));
  const instance = new WebAssembly.Instance(compiled, { env: { memory } });
  return instance.exports as unknown as Kernels;
}

/** The bytes of base64 text; `atob` skips its line breaks. */
function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
