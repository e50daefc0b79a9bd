/**
 * Window kernels: the start of the tumbling window that a moment is in, also before 1970. A window that
 * the row before was in is tried first, since divisions of 64 bits take some ten times as long.
 */
import { isValid, rowAt } from './inline.as';

@inline function floorDivide(value: i64, divisor: i64): i64 {
  const quotient = value / divisor;
  return quotient - i64(value % divisor < 0);
}

export function windowStarts(
  values: usize, validity: usize, selection: usize, rowCount: u32, unitsPerMs: u32, sizeMs: f64, offsetMs: f64,
  outStarts: usize,
): u32 {
  const size = <i64>sizeMs;
  // Between 0 and the size, so that taking it off loses a bit of range only.
  const offset = ((<i64>offsetMs % size) + size) % size;
  let start: i64 = 0;
  let end: i64 = 0;
  for (let index: u32 = 0; index < rowCount; index++) {
    const row = rowAt(selection, index);
    if (!isValid(validity, row)) return index;
    let moment = load<i64>(values + (<usize>row << 3));
    if (unitsPerMs != 1) moment = floorDivide(moment, <i64>unitsPerMs);
    if (moment < start || moment >= end) {
      const shifted = moment - offset;
      const rest = shifted - floorDivide(shifted, size) * size;
      start = moment - rest;
      end = start + size;
      if (shifted > moment || start > moment) return index;
    }
    store<i64>(outStarts + (<usize>row << 3), start);
  }
  return rowCount;
}
