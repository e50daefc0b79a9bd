/** The digest kernels as TypeScript sees them. Conventions: engine/kernels/kernels.ts; there is never a selection. */

/** An open digest: its count of centroids, a u32; from 8 on the float64 means, and behind them the weights. */
export const digestLayout = { sizeBytes: 8 + 2 * 8 * 2_048 } as const;

/** Values in order to centroids, and those to quantiles. */
export interface DigestKernels {
  /**
   * A digest of each segment of rows that lie in order, nulls last: float64 means and weights stand in its first
   * rows, whose numbers are written as u32. A segment of nulls alone has one row, of weight 0.
   * @param marks - Bytes, 1 where a segment begins; that of row 0 is not looked at.
   * @param outMeans - Room for all rows, as `outWeights` and `outRows` have.
   * @returns How many rows there are.
   */
  digestRows(
    values: number,
    validity: number,
    marks: number,
    rowCount: number,
    outMeans: number,
    outWeights: number,
    outRows: number,
  ): number;
  /**
   * Adds centroids in order to the open digest. Whenever a segment ends its quantiles are written, each `stride` bytes
   * behind the one before it, and its bit in `outValidity`, unless it has no centroid; the digest is empty then.
   * @param segments - Their u32 numbers; the open digest is of segment 0.
   * @param shares - float64, from 0 to 1.
   * @param outValidity - Zeroes.
   */
  foldDigests(
    means: number,
    validity: number,
    weights: number,
    segments: number,
    rowCount: number,
    digest: number,
    shares: number,
    shareCount: number,
    out: number,
    stride: number,
    outValidity: number,
  ): void;
  /** The same of the last segment, which has this number. */
  endDigest(
    digest: number,
    shares: number,
    shareCount: number,
    segment: number,
    out: number,
    stride: number,
    outValidity: number,
  ): void;
}
