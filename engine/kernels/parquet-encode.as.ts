/**
 * Columns as Parquet pages hold them: rows that have a value, runs of levels and indexes, texts with their
 * lengths in front, decimals with their highest byte first.
 */
import { isValid, rowAt } from './inline.as';
import { copyLiteral } from './snappy.as';

export function presentRows(
  validity: usize,
  selection: usize,
  rowCount: u32,
  outRows: usize,
  outBits: usize,
  outBit: u32,
): u32 {
  let present: u32 = 0;
  for (let index: u32 = 0; index < rowCount; index++) {
    const row = rowAt(selection, index);
    const bit = u32(isValid(validity, row));
    // Written for every row, kept for those with a value.
    store<u32>(outRows + (<usize>present << 2), row);
    present += bit;
    const place = outBits + <usize>((outBit + index) >> 3);
    const shift = (outBit + index) & 7;
    const kept = <u32>load<u8>(place) & ((1 << shift) - 1);
    store<u8>(place, <u8>(kept | (bit << shift)));
  }
  return present;
}

/** Runs shorter than this are packed: the narrower the values, the less a run of them saves. */
@inline function runMinOf(width: u32): u32 {
  return width <= 2 ? 32 : width <= 4 ? 16 : 8;
}

export function writeRuns(values: usize, count: u32, width: u32, out: usize): u32 {
  const runMin = runMinOf(width);
  let to = out;
  let packedFrom: u32 = 0;
  let at: u32 = 0;
  while (at < count) {
    const value = load<u32>(values + (<usize>at << 2));
    let end = at + 1;
    while (end < count && load<u32>(values + (<usize>end << 2)) == value) end++;
    // Packed values come in groups of 8: what is missing is taken from the run.
    const filled = at + ((packedFrom - at) & 7);
    if (end >= filled + runMin) {
      if (filled > packedFrom) to = packRun(values, packedFrom, filled, width, to);
      to = writeVarint(to, (end - filled) << 1);
      for (let byte: u32 = 0; byte < (width + 7) >> 3; byte++) store<u8>(to++, <u8>(value >> (byte << 3)));
      packedFrom = end;
    }
    at = end;
  }
  return <u32>((count > packedFrom ? packRun(values, packedFrom, count, width, to) : to) - out);
}

@inline function writeVarint(to: usize, value: u32): usize {
  for (; value >= 0x80; value >>= 7) store<u8>(to++, <u8>(value | 0x80));
  store<u8>(to++, <u8>value);
  return to;
}

/** The last group is filled up with zeroes. */
function packRun(values: usize, from: u32, end: u32, width: u32, to: usize): usize {
  const groups = (end - from + 7) >> 3;
  to = writeVarint(to, (groups << 1) | 1);
  const stop = to + <usize>(groups * width);
  let word: u64 = 0;
  let bits: u32 = 0;
  for (let index = from; index < end; index++) {
    word |= <u64>load<u32>(values + (<usize>index << 2)) << <u64>bits;
    bits += width;
    if (bits >= 32) {
      store<u32>(to, <u32>word);
      to += 4;
      word >>= 32;
      bits -= 32;
    }
  }
  for (; to < stop; to++) {
    store<u8>(to, <u8>word);
    word >>= 8;
  }
  return stop;
}

/** Bytes of equal bits that are worth a run of their own. */
@inline const equalBytesMin: u32 = 4;

export function writeBitRuns(bits: usize, count: u32, out: usize): u32 {
  const bytes = (count + 7) >> 3;
  let to = out;
  let packedFrom: u32 = 0;
  let at: u32 = 0;
  while (at < bytes) {
    const byte = byteOf(bits, count, at);
    let end = at + 1;
    if (byte == 0 || byte == 0xff) while (end < bytes && byteOf(bits, count, end) == byte) end++;
    if (end - at >= equalBytesMin) {
      to = packBits(bits, count, packedFrom, at, to);
      to = writeVarint(to, (min<u32>(end << 3, count) - (at << 3)) << 1);
      store<u8>(to++, <u8>(byte & 1));
      packedFrom = end;
    }
    at = end;
  }
  return <u32>(packBits(bits, count, packedFrom, bytes, to) - out);
}

/** The bits behind the last are as it is, so that a run reaches to the end. */
@inline function byteOf(bits: usize, count: u32, at: u32): u32 {
  const byte = <u32>load<u8>(bits + <usize>at);
  const left = count - (at << 3);
  if (left >= 8) return byte;
  const mask = (<u32>1 << left) - 1;
  return ((byte >> (left - 1)) & 1) != 0 ? byte | (~mask & 0xff) : byte & mask;
}

function packBits(bits: usize, count: u32, from: u32, end: u32, out: usize): usize {
  if (from == end) return out;
  let to = writeVarint(out, ((end - from) << 1) | 1);
  for (let at = from; at < end; at++) store<u8>(to++, <u8>byteOf(bits, count, at));
  return to;
}

export function plainTexts(views: usize, count: u32, out: usize): u32 {
  let to = out;
  for (let index: u32 = 0; index < count; index++) {
    const view = views + (<usize>index << 4);
    const size = load<u32>(view);
    store<u32>(to, size);
    if (size <= 8) store<u64>(to + 4, load<u64>(view, 8));
    else copyLiteral(to + 4, load<u32>(view, 4), size);
    to += 4 + <usize>size;
  }
  return <u32>(to - out);
}

export function fixedFromDecimals(values: usize, count: u32, size: u32, out: usize): void {
  for (let index: u32 = 0; index < count; index++) {
    const from = values + (<usize>index << 4);
    const to = out + <usize>(index * size);
    for (let byte: u32 = 0; byte < size; byte++) store<u8>(to + byte, load<u8>(from + (size - 1 - byte)));
  }
}

export function lowWords(values: usize, count: u32, size: u32, out: usize): void {
  for (let index: u32 = 0; index < count; index++) {
    const word = load<u64>(values + (<usize>index << 4));
    if (size == 8) store<u64>(out + (<usize>index << 3), word);
    else store<u32>(out + (<usize>index << 2), <u32>word);
  }
}
