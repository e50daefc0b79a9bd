/**
 * Accumulator kernels of 16 bytes: sums and extremes of int128, which are decimals and sums of int64
 * that can't overflow, and any value of 16 bytes that is kept as it is.
 */
import { flagValue, hasFlag, isValid, rowAt, slotAt } from './inline.as';

/** 10^38: no decimal reaches it. */
@inline const limitHigh: u64 = 0x4b3b4ca85a86c47a;
@inline const limitLow: u64 = 0x098a224000000000;

/** Adds to a cell; false when the sum has more than 38 digits. */
@inline function addToCell(cell: usize, low: u64, high: i64): bool {
  const lowBefore = load<u64>(cell);
  const highBefore = load<i64>(cell, 8);
  const lowAfter = lowBefore + low;
  const highAfter = highBefore + high + i64(lowAfter < low);
  if (((highBefore ^ highAfter) & (high ^ highAfter)) < 0) return false;
  // The absolute value: all bits inverted, plus 1, where it is negative.
  const sign = <u64>(highAfter >> 63);
  const absoluteLow = (lowAfter ^ sign) - sign;
  const absoluteHigh = (<u64>highAfter ^ sign) + u64(sign != 0 && absoluteLow == 0);
  if (absoluteHigh > limitHigh || (absoluteHigh == limitHigh && absoluteLow >= limitLow)) return false;
  store<u64>(cell, lowAfter);
  store<i64>(cell, highAfter, 8);
  return true;
}

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

@inline function isLess(a: usize, b: usize): bool {
  const highA = load<i64>(a, 8);
  const highB = load<i64>(b, 8);
  return highA < highB || (highA == highB && load<u64>(a) < load<u64>(b));
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
    if (hasFlag(slot + flags, flag) && !(isMax ? isLess(cell, value) : isLess(value, cell))) continue;
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
