/**
 * The layout of a body: where each column's buffers are in it. Shared by who reads bodies in a slot's
 * memory (engine/batch/wire.ts) and by who reads a copy of one (engine/batch/ipc.ts).
 *
 *     0   u32 mark   u32 rows   u32 columns   u32 bytes of the body
 *     16  per column: u32 bytes of the validity bitmap (0 = no nulls), u32 bytes of values or text
 *         per column: [bitmap] [values]            bits, fixed
 *                     [bitmap] [offsets] [text]    views: rows + 1 int32 offsets from 0; "text" is the
 *                                                  bytes of any of them
 *
 * Every part starts at a multiple of 8. Bodies live between threads of one process, and in its spill
 * files, only, so the layout may change with any version.
 */
import { assert } from '../../base/assert.ts';
import { bitmapSizeOf, type FieldType, layoutOf, valuesSizeOf } from '../schema/field-type.ts';
import type { Schema } from '../schema/schema.ts';
import { batchRowsMax } from './batch.ts';

/** The first word of a body: shows a reader that is out of step at once. */
export const bodyMark = 0x4c57_524d;
export const headerBytes = 16;
export const columnHeaderBytes = 8;

/** Where a column's buffers are: byte positions in what the body was read from. */
export interface BodyPart {
  /** 0 when no value is null. */
  readonly validity: number;
  /** The values; of views the offsets. */
  readonly values: number;
  readonly valuesBytes: number;
  /** Of views only. */
  readonly text: number;
  readonly textBytes: number;
}

export interface BodyLayout {
  readonly rowCount: number;
  readonly parts: readonly BodyPart[];
}

export function bodyHeaderBytes(columnCount: number): number {
  return headerBytes + columnCount * columnHeaderBytes;
}

/** Bytes of a part that holds bits or values of fixed size, or the offsets of views. */
export function partBytesOf(type: FieldType, rowCount: number): number {
  return roundUp(isView(type) ? (rowCount + 1) * 4 : valuesSizeOf(type, rowCount));
}

export function roundUp(sizeBytes: number): number {
  return Math.ceil(sizeBytes / 8) * 8;
}

export function isView(type: FieldType): boolean {
  return layoutOf(type) === 'view';
}

/** The size of the body that begins at `start`, as it says itself. */
export function bodySizeAt(uint32: Uint32Array, start: number): number {
  return uint32[(start >>> 2) + 3] ?? 0;
}

/**
 * Reads the layout of the body of `sizeBytes` bytes at `start`, and asserts that it is whole.
 *
 * @param uint32 - All that the positions refer to: a slot's memory, or a copy of a body.
 */
export function readBodyLayout(
  uint32: Uint32Array,
  schema: Schema,
  body: { readonly start: number; readonly sizeBytes: number },
): BodyLayout {
  const { start, sizeBytes } = body;
  const columnCount = schema.fields.length;
  const header = start >>> 2;
  assert(sizeBytes >= bodyHeaderBytes(columnCount), 'a body holds its header');
  assert(uint32[header] === bodyMark, 'a body starts with its mark');
  const rowCount = uint32[header + 1]!;
  assert(rowCount <= batchRowsMax, 'a body has at most 8,192 rows');
  assert(uint32[header + 2] === columnCount, 'a body has the columns of its schema');
  assert(uint32[header + 3] === sizeBytes, 'a body is as long as it says');
  let at = start + bodyHeaderBytes(columnCount);
  const parts = schema.fields.map(({ type }, index): BodyPart => {
    const columnHeader = (start + headerBytes + index * columnHeaderBytes) >>> 2;
    const validityBytes = uint32[columnHeader]!;
    const isSized = validityBytes === 0 || validityBytes === bitmapSizeOf(rowCount);
    assert(isSized, 'a bitmap of a body has a bit per row');
    const values = at + validityBytes;
    const valuesBytes = partBytesOf(type, rowCount);
    const text = values + valuesBytes;
    const textBytes = isView(type) ? uint32[columnHeader + 1]! : 0;
    assert(isView(type) || uint32[columnHeader + 1] === valuesBytes, 'values fit their rows');
    const validity = validityBytes === 0 ? 0 : at;
    at = text + roundUp(textBytes);
    assert(at <= start + sizeBytes, 'a body ends with its last column');
    if (isView(type)) checkOffsets(uint32, values, rowCount, textBytes);
    return { validity, values, valuesBytes, text, textBytes };
  });
  assert(at === start + sizeBytes, 'a body ends with its last column');
  return { rowCount, parts };
}

function checkOffsets(
  uint32: Uint32Array,
  offsets: number,
  rowCount: number,
  textBytes: number,
): void {
  assert(uint32[offsets >>> 2] === 0, 'offsets of text start at 0');
  assert(uint32[(offsets >>> 2) + rowCount] === textBytes, 'offsets of text end with the text');
}
