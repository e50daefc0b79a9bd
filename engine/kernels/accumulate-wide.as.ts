/**
 * Accumulator kernels of 16 bytes: sums and extremes of int128, which are decimals and sums of int64
 * that can't overflow, and any value of 16 bytes that is kept as it is.
 */
import { addToCell, isLess128 } from './cell-values.as';
import { flagValue, hasFlag, isValid, rowAt, slotAt } from './inline.as';

export function accumulateSumInt128(
  slots: usize, count: u32, offset: u32, flags: u32, flag: u32, values: usize, validity: usize, selection: usize,
  fromRow: u32,
): i32 {
  for (let index: u32 = 0; index < count; index++) {
    const row = rowAt(selection, fromRow + index);
    if (!isValid(validity, row)) continue;
    const slot = slotAt(slots, index);
    const value = values + (<usize>row << 4);
    if (!addToCell(slot + offset, load<u64>(value), load<i64>(value, 8))) return <i32>(fromRow + index);
    flagValue(slot + flags, flag);
  }
  return -1;
}

/** Sums int64 values; 2^63 of them fit. */
export function accumulateSumInt64Wide(
  slots: usize, count: u32, offset: u32, flags: u32, flag: u32, values: usize, validity: usize, selection: usize,
  fromRow: u32,
): i32 {
  for (let index: u32 = 0; index < count; index++) {
    const row = rowAt(selection, fromRow + index);
    if (!isValid(validity, row)) continue;
    const slot = slotAt(slots, index);
    const cell = slot + offset;
    const value = load<i64>(values + (<usize>row << 3));
    const low = load<u64>(cell) + <u64>value;
    store<u64>(cell, low);
    store<i64>(cell, load<i64>(cell, 8) + (value >> 63) + i64(low < <u64>value), 8);
    flagValue(slot + flags, flag);
  }
  return -1;
}

@inline function keepBest16(
  isMax: bool, slots: usize, count: u32, offset: u32, flags: u32, flag: u32, values: usize, validity: usize,
  selection: usize, fromRow: u32,
): i32 {
  for (let index: u32 = 0; index < count; index++) {
    const row = rowAt(selection, fromRow + index);
    if (!isValid(validity, row)) continue;
    const slot = slotAt(slots, index);
    const cell = slot + offset;
    const value = values + (<usize>row << 4);
    if (hasFlag(slot + flags, flag) && !(isMax ? isLess128(cell, value) : isLess128(value, cell))) continue;
    v128.store(cell, v128.load(value));
    flagValue(slot + flags, flag);
  }
  return -1;
}

export function accumulateMinInt128(
  slots: usize, count: u32, offset: u32, flags: u32, flag: u32, values: usize, validity: usize, selection: usize,
  fromRow: u32,
): i32 {
  return keepBest16(false, slots, count, offset, flags, flag, values, validity, selection, fromRow);
}

export function accumulateMaxInt128(
  slots: usize, count: u32, offset: u32, flags: u32, flag: u32, values: usize, validity: usize, selection: usize,
  fromRow: u32,
): i32 {
  return keepBest16(true, slots, count, offset, flags, flag, values, validity, selection, fromRow);
}

export function accumulateFirst16(
  slots: usize, count: u32, offset: u32, flags: u32, flag: u32, values: usize, validity: usize, selection: usize,
  fromRow: u32,
): i32 {
  for (let index: u32 = 0; index < count; index++) {
    const row = rowAt(selection, fromRow + index);
    const slot = slotAt(slots, index);
    if (hasFlag(slot + flags, flag) || !isValid(validity, row)) continue;
    v128.store(slot + offset, v128.load(values + (<usize>row << 4)));
    flagValue(slot + flags, flag);
  }
  return -1;
}

export function accumulateLast16(
  slots: usize, count: u32, offset: u32, flags: u32, flag: u32, values: usize, validity: usize, selection: usize,
  fromRow: u32,
): i32 {
  for (let index: u32 = 0; index < count; index++) {
    const row = rowAt(selection, fromRow + index);
    if (!isValid(validity, row)) continue;
    const slot = slotAt(slots, index);
    v128.store(slot + offset, v128.load(values + (<usize>row << 4)));
    flagValue(slot + flags, flag);
  }
  return -1;
}
