/**
 * Merging sorted runs of sort rows: which row of which run comes next.
 *
 *     head   0  u32 address of its next sort row   4  u32 address behind its last   8  u32 base
 *
 * The run with the smallest row gives rows while they belong before the second smallest, so a stretch
 * of rows of one run costs a comparison each, however many runs there are. Equal rows: lower run first.
 */
import { compareSortRows } from './sort-rows.as';

@inline const headSize: usize = 16;

/** Whether the next row of head `a` belongs before that of `b`; equal ones by the heads' order. */
@inline function isBefore(a: usize, b: usize, keyCount: u32, descendingBits: u32): bool {
  const order = compareSortRows(load<u32>(a), load<u32>(b), keyCount, descendingBits);
  return order < 0 || (order == 0 && a < b);
}

export function mergeRows(
  heads: usize, headCount: u32, stride: u32, keyCount: u32, descendingBits: u32, outNumbers: usize, rowsMax: u32,
): u32 {
  const headsEnd = heads + <usize>headCount * headSize;
  let count: u32 = 0;
  while (count < rowsMax) {
    let first = heads;
    let second: usize = 0;
    for (let head = heads + headSize; head < headsEnd; head += headSize) {
      if (isBefore(head, first, keyCount, descendingBits)) {
        second = first;
        first = head;
      } else if (second == 0 || isBefore(head, second, keyCount, descendingBits)) second = head;
    }
    const end = load<u32>(first, 4);
    const base = load<u32>(first, 8);
    do {
      const next = load<u32>(first);
      store<u32>(outNumbers + (<usize>count << 2), base + load<u32>(next));
      count++;
      store<u32>(first, next + stride);
      if (next + stride == end) return count;
    } while (count < rowsMax && (second == 0 || isBefore(first, second, keyCount, descendingBits)));
  }
  return count;
}
