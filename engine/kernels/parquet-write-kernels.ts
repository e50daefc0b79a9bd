/**
 * The kernels that write Parquet's pages, as TypeScript sees them. Conventions: engine/kernels/kernels.ts.
 */

/** Byte offsets of the u32 fields of the state of a dictionary under construction. */
export const internLayout = {
  /** Slots of 4 bytes, zeroed; at least twice as many as entries, a power of two. */
  table: 0,
  /** Count of slots less one. */
  mask: 4,
  entries: 8,
  count: 12,
  countMax: 16,
  /** Where the next long text is copied to, and the end of the room for them. */
  textAt: 20,
  textEnd: 24,
  size: 32,
} as const;

/** Bytes that `writeRuns` may write. */
export function runsBytesMax(count: number): number {
  return count * 5 + 64;
}

/** Columns to what pages hold. */
export interface ParquetWriteKernels {
  /**
   * The stored rows that have a value, as u32, and a bit for each row from `outBit` on. `outRows`: room
   * for `rowCount`.
   * @returns How many have one.
   */
  presentRows(
    validity: number,
    selection: number,
    rowCount: number,
    outRows: number,
    outBits: number,
    outBit: number,
  ): number;
  /** Writes u32 values of `width` bits as runs; room for `runsBytesMax`. @returns Count of bytes. */
  writeRuns(values: number, count: number, width: number, out: number): number;
  /** Writes bits as runs of width 1; room for as many bytes as bits, and 16. @returns Count of bytes. */
  writeBitRuns(bits: number, count: number, out: number): number;
  /** Writes texts behind their u32 lengths; up to 15 bytes more. @returns Count of bytes. */
  plainTexts(views: number, count: number, out: number): number;
  /** The low `size` bytes of decimals, the highest first. */
  fixedFromDecimals(values: number, count: number, size: number, out: number): void;
  /** The low 4 or 8 bytes of decimals. */
  lowWords(values: number, count: number, size: number, out: number): void;
}

/** Dictionaries under construction: values to the numbers of entries. */
export interface InternKernels {
  /** Values of 4, 8 or 16 bytes. @returns How many there was room for. */
  internFixed(state: number, values: number, size: number, count: number, out: number): number;
  /** Texts. @returns How many there was room for. */
  internTexts(state: number, views: number, count: number, out: number): number;
  /** Fills another table, which is zeroed, with the entries. */
  internAgain(state: number, size: number, isText: number): void;
}

/** The least and the largest of values: both at `result`, in that order. Of no values they are anything. */
export interface ExtremesKernels {
  /** Integers of 4 or 8 bytes, as int64. */
  extremesOfInts(
    values: number,
    count: number,
    size: number,
    isSigned: number,
    result: number,
  ): void;
  /** Floats of 4 or 8 bytes, as float64. @returns How many are no NaN. */
  extremesOfFloats(values: number, count: number, size: number, result: number): number;
  extremesOfDecimals(values: number, count: number, result: number): void;
  /** Their numbers among the views, as u32; bytes are compared without a sign. */
  extremesOfTexts(views: number, count: number, result: number): void;
}

/** Bloom filters of blocks of 32 bytes. */
export interface BloomKernels {
  /** Adds values of `size` bytes. */
  bloomAddFixed(
    values: number,
    count: number,
    size: number,
    blocks: number,
    blockCount: number,
  ): void;
  bloomAddTexts(views: number, count: number, blocks: number, blockCount: number): void;
}
