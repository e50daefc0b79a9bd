/**
 * What importing shares: a part of an Arrow array that goes into a batch, room for it, bitmaps, and
 * what can be wrong with it.
 *
 * What comes from outside is not trusted: lengths of buffers, offsets, indexes and the text itself are
 * checked, for a kernel would read past a block otherwise.
 */
import type * as arrow from 'apache-arrow';
import { type TypedError, typedError } from '../../base/typed-error.ts';
import type { Kernels } from '../kernels/kernels.ts';
import { addressOf, type BlockHandle, type MemoryScope } from '../memory/slot-memory.ts';
import { bitmapSizeOf, typeText } from '../schema/field-type.ts';
import type { Field } from '../schema/schema.ts';
import type { ArrowDictionaries } from './arrow-dictionaries.ts';

export interface ArrowTarget {
  readonly kernels: Kernels;
  readonly scope: MemoryScope;
}

/** Rows of an array of Arrow that become a column. */
export interface Part extends ArrowTarget {
  /** Items and parts of structs are named by their way there: `tags[]`, `address.city`. */
  readonly field: Field;
  readonly data: arrow.Data;
  readonly fromRow: number;
  readonly rowCount: number;
  /** Where allocated blocks are noted. */
  readonly blocks: BlockHandle[];
  readonly dictionaries: ArrowDictionaries;
}

/** A block that the column holds; its address. */
export function allocate(part: Part, sizeBytes: number): number {
  const block = part.scope.allocate(Math.max(1, sizeBytes));
  part.blocks.push(block);
  return addressOf(block);
}

export function bytesOf(values: ArrayBufferView | undefined): Uint8Array {
  if (values === undefined) return new Uint8Array(0);
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** The address of a bitmap's part; Arrow's may start at any bit. */
export function importBits(part: Part, bits: Uint8Array): number {
  const { field, data, fromRow, rowCount, scope } = part;
  const start = data.offset + fromRow;
  if (Math.ceil((start + rowCount) / 8) > bits.length)
    throw corruptError(field, 'bits for its rows');
  const sizeBytes = bitmapSizeOf(rowCount);
  const target = allocate(part, sizeBytes);
  const { bytes } = scope.memory;
  const shift = start & 7;
  const first = Math.floor(start / 8);
  for (let index = 0; index < sizeBytes; index++) {
    const low = bits[first + index] ?? 0;
    const high = bits[first + index + 1] ?? 0;
    bytes[target + index] = (low | (high << 8)) >>> shift;
  }
  return target;
}

/** The address of the bitmap of an array's own nulls; 0 when there are none. */
export function importValidity(part: Part): number {
  const { data } = part;
  return data.nullCount > 0 ? importBits(part, bytesOf(data.nullBitmap)) : 0;
}

/** Whether a row of a bitmap of ours is not null; 0 is a bitmap without nulls. */
export function isValidAt(bytes: Uint8Array, validity: number, row: number): boolean {
  return validity === 0 || (((bytes[validity + (row >>> 3)] ?? 0) >>> (row & 7)) & 1) === 1;
}

/** Reads offsets of an array, of 4 or 8 bytes; null when it has too few for its rows. */
export function offsetsOf({ data, fromRow, rowCount }: Part): ((row: number) => number) | null {
  const offsets: unknown = data.valueOffsets;
  if (offsets instanceof Int32Array) {
    if (offsets.length < fromRow + rowCount + 1) return null;
    return (row) => offsets[fromRow + row] ?? 0;
  }
  if (!(offsets instanceof BigInt64Array) || offsets.length < fromRow + rowCount + 1) return null;
  const words = new Int32Array(offsets.buffer, offsets.byteOffset, offsets.length * 2);
  return (row) => {
    const word = (fromRow + row) * 2;
    return (words[word + 1] ?? 0) * 2 ** 32 + ((words[word] ?? 0) >>> 0);
  };
}

export function corruptError(field: Field, what: string): TypedError {
  return typedError('ARROW_CORRUPT', `the Arrow column "${field.name}" lacks ${what}`, {
    hint: 'Write the Arrow data anew; what is here was cut off or damaged.',
    details: { column: field.name },
  });
}

/** A value that a type of ours cannot hold without loss. */
export function inexactError(field: Field, value: string): TypedError {
  const type = typeText(field.type);
  return typedError(
    'VALUE_OUT_OF_RANGE',
    `the value ${value} of the Arrow column "${field.name}" does not fit ${type} exactly`,
    {
      hint: 'Round the column, or write it as another type, before it comes here.',
      details: { column: field.name, value },
    },
  );
}
