/** Equal rows: whether a row of one batch has the values of a row of another, of the same columns, bit by bit. */
import type { Batch, Column } from '../../batch/batch.ts';
import { inlineSizeMax, utf8ViewSize } from '../../batch/utf8-view.ts';
import { layoutOf, valueSizeOf } from '../../schema/field-type.ts';

/** Compares stored rows; nulls are equal to nulls, and so is NaN to what has its bits. */
export function areRowsEqual(left: Batch, row: number, right: Batch, other: number): boolean {
  for (let at = 0; at < left.columns.length; at++) {
    const [a, b] = [left.columns[at] as Column, right.columns[at] as Column];
    const { bytes } = left.memory;
    const isThere = a.validity === 0 || bitAt(bytes, a.validity, row);
    if (isThere !== (b.validity === 0 || bitAt(bytes, b.validity, other))) return false;
    if (isThere && !isValueEqual(left, a, row, b, other)) return false;
  }
  return true;
}

function isValueEqual(
  { memory: { bytes, uint32 } }: Batch,
  a: Column,
  row: number,
  b: Column,
  other: number,
): boolean {
  if (layoutOf(a.type) === 'view') {
    return isViewEqual(
      uint32,
      bytes,
      a.values + row * utf8ViewSize,
      b.values + other * utf8ViewSize,
    );
  }
  const size = valueSizeOf(a.type);
  if (size === 0) return bitAt(bytes, a.values, row) === bitAt(bytes, b.values, other);
  return areBytesEqual(bytes, a.values + row * size, b.values + other * size, size);
}

function isViewEqual(uint32: Uint32Array, bytes: Uint8Array, a: number, b: number): boolean {
  const length = uint32[a >>> 2] ?? 0;
  if (length !== uint32[b >>> 2]) return false;
  if (!areBytesEqual(bytes, a + 8, b + 8, 8)) return false;
  if (length <= inlineSizeMax) return true;
  const [from, to] = [uint32[(a >>> 2) + 1] ?? 0, uint32[(b >>> 2) + 1] ?? 0];
  return areBytesEqual(bytes, from, to, length);
}

function areBytesEqual(bytes: Uint8Array, a: number, b: number, count: number): boolean {
  for (let at = 0; at < count; at++) if (bytes[a + at] !== bytes[b + at]) return false;
  return true;
}

function bitAt(bytes: Uint8Array, bitmap: number, row: number): boolean {
  return (((bytes[bitmap + (row >>> 3)] ?? 0) >>> (row & 7)) & 1) === 1;
}
