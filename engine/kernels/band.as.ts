/**
 * Band kernels: rows of a stream with their times, pairs of rows whose times are near, and slots of a join
 * table that moves to a larger place. The table is that of join.as.ts; its rows come in any order of time.
 *
 *     pair   keys are equal, and low <= time of the build row - time of the probe row <= high
 */
import { hashOfInt64, isValid, rowAt } from './inline.as';

/** Steps along chains that one call makes, about. */
@inline const stepsMax: u32 = 65536;

export function timedRows(
  values: usize, validity: usize, selection: usize, rowCount: u32, factor: u32, lateBefore: f64,
  keyValidity: usize, isKeyByPlace: u32, outRows: usize, outTimes: usize, outAlone: usize, outState: usize,
): u32 {
  const bound = <i64>lateBefore;
  let found: u32 = 0;
  let alone: u32 = 0;
  let late: u32 = 0;
  let least: i64 = i64.MAX_VALUE;
  let most: i64 = i64.MIN_VALUE;
  for (let index: u32 = 0; index < rowCount; index++) {
    const row = rowAt(selection, index);
    const hasTime = isValid(validity, row);
    const time = hasTime ? load<i64>(values + (<usize>row << 3)) * <i64>factor : 0;
    if (hasTime && time < bound) {
      late++;
      continue;
    }
    if (!hasTime || !isValid(keyValidity, isKeyByPlace ? index : row)) {
      store<u32>(outAlone + (<usize>alone << 2), row);
      alone++;
      continue;
    }
    store<u32>(outRows + (<usize>found << 2), row);
    store<i64>(outTimes + (<usize>found << 3), time);
    least = min(least, time);
    most = max(most, time);
    found++;
  }
  store<u32>(outState, alone);
  store<u32>(outState, late, 4);
  store<f64>(outState, <f64>least, 8);
  store<f64>(outState, <f64>most, 16);
  return found;
}

export function rowsBefore(
  rows: usize, times: usize, count: u32, high: f64, outRows: usize, outTimes: usize, outState: usize,
): u32 {
  const bound = <i64>high;
  let found: u32 = 0;
  let kept: u32 = 0;
  let least: i64 = i64.MAX_VALUE;
  for (let index: u32 = 0; index < count; index++) {
    const row = load<u32>(rows + (<usize>index << 2));
    const time = load<i64>(times + (<usize>index << 3));
    if (time < bound) {
      store<u32>(outRows + (<usize>found << 2), row);
      store<i64>(outTimes + (<usize>found << 3), time);
      found++;
    } else {
      store<u32>(rows + (<usize>kept << 2), row);
      store<i64>(times + (<usize>kept << 3), time);
      least = min(least, time);
      kept++;
    }
  }
  store<f64>(outState, <f64>least);
  return found;
}

export function joinPairsWithin(
  state: usize, heads: usize, selection: usize, rowCount: u32, next: usize, probeTimes: usize, buildTimes: usize,
  low: f64, high: f64, outProbe: usize, outBuild: usize, pairsMax: u32,
): u32 {
  const least = <i64>low;
  const most = <i64>high;
  let index = load<u32>(state);
  let link = load<u32>(state, 4);
  let made: u32 = 0;
  for (let steps: u32 = 0; index < rowCount && made < pairsMax && steps < stepsMax; steps++) {
    if (link == 0) link = load<u32>(heads + (<usize>index << 2));
    if (link != 0) {
      const near = load<i64>(buildTimes + (<usize>(link - 1) << 3)) - load<i64>(probeTimes + (<usize>index << 3));
      store<u32>(outProbe + (<usize>made << 2), rowAt(selection, index));
      store<u32>(outBuild + (<usize>made << 2), link - 1);
      made += u32(near >= least) & u32(near <= most);
      link = load<u32>(next + (<usize>(link - 1) << 2));
    }
    index += u32(link == 0);
  }
  store<u32>(state, index);
  store<u32>(state, link, 4);
  return made;
}

export function joinMoveWords(from: usize, slotCount: u32, to: usize, mask: u32): void {
  for (let slot: u32 = 0; slot < slotCount; slot++) {
    const at = from + (<usize>slot << 4);
    const head = load<u32>(at, 8);
    if (head == 0) continue;
    const key = load<u64>(at);
    let place = hashOfInt64(key) & mask;
    while (load<u32>(to + (<usize>place << 4), 8) != 0) place = (place + 1) & mask;
    store<u64>(to + (<usize>place << 4), key);
    store<u32>(to + (<usize>place << 4), head, 8);
  }
}

export function joinMoveHashes(from: usize, slotCount: u32, to: usize, mask: u32): void {
  for (let slot: u32 = 0; slot < slotCount; slot++) {
    const both = load<u64>(from + (<usize>slot << 3));
    if (both == 0) continue;
    let place = <u32>both & mask;
    while (load<u64>(to + (<usize>place << 3)) != 0) place = (place + 1) & mask;
    store<u64>(to + (<usize>place << 3), both);
  }
}

export function markNewRows(bitmap: usize, rows: usize, count: u32, out: usize): u32 {
  let found: u32 = 0;
  for (let index: u32 = 0; index < count; index++) {
    const row = load<u32>(rows + (<usize>index << 2));
    const byte = bitmap + <usize>(row >> 3);
    const bits = <u32>load<u8>(byte);
    store<u32>(out + (<usize>found << 2), row);
    found += ((bits >> (row & 7)) & 1) ^ 1;
    store<u8>(byte, <u8>(bits | (<u32>1 << (row & 7))));
  }
  return found;
}
