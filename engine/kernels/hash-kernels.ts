/**
 * The hash kernels as TypeScript sees them: hashes of columns, rows by key group. Conventions:
 * engine/kernels/kernels.ts.
 */

/** Hashes a column to u32, one per row of the selection; never 0. */
type HashColumn = (
  values: number,
  validity: number,
  selection: number,
  rowCount: number,
  outHashes: number,
) => void;

/** Hashes of columns, and rows by partition. */
export interface HashKernels {
  /** Views of any type. */
  hashUtf8: HashColumn;
  /** 8 bytes: whole numbers, timestamps, key bits of floats. */
  hashInt64: HashColumn;
  /** 16 bytes, hashed as such: decimals. */
  hashInt128: HashColumn;
  /** Mixes the hashes of another column into those of one; the order of columns matters. */
  combineHashes(hashes: number, others: number, rowCount: number): void;
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
}
