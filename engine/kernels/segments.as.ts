/**
 * Segment kernels: rows that lie in order are cut where their keys change. Equal means what it means to a
 * sort: NaN is NaN, -0 is 0, a null is a null.
 *
 *     key      a  a  b  b  b  c        marks    0  0  1  0  0  1       (row 0 is the caller's to mark)
 *     segment  0  0  1  1  1  2        starts   0  2  5
 */
import { isSameTail, isValid } from './inline.as';

/** Forms of values; those up to 16 are sizes in bytes. */
@inline const bits: u32 = 0;
@inline const float32: u32 = 32;
@inline const float64: u32 = 64;
@inline const view: u32 = 128;

@inline function isSameFloat<T>(a: T, b: T): bool {
  return a == b || (a != a && b != b);
}

function isSameView(a: usize, b: usize): bool {
  const length = load<u32>(a);
  if (length != load<u32>(b) || load<u64>(a, 8) != load<u64>(b, 8)) return false;
  return length <= 8 || isSameTail(<usize>load<u32>(a, 4), <usize>load<u32>(b, 4), length);
}

@inline function isSame(form: u32, values: usize, a: u32, b: u32): bool {
  switch (form) {
    case bits:
      return ((<u32>load<u8>(values + (a >> 3)) >> (a & 7)) & 1) == ((<u32>load<u8>(values + (b >> 3)) >> (b & 7)) & 1);
    case 1:
      return load<u8>(values + a) == load<u8>(values + b);
    case 2:
      return load<u16>(values + (<usize>a << 1)) == load<u16>(values + (<usize>b << 1));
    case 4:
      return load<u32>(values + (<usize>a << 2)) == load<u32>(values + (<usize>b << 2));
    case 8:
      return load<u64>(values + (<usize>a << 3)) == load<u64>(values + (<usize>b << 3));
    case 16:
      return (
        load<u64>(values + (<usize>a << 4)) == load<u64>(values + (<usize>b << 4)) &&
        load<u64>(values + (<usize>a << 4), 8) == load<u64>(values + (<usize>b << 4), 8)
      );
    case float32:
      return isSameFloat<f32>(load<f32>(values + (<usize>a << 2)), load<f32>(values + (<usize>b << 2)));
    case float64:
      return isSameFloat<f64>(load<f64>(values + (<usize>a << 3)), load<f64>(values + (<usize>b << 3)));
    default:
      return isSameView(values + (<usize>a << 4), values + (<usize>b << 4));
  }
}

export function markChanges(form: u32, values: usize, validity: usize, rowCount: u32, marks: usize): void {
  for (let row: u32 = 1; row < rowCount; row++) {
    const wasValid = isValid(validity, row - 1);
    const isChange = isValid(validity, row) != wasValid || (wasValid && !isSame(form, values, row - 1, row));
    if (isChange) store<u8>(marks + row, 1);
  }
}

export function segmentRows(marks: usize, rowCount: u32, first: u32, outSegments: usize, outStarts: usize): u32 {
  let segment = first;
  store<u32>(outSegments, segment);
  if (outStarts) store<u32>(outStarts + (<usize>first << 2), 0);
  for (let row: u32 = 1; row < rowCount; row++) {
    if (load<u8>(marks + row)) {
      segment++;
      if (outStarts) store<u32>(outStarts + (<usize>segment << 2), row);
    }
    store<u32>(outSegments + (<usize>row << 2), segment);
  }
  return segment;
}

export function slotsOfSegments(segments: usize, rowCount: u32, base: usize, stride: u32, outSlots: usize): void {
  for (let row: u32 = 0; row < rowCount; row++) {
    const at = <usize>row << 2;
    store<u32>(outSlots + at, <u32>base + load<u32>(segments + at) * stride);
  }
}

export function rankRows(
  partitions: usize, peers: usize, rowCount: u32, state: usize, outNumbers: usize, outRanks: usize,
  outDenseRanks: usize,
): void {
  let number = load<i64>(state);
  let rank = load<i64>(state, 8);
  let denseRank = load<i64>(state, 16);
  for (let row: u32 = 0; row < rowCount; row++) {
    if (load<u8>(partitions + row)) {
      number = 0;
      denseRank = 0;
    }
    number++;
    if (load<u8>(peers + row)) {
      rank = number;
      denseRank++;
    }
    const at = <usize>row << 3;
    if (outNumbers) store<i64>(outNumbers + at, number);
    if (outRanks) store<i64>(outRanks + at, rank);
    if (outDenseRanks) store<i64>(outDenseRanks + at, denseRank);
  }
  store<i64>(state, number);
  store<i64>(state, rank, 8);
  store<i64>(state, denseRank, 16);
}

/** Which rank decides; in the order of `rankForms`. */
@inline const rowNumber: u32 = 0;
@inline const rank: u32 = 1;

export function firstRows(
  partitions: usize, peers: usize, rowCount: u32, form: u32, limit: f64, state: usize, outRows: usize,
): u32 {
  const last = <i64>limit;
  let number = load<i64>(state);
  let rankOfRow = load<i64>(state, 8);
  let denseRank = load<i64>(state, 16);
  let count: u32 = 0;
  for (let row: u32 = 0; row < rowCount; row++) {
    if (load<u8>(partitions + row)) {
      number = 0;
      denseRank = 0;
    }
    number++;
    if (load<u8>(peers + row)) {
      rankOfRow = number;
      denseRank++;
    }
    store<u32>(outRows + (<usize>count << 2), row);
    const place = form == rowNumber ? number : form == rank ? rankOfRow : denseRank;
    if (place <= last) count++;
  }
  store<i64>(state, number);
  store<i64>(state, rankOfRow, 8);
  store<i64>(state, denseRank, 16);
  return count;
}

export function shiftRows(
  partitions: usize, rowCounts: usize, batchCount: u32, current: u32, shift: i32, missing: u32, outNumbers: usize,
): void {
  const own = <usize>load<u32>(partitions + (<usize>current << 2));
  const rowCount = load<u32>(rowCounts + (<usize>current << 2));
  let place: i64 = shift;
  for (let batch: u32 = 0; batch < current; batch++) place += load<u32>(rowCounts + (<usize>batch << 2));
  let batch: u32 = 0;
  let begin: i64 = 0;
  let end: i64 = load<u32>(rowCounts);
  for (let row: u32 = 0; row < rowCount; row++, place++) {
    let number = missing + row;
    if (place >= 0) {
      while (batch < batchCount && place >= end) {
        begin = end;
        batch++;
        if (batch < batchCount) end += load<u32>(rowCounts + (<usize>batch << 2));
      }
      if (batch < batchCount) {
        const other = <u32>(place - begin);
        const partition = load<u32>(<usize>load<u32>(partitions + (<usize>batch << 2)) + (<usize>other << 2));
        if (partition == load<u32>(own + (<usize>row << 2))) number = (batch << 13) + other;
      }
    }
    store<u32>(outNumbers + (<usize>row << 2), number);
  }
}

/** Bytes that `joinTexts` writes at most. */
export function joinedSizeOf(
  views: usize, validity: usize, fromRow: u32, rowCount: u32, separatorLength: u32,
): f64 {
  let size: u64 = 0;
  for (let row = fromRow; row < rowCount; row++) {
    if (isValid(validity, row)) size += <u64>load<u32>(views + (<usize>row << 4)) + <u64>separatorLength;
  }
  return <f64>size;
}

export function joinTexts(
  views: usize, validity: usize, segments: usize, fromRow: u32, rowCount: u32, separator: usize, separatorLength: u32,
  out: usize, ends: usize,
): void {
  let at = out;
  for (let row = fromRow; row < rowCount; row++) {
    if (!isValid(validity, row)) continue;
    const end = ends + (<usize>load<u32>(segments + (<usize>row << 2)) << 2);
    // 0: the segment has no text yet.
    if (load<u32>(end) != 0) {
      memory.copy(at, separator, separatorLength);
      at += separatorLength;
    }
    const text = views + (<usize>row << 4);
    const length = load<u32>(text);
    memory.copy(at, length <= 8 ? text + 8 : <usize>load<u32>(text, 4), length);
    at += length;
    store<u32>(end, <u32>at);
  }
}
