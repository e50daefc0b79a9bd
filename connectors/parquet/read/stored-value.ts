/**
 * A value of a declared type as the bytes that a file's column would have for it: the way back of the
 * conversions (plan/conversion.ts), for what knows values by their bytes.
 *
 *     12n, decimal(9,2) of int32     0c 00 00 00          0 of doubles     00 … 00 and 00 … 80, which are equal
 */
import type { Value } from '../../../engine/expr/value.ts';
import { physicalTypes } from '../parquet-metadata.ts';
import type { LeafPlan } from '../plan/parquet-split.ts';

/**
 * All bytes that the value may be stored as: none where the column can't have it.
 * @returns Null where that is not known.
 */
export function storedBytesOf(leaf: LeafPlan, value: Value): readonly Uint8Array[] | null {
  const { name, by } = leaf.conversion;
  switch (name) {
    case 'text':
      return typeof value === 'string' ? [new TextEncoder().encode(value)] : null;
    case 'bytes':
    case 'fixedBytes':
      return value instanceof Uint8Array ? [value] : null;
    case 'bits':
    case 'float32FromFloat16':
    case 'int96':
    // Each writer has its own count of bytes for a number.
    case 'decimalFromBytes':
      return null;
    default:
      return typeof value === 'bigint' || typeof value === 'number'
        ? bytesOfNumber(leaf, value, by)
        : null;
  }
}

function bytesOfNumber(
  { physical, typeLength, conversion }: LeafPlan,
  value: bigint | number,
  by: number,
): readonly Uint8Array[] | null {
  if (physical === physicalTypes.float || physical === physicalTypes.double) {
    return floatBytes(Number(value), physical === physicalTypes.float ? 4 : 8);
  }
  if (!isWhole(value)) return [];
  const whole = BigInt(value);
  switch (conversion.name) {
    case 'multiply':
      return whole % BigInt(by) === 0n ? integerBytes(whole / BigInt(by), 8) : [];
    case 'divide':
      return integerBytes(whole * BigInt(by), 8);
    case 'decimalFromFixed':
      return [integerBytes(whole, typeLength)[0]?.reverse() ?? new Uint8Array()];
    default:
      return integerBytes(whole, physical === physicalTypes.int64 ? 8 : 4);
  }
}

function isWhole(value: bigint | number): boolean {
  return typeof value === 'bigint' || Number.isInteger(value);
}

/** With the lowest byte first; what does not fit is no value of the column, whatever its bytes. */
function integerBytes(value: bigint, size: number): readonly Uint8Array[] {
  const bytes = new Uint8Array(size);
  let rest = value;
  for (let at = 0; at < size; at++, rest >>= 8n) bytes[at] = Number(rest & 0xffn);
  return [bytes];
}

function floatBytes(value: number, size: 4 | 8): readonly Uint8Array[] | null {
  if (Number.isNaN(value)) return null;
  return (value === 0 ? [0, -0] : [value]).map((one) => {
    const view = new DataView(new ArrayBuffer(size));
    if (size === 4) view.setFloat32(0, one, true);
    else view.setFloat64(0, one, true);
    return new Uint8Array(view.buffer);
  });
}
