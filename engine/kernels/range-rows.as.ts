/**
 * Range kernel: a stable counting sort of sort rows by the range that they fall into.
 *
 *     boundaries    b0      b1 = b2      b3           sort rows, in order
 *     range       0  │  1  │  2  │  3  │  4           a row equal to b1 may go to 1, 2 or 3: all of them keep
 *                                                     the order of the ranges
 *
 * Which of several ranges gets an equal row is the sender's number to say: so a key of very many rows is
 * divided among tasks, and rows that are equal keep the order of their senders, from range to range.
 */
import { compareSortRows } from './sort-rows.as';

/** How many boundaries belong before the row; with `isEqualBefore` those that are equal to it, too. */
function boundariesBefore(
  row: usize, boundaries: usize, boundaryCount: u32, stride: u32, keyCount: u32, descendingBits: u32, isEqualBefore: bool,
): u32 {
  let low: u32 = 0;
  let high = boundaryCount;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const order = compareSortRows(boundaries + <usize>middle * stride, row, keyCount, descendingBits);
    if (order < 0 || (isEqualBefore && order == 0)) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function rangeRows(
  rows: usize, rowCount: u32, stride: u32, keyCount: u32, descendingBits: u32, boundaries: usize, boundaryCount: u32,
  sender: u32, senderCount: u32, rangeCount: u32, ranges: usize, outRows: usize, outStarts: usize,
): void {
  memory.fill(outStarts, 0, <usize>(rangeCount + 1) << 2);
  for (let index: u32 = 0; index < rowCount; index++) {
    const row = rows + <usize>index * stride;
    const first = boundariesBefore(row, boundaries, boundaryCount, stride, keyCount, descendingBits, false);
    let last = first;
    if (first < boundaryCount && compareSortRows(boundaries + <usize>first * stride, row, keyCount, descendingBits) == 0) {
      last = boundariesBefore(row, boundaries, boundaryCount, stride, keyCount, descendingBits, true);
    }
    const range = first + sender * (last - first + 1) / senderCount;
    store<u32>(ranges + (<usize>index << 2), range);
    const counter = outStarts + (<usize>range << 2);
    store<u32>(counter, load<u32>(counter, 4) + 1, 4);
  }
  for (let range: u32 = 1; range <= rangeCount; range++) {
    const counter = outStarts + (<usize>range << 2);
    store<u32>(counter, load<u32>(counter) + load<u32>(counter - 4));
  }
  // Each start walks to its end while rows are placed; afterwards all move up by one place.
  for (let index: u32 = 0; index < rowCount; index++) {
    const counter = outStarts + (<usize>load<u32>(ranges + (<usize>index << 2)) << 2);
    const place = load<u32>(counter);
    store<u32>(counter, place + 1);
    store<u32>(outRows + (<usize>place << 2), load<u32>(rows + <usize>index * stride));
  }
  memory.copy(outStarts + 4, outStarts, <usize>rangeCount << 2);
  store<u32>(outStarts, 0);
}
