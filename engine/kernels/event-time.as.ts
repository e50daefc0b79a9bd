/** The newest moment of rows, those left out that are too far ahead to be believed. */
import { isValid, rowAt } from './inline.as';

export function newestMoment(
  values: usize, validity: usize, selection: usize, rowCount: u32, limit: f64, outBeyond: usize,
): f64 {
  const last: i64 = limit < 9223372036854774784.0 ? <i64>limit : i64.MAX_VALUE;
  let newest: i64 = i64.MIN_VALUE;
  let beyond: u32 = 0;
  for (let index: u32 = 0; index < rowCount; index++) {
    const row = rowAt(selection, index);
    if (!isValid(validity, row)) continue;
    const moment = load<i64>(values + (<usize>row << 3));
    if (moment > last) beyond++;
    else newest = max<i64>(newest, moment);
  }
  store<u32>(outBeyond, beyond);
  return newest == i64.MIN_VALUE ? -Infinity : <f64>newest;
}
