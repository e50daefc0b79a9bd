/**
 * Merging sorted runs of sort rows: which row of which run comes next.
 *
 *     head   0  u32 address of its next sort row   4  u32 address behind its last   8  u32 base
 *           12  u32 a place of the heap: the address of a head
 *
 * The heads are a heap by their next rows, so a row costs comparisons for the logarithm of the runs. The run
 * with the smallest row gives rows while they belong before the second smallest, so a stretch of rows of one
 * run costs a comparison each, however many runs there are. Equal rows: lower run first.
 */
import { compareSortRows } from './sort-rows.as';

@inline const headSize: usize = 16;

@inline function headAt(heads: usize, place: u32): usize {
  return <usize>load<u32>(heads + <usize>place * headSize, 12);
}

/** Whether the next row of head `a` belongs before that of `b`; equal ones by the heads' order. */
@inline function isBefore(a: usize, b: usize, keyCount: u32, descendingBits: u32): bool {
  const order = compareSortRows(load<u32>(a), load<u32>(b), keyCount, descendingBits);
  return order < 0 || (order == 0 && a < b);
}

/** Puts the head at a place of the heap where it belongs below. */
function siftDown(heads: usize, headCount: u32, from: u32, keyCount: u32, descendingBits: u32): void {
  const moved = headAt(heads, from);
  let place = from;
  for (;;) {
    let child = place * 2 + 1;
    if (child >= headCount) break;
    let head = headAt(heads, child);
    if (child + 1 < headCount) {
      const other = headAt(heads, child + 1);
      if (isBefore(other, head, keyCount, descendingBits)) {
        child++;
        head = other;
      }
    }
    if (!isBefore(head, moved, keyCount, descendingBits)) break;
    store<u32>(heads + <usize>place * headSize, <u32>head, 12);
    place = child;
  }
  store<u32>(heads + <usize>place * headSize, <u32>moved, 12);
}

/** The head with the second smallest row; 0 when there is but one. */
@inline function secondOf(heads: usize, headCount: u32, keyCount: u32, descendingBits: u32): usize {
  if (headCount < 2) return 0;
  const left = headAt(heads, 1);
  if (headCount < 3) return left;
  const right = headAt(heads, 2);
  return isBefore(right, left, keyCount, descendingBits) ? right : left;
}

export function mergeRows(
  heads: usize, headCount: u32, stride: u32, keyCount: u32, descendingBits: u32, outNumbers: usize, rowsMax: u32,
): u32 {
  for (let head: u32 = 0; head < headCount; head++) {
    const address = heads + <usize>head * headSize;
    store<u32>(address, <u32>address, 12);
  }
  for (let place = headCount >> 1; place > 0; place--) {
    siftDown(heads, headCount, place - 1, keyCount, descendingBits);
  }
  let count: u32 = 0;
  while (count < rowsMax) {
    const first = headAt(heads, 0);
    const second = secondOf(heads, headCount, keyCount, descendingBits);
    const end = load<u32>(first, 4);
    const base = load<u32>(first, 8);
    do {
      const next = load<u32>(first);
      store<u32>(outNumbers + (<usize>count << 2), base + load<u32>(next));
      count++;
      store<u32>(first, next + stride);
      if (next + stride == end) return count;
    } while (count < rowsMax && (second == 0 || isBefore(first, second, keyCount, descendingBits)));
    siftDown(heads, headCount, 0, keyCount, descendingBits);
  }
  return count;
}
