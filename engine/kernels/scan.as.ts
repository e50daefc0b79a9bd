/**
 * Scan kernel: the cells of segments that follow each other become those of all rows so far, each merged with
 * the one before it. A segment that begins a partition stays as it is.
 *
 *     sums of segments   3 4 | 5 1        scanned   3 7 | 5 6
 *
 * @see Blelloch 1990, Prefix Sums and Their Applications.
 */
import { addMoments, addToCell, isBetter, isLess128, isViewBefore } from './cell-values.as';
import { flagValue, hasFlag } from './inline.as';

@inline const count: u32 = 0;
@inline const sumInt64: u32 = 1;
@inline const sumFloat64: u32 = 2;
@inline const sumInt128: u32 = 3;
@inline const sumWide: u32 = 4;
@inline const minInt64: u32 = 5;
@inline const maxInt64: u32 = 6;
@inline const minFloat64: u32 = 7;
@inline const maxFloat64: u32 = 8;
@inline const minInt128: u32 = 9;
@inline const maxInt128: u32 = 10;
@inline const minText: u32 = 11;
@inline const maxText: u32 = 12;
@inline const first: u32 = 13;
@inline const last: u32 = 14;

/** Merges a cell with the one before, both of which have a value; false when their sum does not fit. */
function mergeCells(operation: u32, before: usize, cell: usize, sizeBytes: u32): bool {
  switch (operation) {
    case sumInt64: {
      const a = load<i64>(before);
      const b = load<i64>(cell);
      const sum = a + b;
      if (((a ^ sum) & (b ^ sum)) < 0) return false;
      store<i64>(cell, sum);
      return true;
    }
    case sumFloat64:
      store<f64>(cell, load<f64>(before) + load<f64>(cell));
      return true;
    case sumInt128:
      return addToCell(cell, load<u64>(before), load<i64>(before, 8));
    case sumWide: {
      const low = load<u64>(before) + load<u64>(cell);
      store<i64>(cell, load<i64>(before, 8) + load<i64>(cell, 8) + i64(low < load<u64>(before)), 8);
      store<u64>(cell, low);
      return true;
    }
    case minInt64:
      store<i64>(cell, min<i64>(load<i64>(before), load<i64>(cell)));
      return true;
    case maxInt64:
      store<i64>(cell, max<i64>(load<i64>(before), load<i64>(cell)));
      return true;
    case minFloat64:
      if (!isBetter<f64>(false, load<f64>(cell), load<f64>(before))) store<u64>(cell, load<u64>(before));
      return true;
    case maxFloat64:
      if (!isBetter<f64>(true, load<f64>(cell), load<f64>(before))) store<u64>(cell, load<u64>(before));
      return true;
    case minInt128:
      if (!isLess128(cell, before)) v128.store(cell, v128.load(before));
      return true;
    case maxInt128:
      if (!isLess128(before, cell)) v128.store(cell, v128.load(before));
      return true;
    case minText:
      if (!isViewBefore(cell, before)) memory.copy(cell, before, sizeBytes);
      return true;
    case maxText:
      if (!isViewBefore(before, cell)) memory.copy(cell, before, sizeBytes);
      return true;
    case first:
      memory.copy(cell, before, sizeBytes);
      return true;
    case last:
      return true;
    default:
      addMoments(cell, before);
      return true;
  }
}

export function scanCells(
  operation: u32, cells: usize, stride: u32, segmentCount: u32, offset: u32, sizeBytes: u32, flags: u32, flag: u32,
  marks: usize, starts: usize,
): i32 {
  let slot = cells + stride;
  for (let segment: u32 = 1; segment < segmentCount; segment++, slot += stride) {
    if (marks && load<u8>(marks + load<u32>(starts + (<usize>segment << 2)))) continue;
    const before = slot - stride;
    if (operation == count) {
      store<u64>(slot + offset, load<u64>(before + offset) + load<u64>(slot + offset));
      continue;
    }
    if (!hasFlag(before + flags, flag)) continue;
    if (!hasFlag(slot + flags, flag)) {
      memory.copy(slot + offset, before + offset, sizeBytes);
      flagValue(slot + flags, flag);
    } else if (!mergeCells(operation, before + offset, slot + offset, sizeBytes)) {
      return <i32>segment;
    }
  }
  return -1;
}
