/**
 * Sort rows: columns of any type turned into u64 keys whose unsigned order is the order asked for.
 *
 *     0  u32 row number   4  u32 ranks, 2 bits per key: 0 null first, 1 value, 2 null last
 *     8  per key 16 bytes: u64 key · u32 length and u32 address of the text (0 for other types)
 *
 * Narrow rows, of fixed-width keys only (radix-sort.as.ts), have 8 bytes per key and no text.
 *
 * Descending keys are complemented. A decimal is two keys: its high half, and its low one. Text is its
 * first 8 bytes, big-endian; what they leave open is settled by the bytes in memory (sort-rows.as.ts),
 * so those must stay where they are.
 */
import { isValid, rowAt } from './inline.as';

@inline const descending: u32 = 1;
@inline const nullsLast: u32 = 2;
@inline const narrow: u32 = 4;
@inline const signBit: u64 = 0x8000000000000000;

export function startSortRows(
  selection: usize, fromRow: u32, count: u32, rows: usize, stride: u32, firstNumber: u32,
): void {
  for (let index: u32 = 0; index < count; index++) {
    const row = rows + <usize>index * stride;
    store<u32>(row, firstNumber + rowAt(selection, fromRow + index));
    store<u32>(row, 0, 4);
  }
}

/** Writes rank, key and text of one row. A null has key 0 and no text. */
@inline function storeKey(row: usize, keyIndex: u32, order: u32, isPresent: bool, key: u64, text: u64): void {
  const rank: u32 = isPresent ? 1 : order & nullsLast;
  store<u32>(row, load<u32>(row, 4) | (rank << (keyIndex << 1)), 4);
  const value: u64 = isPresent ? (order & descending ? ~key : key) : 0;
  if (order & narrow) {
    store<u64>(row + (<usize>keyIndex << 3), value, 8);
    return;
  }
  const cell = row + (<usize>keyIndex << 4);
  store<u64>(cell, value, 8);
  store<u64>(cell, isPresent ? text : 0, 16);
}

/** One NaN above all numbers, and one zero. */
@inline function floatKey(value: f64): u64 {
  const bits = value == value ? reinterpret<u64>(value + 0) : 0x7ff8000000000000;
  return bits & signBit ? ~bits : bits ^ signBit;
}

export function encodeSortInt64(
  values: usize, validity: usize, selection: usize, fromRow: u32, count: u32, rows: usize, stride: u32, keyIndex: u32, order: u32,
): void {
  for (let index: u32 = 0; index < count; index++) {
    const row = rowAt(selection, fromRow + index);
    const key = load<u64>(values + (<usize>row << 3)) ^ signBit;
    storeKey(rows + <usize>index * stride, keyIndex, order, isValid(validity, row), key, 0);
  }
}

export function encodeSortInt32(
  values: usize, validity: usize, selection: usize, fromRow: u32, count: u32, rows: usize, stride: u32, keyIndex: u32, order: u32,
): void {
  for (let index: u32 = 0; index < count; index++) {
    const row = rowAt(selection, fromRow + index);
    const key = <u64><i64>load<i32>(values + (<usize>row << 2)) ^ signBit;
    storeKey(rows + <usize>index * stride, keyIndex, order, isValid(validity, row), key, 0);
  }
}

export function encodeSortBool(
  values: usize, validity: usize, selection: usize, fromRow: u32, count: u32, rows: usize, stride: u32, keyIndex: u32, order: u32,
): void {
  for (let index: u32 = 0; index < count; index++) {
    const row = rowAt(selection, fromRow + index);
    const key = (<u64>load<u8>(values + (row >> 3)) >> (row & 7)) & 1;
    storeKey(rows + <usize>index * stride, keyIndex, order, isValid(validity, row), key, 0);
  }
}

export function encodeSortFloat64(
  values: usize, validity: usize, selection: usize, fromRow: u32, count: u32, rows: usize, stride: u32, keyIndex: u32, order: u32,
): void {
  for (let index: u32 = 0; index < count; index++) {
    const row = rowAt(selection, fromRow + index);
    const key = floatKey(load<f64>(values + (<usize>row << 3)));
    storeKey(rows + <usize>index * stride, keyIndex, order, isValid(validity, row), key, 0);
  }
}

export function encodeSortUtf8(
  values: usize, validity: usize, selection: usize, fromRow: u32, count: u32, rows: usize, stride: u32, keyIndex: u32, order: u32,
): void {
  for (let index: u32 = 0; index < count; index++) {
    const row = rowAt(selection, fromRow + index);
    const view = values + (<usize>row << 4);
    const key = bswap<u64>(load<u64>(view, 8));
    storeKey(rows + <usize>index * stride, keyIndex, order, isValid(validity, row), key, load<u64>(view));
  }
}

export function encodeSortInt8(
  values: usize, validity: usize, selection: usize, fromRow: u32, count: u32, rows: usize, stride: u32, keyIndex: u32, order: u32,
): void {
  for (let index: u32 = 0; index < count; index++) {
    const row = rowAt(selection, fromRow + index);
    const key = <u64><i64>load<i8>(values + <usize>row) ^ signBit;
    storeKey(rows + <usize>index * stride, keyIndex, order, isValid(validity, row), key, 0);
  }
}

export function encodeSortInt16(
  values: usize, validity: usize, selection: usize, fromRow: u32, count: u32, rows: usize, stride: u32, keyIndex: u32, order: u32,
): void {
  for (let index: u32 = 0; index < count; index++) {
    const row = rowAt(selection, fromRow + index);
    const key = <u64><i64>load<i16>(values + (<usize>row << 1)) ^ signBit;
    storeKey(rows + <usize>index * stride, keyIndex, order, isValid(validity, row), key, 0);
  }
}

export function encodeSortUint8(
  values: usize, validity: usize, selection: usize, fromRow: u32, count: u32, rows: usize, stride: u32, keyIndex: u32, order: u32,
): void {
  for (let index: u32 = 0; index < count; index++) {
    const row = rowAt(selection, fromRow + index);
    const key = <u64>load<u8>(values + <usize>row);
    storeKey(rows + <usize>index * stride, keyIndex, order, isValid(validity, row), key, 0);
  }
}

export function encodeSortUint16(
  values: usize, validity: usize, selection: usize, fromRow: u32, count: u32, rows: usize, stride: u32, keyIndex: u32, order: u32,
): void {
  for (let index: u32 = 0; index < count; index++) {
    const row = rowAt(selection, fromRow + index);
    const key = <u64>load<u16>(values + (<usize>row << 1));
    storeKey(rows + <usize>index * stride, keyIndex, order, isValid(validity, row), key, 0);
  }
}

export function encodeSortUint32(
  values: usize, validity: usize, selection: usize, fromRow: u32, count: u32, rows: usize, stride: u32, keyIndex: u32, order: u32,
): void {
  for (let index: u32 = 0; index < count; index++) {
    const row = rowAt(selection, fromRow + index);
    const key = <u64>load<u32>(values + (<usize>row << 2));
    storeKey(rows + <usize>index * stride, keyIndex, order, isValid(validity, row), key, 0);
  }
}

export function encodeSortFloat32(
  values: usize, validity: usize, selection: usize, fromRow: u32, count: u32, rows: usize, stride: u32, keyIndex: u32, order: u32,
): void {
  for (let index: u32 = 0; index < count; index++) {
    const row = rowAt(selection, fromRow + index);
    const key = floatKey(<f64>load<f32>(values + (<usize>row << 2)));
    storeKey(rows + <usize>index * stride, keyIndex, order, isValid(validity, row), key, 0);
  }
}

export function encodeSortDecimalHigh(
  values: usize, validity: usize, selection: usize, fromRow: u32, count: u32, rows: usize, stride: u32, keyIndex: u32, order: u32,
): void {
  for (let index: u32 = 0; index < count; index++) {
    const row = rowAt(selection, fromRow + index);
    const key = load<u64>(values + (<usize>row << 4), 8) ^ signBit;
    storeKey(rows + <usize>index * stride, keyIndex, order, isValid(validity, row), key, 0);
  }
}

export function encodeSortDecimalLow(
  values: usize, validity: usize, selection: usize, fromRow: u32, count: u32, rows: usize, stride: u32, keyIndex: u32, order: u32,
): void {
  for (let index: u32 = 0; index < count; index++) {
    const row = rowAt(selection, fromRow + index);
    const key = load<u64>(values + (<usize>row << 4));
    storeKey(rows + <usize>index * stride, keyIndex, order, isValid(validity, row), key, 0);
  }
}
