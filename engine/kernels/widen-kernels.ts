/**
 * The widening kernels as TypeScript sees them. Conventions: engine/kernels/kernels.ts.
 */

/** Turns `rowCount` stored values into another width. */
type Convert = (values: number, rowCount: number, out: number) => void;

/** Other widths of fixed-size values: all stored rows, values of nulls included. */
export interface WidenKernels {
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
}
