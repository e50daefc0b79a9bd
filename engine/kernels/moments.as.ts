/**
 * Moments: count, mean and sum of squared distances from it (m2), in 24 bytes, from which variances
 * follow. A value at a time (Welford), or two groups into one (Chan): neither subtracts large sums, so
 * values far from zero lose no digits.
 * @see Chan, Golub and LeVeque 1983, Algorithms for Computing the Sample Variance.
 */
import { addMoments } from './cell-values.as';
import { flagValue, isValid, rowAt, slotAt } from './inline.as';

export function accumulateMoments(
  slots: usize, count: u32, offset: u32, flags: u32, flag: u32, values: usize, validity: usize, selection: usize,
  fromRow: u32,
): i32 {
  for (let index: u32 = 0; index < count; index++) {
    const row = rowAt(selection, fromRow + index);
    if (!isValid(validity, row)) continue;
    const slot = slotAt(slots, index);
    const cell = slot + offset;
    const value = load<f64>(values + (<usize>row << 3));
    const members = load<i64>(cell) + 1;
    const mean = load<f64>(cell, 8);
    const distance = value - mean;
    const meanAfter = mean + distance / <f64>members;
    store<i64>(cell, members);
    store<f64>(cell, meanAfter, 8);
    store<f64>(cell, load<f64>(cell, 16) + distance * (value - meanAfter), 16);
    flagValue(slot + flags, flag);
  }
  return -1;
}

export function mergeMoments(
  slots: usize, count: u32, offset: u32, flags: u32, flag: u32, values: usize, validity: usize, selection: usize,
  fromRow: u32,
): i32 {
  for (let index: u32 = 0; index < count; index++) {
    const row = rowAt(selection, fromRow + index);
    if (!isValid(validity, row)) continue;
    const slot = slotAt(slots, index);
    const cell = slot + offset;
    const moments = values + <usize>row * 24;
    addMoments(cell, moments);
    flagValue(slot + flags, flag);
  }
  return -1;
}

export function varianceOf(
  counts: usize, m2: usize, groupCount: u32, lost: u32, isRoot: bool, out: usize, validity: usize,
): void {
  for (let group: u32 = 0; group < groupCount; group++) {
    const members = load<i64>(counts + (<usize>group << 3)) - <i64>lost;
    const variance = load<f64>(m2 + (<usize>group << 3)) / <f64>members;
    store<f64>(out + (<usize>group << 3), isRoot ? sqrt<f64>(variance) : variance);
    if (members > 0 || validity == 0) continue;
    const byte = validity + (group >> 3);
    store<u8>(byte, load<u8>(byte) & <u8>~(<u32>1 << (group & 7)));
  }
}

/** An int128 as the nearest float64, but for the last digit of very large ones. */
@inline function floatOf(low: u64, high: i64): f64 {
  // A value of int64 is converted in one step, which is exact up to 2^53.
  if (high == <i64>low >> 63) return <f64>(<i64>low);
  return <f64>high * 18446744073709551616.0 + <f64>low;
}

export function averageOfInt128(sums: usize, counts: usize, groupCount: u32, divisor: f64, out: usize): void {
  for (let group: u32 = 0; group < groupCount; group++) {
    const sum = sums + (<usize>group << 4);
    const members = <f64>load<i64>(counts + (<usize>group << 3));
    store<f64>(out + (<usize>group << 3), floatOf(load<u64>(sum), load<i64>(sum, 8)) / members / divisor);
  }
}

export function averageOfFloat64(sums: usize, counts: usize, groupCount: u32, out: usize): void {
  for (let group: u32 = 0; group < groupCount; group++) {
    const members = <f64>load<i64>(counts + (<usize>group << 3));
    store<f64>(out + (<usize>group << 3), load<f64>(sums + (<usize>group << 3)) / members);
  }
}

export function int64ToFloat64(values: usize, rowCount: u32, out: usize): void {
  for (let row: u32 = 0; row < rowCount; row++) {
    store<f64>(out + (<usize>row << 3), <f64>load<i64>(values + (<usize>row << 3)));
  }
}

export function int128ToFloat64(values: usize, rowCount: u32, divisor: f64, out: usize): void {
  for (let row: u32 = 0; row < rowCount; row++) {
    const value = values + (<usize>row << 4);
    store<f64>(out + (<usize>row << 3), floatOf(load<u64>(value), load<i64>(value, 8)) / divisor);
  }
}
