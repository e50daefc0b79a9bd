/**
 * The widening kernels as TypeScript sees them, and which of them a type needs. Conventions:
 * engine/kernels/kernels.ts.
 */
import type { FieldType } from '../schema/field-type.ts';

/** Turns `rowCount` stored values into another width. */
export type Convert = (values: number, rowCount: number, out: number) => void;

/** Other widths of fixed-size values: all stored rows, values of nulls included. */
export interface WidenKernels {
  /** Whole numbers to int64. */
  widenInt8: Convert;
  widenInt16: Convert;
  widenInt32: Convert;
  widenUint8: Convert;
  widenUint16: Convert;
  widenUint32: Convert;
  /** float32 to float64, exact. */
  widenFloat32: Convert;
  /** Bits to int64 0 and 1. */
  widenBool: Convert;
  /** float64 to bits that are equal when the keys are: one NaN, no -0. Reading back needs nothing. */
  float64KeyBits: Convert;
  /** float32 to the key bits of the same float64. */
  float32KeyBits: Convert;
  /** int64 to its low 8, 16 or 32 bits, of signed and unsigned numbers alike. */
  narrowInt8: Convert;
  narrowInt16: Convert;
  narrowInt32: Convert;
  /** float64 to the nearest float32. */
  narrowFloat32: Convert;
  /** int64 to its lowest bit, as a bitmap. */
  narrowBool: Convert;
}

/**
 * The kernel that turns values of a type into int64 (whole numbers, bool, date) or float64 (float32);
 * null for types whose values have 8 bytes or more as they are.
 */
export function widenOf(kernels: WidenKernels, { kind }: FieldType): Convert | null {
  switch (kind) {
    case 'bool':
      return kernels.widenBool;
    case 'int8':
      return kernels.widenInt8;
    case 'int16':
      return kernels.widenInt16;
    case 'int32':
    case 'date':
      return kernels.widenInt32;
    case 'uint8':
      return kernels.widenUint8;
    case 'uint16':
      return kernels.widenUint16;
    case 'uint32':
      return kernels.widenUint32;
    case 'float32':
      return kernels.widenFloat32;
    default:
      return null;
  }
}

/** As `widenOf`, for keys: equal keys get equal bytes. Floats are changed for that, with 8 bytes too. */
export function keyBitsOf(kernels: WidenKernels, type: FieldType): Convert | null {
  if (type.kind === 'float64') return kernels.float64KeyBits;
  return type.kind === 'float32' ? kernels.float32KeyBits : widenOf(kernels, type);
}

/** The kernel that turns what `widenOf` and `keyBitsOf` gave back into the type; null as there. */
export function narrowOf(kernels: WidenKernels, { kind }: FieldType): Convert | null {
  switch (kind) {
    case 'bool':
      return kernels.narrowBool;
    case 'int8':
    case 'uint8':
      return kernels.narrowInt8;
    case 'int16':
    case 'uint16':
      return kernels.narrowInt16;
    case 'int32':
    case 'uint32':
    case 'date':
      return kernels.narrowInt32;
    case 'float32':
      return kernels.narrowFloat32;
    default:
      return null;
  }
}
