/**
 * Arrow kernels: offsets, indexes and views of Arrow's own, checked and made into views. What they are
 * given is not trusted: they answer with the first row that is wrong, and read nothing because of it.
 */
import { isValid, storeView } from './inline.as';
import { findInvalidUtf8 } from './text.as';

export function narrowOffsets(offsets: usize, rowCount: u32, out: usize): u32 {
  const first = load<u64>(offsets);
  for (let row: u32 = 0; row <= rowCount; row++) {
    const distance = load<u64>(offsets + (<usize>row << 3)) - first;
    if (distance > 0x7fffffff) return row;
    store<u32>(out + (<usize>row << 2), <u32>distance);
  }
  return rowCount + 1;
}

export function checkOffsets(offsets: usize, rowCount: u32, bytes: usize, isText: u32): u32 {
  const last = load<i32>(offsets + (<usize>rowCount << 2));
  let start = load<i32>(offsets);
  for (let row: u32 = 0; row < rowCount; row++) {
    const end = load<i32>(offsets + (<usize>row << 2), 4);
    if (end < start) return row;
    if (isText && start < last && (load<u8>(bytes + <usize>start) & 0xc0) == 0x80) return row;
    start = end;
  }
  return rowCount;
}

export function viewsFromIndexes(
  indexes: usize,
  indexSize: u32,
  validity: usize,
  rowCount: u32,
  views: usize,
  viewCount: u32,
  out: usize,
): u32 {
  for (let row: u32 = 0; row < rowCount; row++, out += 16) {
    if (!isValid(validity, row)) {
      v128.store(out, i64x2.splat(0));
      continue;
    }
    const index = indexAt(indexes, indexSize, row);
    if (index >= <u64>viewCount) return row;
    v128.store(out, v128.load(views + (<usize>index << 4)));
  }
  return rowCount;
}

/** Negative indexes are above every count. */
@inline function indexAt(indexes: usize, size: u32, row: u32): u64 {
  if (size == 4) return <u64>load<u32>(indexes + (<usize>row << 2));
  if (size == 1) return <u64>load<u8>(indexes + <usize>row);
  if (size == 2) return <u64>load<u16>(indexes + (<usize>row << 1));
  return load<u64>(indexes + (<usize>row << 3));
}

export function viewsFromArrow(
  arrowViews: usize,
  validity: usize,
  rowCount: u32,
  buffers: usize,
  bufferCount: u32,
  out: usize,
): u32 {
  for (let row: u32 = 0; row < rowCount; row++, out += 16, arrowViews += 16) {
    if (!isValid(validity, row)) {
      v128.store(out, i64x2.splat(0));
      continue;
    }
    const length = load<u32>(arrowViews);
    if (length <= 12) {
      storeView(out, arrowViews + 4, length);
      continue;
    }
    const buffer = load<u32>(arrowViews, 8);
    const offset = load<u32>(arrowViews, 12);
    if (buffer >= bufferCount) return row;
    const place = buffers + (<usize>buffer << 3);
    if (<u64>offset + <u64>length > <u64>load<u32>(place, 4)) return row;
    storeView(out, load<u32>(place) + <usize>offset, length);
  }
  return rowCount;
}

export function findInvalidText(views: usize, rowCount: u32, result: usize): u32 {
  for (let row: u32 = 0; row < rowCount; row++, views += 16) {
    const length = load<u32>(views);
    const start = length > 8 ? <usize>load<u32>(views, 4) : views + 8;
    if (findInvalidUtf8(start, start + <usize>length, result) != 0) return row;
  }
  return rowCount;
}
