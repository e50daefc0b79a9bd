/**
 * Accumulator kernels of 8 bytes: one typed loop per function over the slots that a find call gave. A
 * null adds nothing. All but the counts set the accumulator's flag, so that a group of nulls stays null.
 */
import { isBetter } from './cell-values.as';
import { flagValue, hasFlag, isValid, rowAt, slotAt } from './inline.as';

export function accumulateCount(slots: usize, count: u32, offset: u32): void {
  for (let index: u32 = 0; index < count; index++) {
    const cell = slotAt(slots, index) + offset;
    store<u64>(cell, load<u64>(cell) + 1);
  }
}

export function accumulateCountValid(
  slots: usize, count: u32, offset: u32, validity: usize, selection: usize, fromRow: u32,
): void {
  for (let index: u32 = 0; index < count; index++) {
    const cell = slotAt(slots, index) + offset;
    store<u64>(cell, load<u64>(cell) + u64(isValid(validity, rowAt(selection, fromRow + index))));
  }
}

export function accumulateSumInt64(
  slots: usize, count: u32, offset: u32, flags: u32, flag: u32, values: usize, validity: usize, selection: usize,
  fromRow: u32,
): i32 {
  for (let index: u32 = 0; index < count; index++) {
    const row = rowAt(selection, fromRow + index);
    if (!isValid(validity, row)) continue;
    const slot = slotAt(slots, index);
    const before = load<i64>(slot + offset);
    const value = load<i64>(values + (<usize>row << 3));
    const after = before + value;
    // Overflow: both terms have the sign that the result lacks.
    if (((before ^ after) & (value ^ after)) < 0) return <i32>(fromRow + index);
    store<i64>(slot + offset, after);
    flagValue(slot + flags, flag);
  }
  return -1;
}

export function accumulateSumFloat64(
  slots: usize, count: u32, offset: u32, flags: u32, flag: u32, values: usize, validity: usize, selection: usize,
  fromRow: u32,
): i32 {
  for (let index: u32 = 0; index < count; index++) {
    const row = rowAt(selection, fromRow + index);
    if (!isValid(validity, row)) continue;
    const slot = slotAt(slots, index);
    store<f64>(slot + offset, load<f64>(slot + offset) + load<f64>(values + (<usize>row << 3)));
    flagValue(slot + flags, flag);
  }
  return -1;
}

@inline function keepBest<T>(
  isMax: bool, slots: usize, count: u32, offset: u32, flags: u32, flag: u32, values: usize, validity: usize,
  selection: usize, fromRow: u32,
): i32 {
  for (let index: u32 = 0; index < count; index++) {
    const row = rowAt(selection, fromRow + index);
    if (!isValid(validity, row)) continue;
    const slot = slotAt(slots, index);
    const value = load<T>(values + (<usize>row << 3));
    if (hasFlag(slot + flags, flag) && !isBetter<T>(isMax, value, load<T>(slot + offset))) continue;
    store<T>(slot + offset, value);
    flagValue(slot + flags, flag);
  }
  return -1;
}

export function accumulateMinInt64(
  slots: usize, count: u32, offset: u32, flags: u32, flag: u32, values: usize, validity: usize, selection: usize,
  fromRow: u32,
): i32 {
  return keepBest<i64>(false, slots, count, offset, flags, flag, values, validity, selection, fromRow);
}

export function accumulateMaxInt64(
  slots: usize, count: u32, offset: u32, flags: u32, flag: u32, values: usize, validity: usize, selection: usize,
  fromRow: u32,
): i32 {
  return keepBest<i64>(true, slots, count, offset, flags, flag, values, validity, selection, fromRow);
}

export function accumulateMinFloat64(
  slots: usize, count: u32, offset: u32, flags: u32, flag: u32, values: usize, validity: usize, selection: usize,
  fromRow: u32,
): i32 {
  return keepBest<f64>(false, slots, count, offset, flags, flag, values, validity, selection, fromRow);
}

export function accumulateMaxFloat64(
  slots: usize, count: u32, offset: u32, flags: u32, flag: u32, values: usize, validity: usize, selection: usize,
  fromRow: u32,
): i32 {
  return keepBest<f64>(true, slots, count, offset, flags, flag, values, validity, selection, fromRow);
}

export function accumulateFirst8(
  slots: usize, count: u32, offset: u32, flags: u32, flag: u32, values: usize, validity: usize, selection: usize,
  fromRow: u32,
): i32 {
  for (let index: u32 = 0; index < count; index++) {
    const row = rowAt(selection, fromRow + index);
    const slot = slotAt(slots, index);
    if (hasFlag(slot + flags, flag) || !isValid(validity, row)) continue;
    store<u64>(slot + offset, load<u64>(values + (<usize>row << 3)));
    flagValue(slot + flags, flag);
  }
  return -1;
}

export function accumulateLast8(
  slots: usize, count: u32, offset: u32, flags: u32, flag: u32, values: usize, validity: usize, selection: usize,
  fromRow: u32,
): i32 {
  for (let index: u32 = 0; index < count; index++) {
    const row = rowAt(selection, fromRow + index);
    if (!isValid(validity, row)) continue;
    const slot = slotAt(slots, index);
    store<u64>(slot + offset, load<u64>(values + (<usize>row << 3)));
    flagValue(slot + flags, flag);
  }
  return -1;
}
