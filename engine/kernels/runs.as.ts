/**
 * Runs: Parquet's "RLE/bit-packed hybrid", which levels, indexes of dictionaries and bools are held in.
 *
 *     run     varint: count << 1 │ the value, in whole bytes               a repeated value
 *             varint: groups << 1 | 1 │ 8 × groups values, bit after bit   packed values
 *
 * A reader is resumable: its state (`runsLayout` in parquet-kernels.ts) says where it is. Nothing of what
 * it reads is trusted; it answers with the first value that is wrong or not there.
 */

@inline const atField: usize = 0;
@inline const endField: usize = 4;
@inline const widthField: usize = 8;
@inline const leftField: usize = 12;
@inline const isPackedField: usize = 16;
@inline const valueField: usize = 20;

/** The value of a repeated run; of a packed one the place of its next group, and the next value in it. */
@inline const baseField: usize = 20;
@inline const indexField: usize = 24;

/** Starts the next run; false at the end, or where the run is damaged. */
function nextRun(state: usize): bool {
  const end = <usize>load<u32>(state, endField);
  const width = load<u32>(state, widthField);
  let at = <usize>load<u32>(state, atField);
  let header: u64 = 0;
  for (let shift: u64 = 0; ; shift += 7) {
    if (at >= end || shift > 28) return false;
    const byte = load<u8>(at++);
    header |= <u64>(byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  const count = header >> 1;
  const available = <u64>(end - at);
  if (header & 1) {
    // Some writers leave the last bytes of the last group away.
    const wanted = count * <u64>width;
    const values = wanted <= available ? count << 3 : (available << 3) / <u64>width;
    store<u32>(state, <u32>min<u64>(values, 0xffff_ffff), leftField);
    store<u32>(state, <u32>at, baseField);
    store<u32>(state, 0, indexField);
    at += <usize>min<u64>(wanted, available);
  } else {
    const size = (width + 7) >> 3;
    if (<u64>size > available) return false;
    const value = size ? load<u32>(at) & (<u32>-1 >> (32 - (size << 3))) : 0;
    store<u32>(state, <u32>min<u64>(count, 0xffff_ffff), leftField);
    store<u32>(state, value, valueField);
    at += <usize>size;
  }
  store<u32>(state, <u32>(header & 1), isPackedField);
  store<u32>(state, <u32>at, atField);
  return true;
}

export function readRuns(state: usize, count: u32, limit: u32, out: usize): u32 {
  let done: u32 = 0;
  while (done < count) {
    const left = load<u32>(state, leftField);
    if (left == 0) {
      if (!nextRun(state)) return done;
      continue;
    }
    const part = min<u32>(left, count - done);
    const target = out + (<usize>done << 2);
    if (load<u32>(state, isPackedField)) {
      if (unpack(state, part, target) >= limit) return firstFrom(limit, out, done, done + part);
    } else {
      const value = load<u32>(state, valueField);
      if (value >= limit) return done;
      repeat(value, part, target);
    }
    store<u32>(state, left - part, leftField);
    done += part;
  }
  return count;
}

/** Of the next `count` values those at `rows`, which are numbers below `count`, ascending. */
export function readRunsAt(state: usize, count: u32, limit: u32, rows: usize, rowCount: u32, out: usize): u32 {
  const width = load<u32>(state, widthField);
  const mask = (<u64>1 << <u64>width) - 1;
  let done: u32 = 0;
  let taken: u32 = 0;
  while (done < count) {
    const left = load<u32>(state, leftField);
    if (left == 0) {
      if (!nextRun(state)) return done;
      continue;
    }
    const part = min<u32>(left, count - done);
    const end = done + part;
    const isPacked = load<u32>(state, isPackedField) != 0;
    const base = <usize>load<u32>(state, baseField);
    const first = load<u32>(state, indexField);
    for (; taken < rowCount; taken++) {
      const row = load<u32>(rows + (<usize>taken << 2));
      if (row >= end) break;
      let value = <u32>base;
      if (isPacked) {
        const bit = <u64>(first + row - done) * <u64>width;
        value = <u32>((load<u64>(base + <usize>(bit >> 3)) >> (bit & 7)) & mask);
      }
      if (value >= limit) return row;
      store<u32>(out + (<usize>taken << 2), value);
    }
    if (isPacked) {
      const next = first + part;
      store<u32>(state, <u32>(base + <usize>((next >> 3) * width)), baseField);
      store<u32>(state, next & 7, indexField);
    }
    store<u32>(state, left - part, leftField);
    done = end;
  }
  return count;
}

@inline function repeat(value: u32, count: u32, out: usize): void {
  const four = i32x4.splat(value);
  let index: u32 = 0;
  for (; index + 4 <= count; index += 4) v128.store(out + (<usize>index << 2), four);
  for (; index < count; index++) store<u32>(out + (<usize>index << 2), value);
}

/** Unpacks values of the run; answers with the largest. */
function unpack(state: usize, count: u32, out: usize): u32 {
  const width = load<u32>(state, widthField);
  const mask = (<u64>1 << <u64>width) - 1;
  let base = <usize>load<u32>(state, baseField);
  const first = load<u32>(state, indexField);
  let largest: u32 = 0;
  let bit: u64 = <u64>first * <u64>width;
  for (let index: u32 = 0; index < count; index++) {
    const value = <u32>((load<u64>(base + <usize>(bit >> 3)) >> (bit & 7)) & mask);
    store<u32>(out + (<usize>index << 2), value);
    largest = max<u32>(largest, value);
    bit += <u64>width;
  }
  const next = first + count;
  store<u32>(state, <u32>(base + <usize>((next >> 3) * width)), baseField);
  store<u32>(state, next & 7, indexField);
  return largest;
}

function firstFrom(limit: u32, values: usize, from: u32, to: u32): u32 {
  for (let index = from; index < to; index++) {
    if (load<u32>(values + (<usize>index << 2)) >= limit) return index;
  }
  return to;
}

export function readRunBits(state: usize, count: u32, out: usize, outBit: u32): i32 {
  let ones: u32 = 0;
  let done: u32 = 0;
  while (done < count) {
    const left = load<u32>(state, leftField);
    if (left == 0) {
      if (!nextRun(state)) return -1;
      continue;
    }
    const part = min<u32>(left, count - done);
    if (load<u32>(state, isPackedField)) {
      const base = <usize>load<u32>(state, baseField);
      const first = load<u32>(state, indexField);
      ones += copyBits(base, first, part, out, outBit + done);
      const next = first + part;
      store<u32>(state, <u32>(base + <usize>(next >> 3)), baseField);
      store<u32>(state, next & 7, indexField);
    } else {
      const value = load<u32>(state, valueField);
      if (value > 1) return -1;
      fillBits(value, part, out, outBit + done);
      ones += value * part;
    }
    store<u32>(state, left - part, leftField);
    done += part;
  }
  return <i32>ones;
}

/** Puts up to 32 bits behind those before `bit`; the rest of the last byte becomes zero. */
@inline function putBits(out: usize, bit: u32, bits: u64, count: u32): void {
  const place = out + <usize>(bit >> 3);
  const shift = <u64>(bit & 7);
  const kept = <u64>load<u8>(place) & ((<u64>1 << shift) - 1);
  const word = kept | (bits << shift);
  const bytes = (<u32>shift + count + 7) >> 3;
  store<u8>(place, <u8>word);
  if (bytes > 1) store<u8>(place, <u8>(word >> 8), 1);
  if (bytes > 2) store<u8>(place, <u8>(word >> 16), 2);
  if (bytes > 3) store<u8>(place, <u8>(word >> 24), 3);
  if (bytes > 4) store<u8>(place, <u8>(word >> 32), 4);
}

export function copyBits(from: usize, fromBit: u32, count: u32, out: usize, outBit: u32): u32 {
  let ones: u32 = 0;
  for (let done: u32 = 0; done < count; done += 32) {
    const size = min<u32>(32, count - done);
    const bit = fromBit + done;
    const word = load<u64>(from + <usize>(bit >> 3)) >> <u64>(bit & 7);
    const bits = word & ((<u64>1 << <u64>size) - 1);
    ones += <u32>popcnt(bits);
    putBits(out, outBit + done, bits, size);
  }
  return ones;
}

function fillBits(value: u32, count: u32, out: usize, outBit: u32): void {
  const ones: u64 = value ? 0xffff_ffff : 0;
  let done: u32 = 0;
  // To the start of a byte, then whole bytes at once.
  if ((outBit & 7) != 0 && count > 64) {
    done = 8 - (outBit & 7);
    putBits(out, outBit, ones & ((1 << done) - 1), done);
  }
  if (count - done > 64) {
    const bytes = (count - done) >> 3;
    memory.fill(out + <usize>((outBit + done) >> 3), <u8>ones, bytes);
    done += bytes << 3;
  }
  for (; done < count; done += 32) {
    const size = min<u32>(32, count - done);
    putBits(out, outBit + done, ones & ((<u64>1 << <u64>size) - 1), size);
  }
}
