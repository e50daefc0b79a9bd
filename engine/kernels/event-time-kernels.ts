/**
 * The kernels of event time as TypeScript sees them. Conventions: engine/kernels/kernels.ts.
 */

/** Moments of rows. */
export interface EventTimeKernels {
  /**
   * The newest of the selected rows' moments up to `limit`, in the column's unit; minus infinity when there is
   * none. Nulls are left out.
   * @param limit - Moments after it do not count.
   * @param outBeyond - A u32: how many those are.
   */
  newestMoment(
    values: number,
    validity: number,
    selection: number,
    rowCount: number,
    limit: number,
    outBeyond: number,
  ): number;
}
