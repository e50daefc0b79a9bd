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

/** Moments are kept within this many milliseconds of 1970, so that sums with them are exact. */
@inline const momentMsMax: i64 = 1 << 52;

@inline export function momentMs(values: usize, row: u32, unitsPerMs: u32): i64 {
  let moment = load<i64>(values + (<usize>row << 3));
  if (unitsPerMs != 1) moment = floorDivide(moment, <i64>unitsPerMs);
  return min<i64>(max<i64>(moment, -momentMsMax), momentMsMax);
}

export function windowEnds(
  values: usize, validity: usize, selection: usize, rowCount: u32, unitsPerMs: u32, periodMs: f64, offsetMs: f64,
  behindMs: f64, givesNulls: u32, outRows: usize, outEnds: usize,
): u32 {
  const period = <i64>periodMs;
  const offset = ((<i64>offsetMs % period) + period) % period;
  const behind = <i64>behindMs;
  let found: u32 = 0;
  for (let index: u32 = 0; index < rowCount; index++) {
    const row = rowAt(selection, index);
    let isIn = givesNulls != 0;
    let end: i64 = 0;
    if (isValid(validity, row)) {
      const moment = momentMs(values, row, unitsPerMs);
      end = floorDivide(moment - offset, period) * period + offset + behind;
      isIn = end > moment;
    }
    store<i64>(outEnds + (<usize>row << 3), end);
    store<u32>(outRows + (<usize>found << 2), row);
    found += u32(isIn);
  }
  return found;
}

export function timeBounds(
  values: usize, validity: usize, selection: usize, rowCount: u32, unitsPerMs: u32, outBounds: usize,
): u32 {
  let least: i64 = i64.MAX_VALUE;
  let most: i64 = i64.MIN_VALUE;
  let count: u32 = 0;
  for (let index: u32 = 0; index < rowCount; index++) {
    const row = rowAt(selection, index);
    if (!isValid(validity, row)) continue;
    const moment = load<i64>(values + (<usize>row << 3));
    least = min<i64>(least, moment);
    most = max<i64>(most, moment);
    count++;
  }
  if (count == 0) return 0;
  store<i64>(outBounds, least);
  store<i64>(outBounds, most, 8);
  store<f64>(outBounds, <f64>momentMs(outBounds, 0, unitsPerMs));
  store<f64>(outBounds, <f64>momentMs(outBounds, 1, unitsPerMs), 8);
  return count;
}

export function paneStarts(
  values: usize, validity: usize, selection: usize, rowCount: u32, unitsPerMs: u32, paneMs: f64, offsetMs: f64,
  shifts: usize, shiftCount: u32, outStarts: usize,
): void {
  const size = <i64>paneMs;
  const offset = ((<i64>offsetMs % size) + size) % size;
  let start: i64 = 0;
  let end: i64 = 0;
  let result: f64 = 0;
  for (let index: u32 = 0; index < rowCount; index++) {
    const row = rowAt(selection, index);
    if (!isValid(validity, row)) continue;
    let moment = momentMs(values, row, unitsPerMs);
    if (shiftCount != 0) moment += shiftAt(shifts, shiftCount, moment);
    if (moment < start || moment >= end) {
      const shifted = moment - offset;
      start = floorDivide(shifted, size) * size + offset;
      end = start + size;
      result = <f64>start;
    }
    store<f64>(outStarts + (<usize>row << 3), result);
  }
}

/** What a clock is ahead of UTC at a moment: pairs of since when, ascending, and how much; the first is for all before. */
function shiftAt(shifts: usize, shiftCount: u32, moment: i64): i64 {
  let low: u32 = 0;
  let high = shiftCount;
  const at = <f64>moment;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (load<f64>(shifts + (<usize>middle << 4)) <= at) low = middle;
    else high = middle;
  }
  return <i64>load<f64>(shifts + (<usize>low << 4), 8);
}
