/**
 * The kernels that compiled expressions call, a value at a time. Conventions:
 * engine/kernels/kernels.ts; texts are an address and a length in bytes.
 */
import type { CastTextKernels } from './cast-text-kernels.ts';
import type { TextFunctionKernels } from './text-function-kernels.ts';

export interface ExpressionKernels extends TextFunctionKernels, CastTextKernels {
  /** Whether two runs of more than 8 bytes are equal behind their first 8. */
  isSameTail(a: number, b: number, length: number): number;
  /** Below, equal to or above 0, as the bytes of `a` are to those of `b`. */
  compareTexts(a: number, aLength: number, b: number, bLength: number): number;
  /** The rest of a division towards zero, as JavaScript's `%` has it. */
  floatModulo(a: number, b: number): number;
  /** The whole part of a decimal, its fraction cut off, modulo 2^64. */
  wholeOfDecimal(low: bigint, high: bigint, scale: number): bigint;
  /** 1 when that part has more than 64 bits. */
  isWideDecimal(low: bigint, high: bigint, scale: number): number;
}
