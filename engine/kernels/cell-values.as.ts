/**
 * Values of cells: which of two is the better one, and sums of those that take more than an addition. For the
 * kernels that accumulate rows and for the one that merges cells.
 */

/** NaN is greater than every number, and equal to itself: the order of SQL engines. */
@inline export function isBetter<T>(isMax: bool, value: T, best: T): bool {
  if (isFloat<T>()) {
    if (isMax) return value > best || (value != value && best == best);
    return value < best || (best != best && value == value);
  }
  return isMax ? value > best : value < best;
}

/** 10^38: no decimal reaches it. */
@inline const limitHigh: u64 = 0x4b3b4ca85a86c47a;
@inline const limitLow: u64 = 0x098a224000000000;

/** Adds to a cell; false when the sum has more than 38 digits. */
@inline export function addToCell(cell: usize, low: u64, high: i64): bool {
  const lowBefore = load<u64>(cell);
  const highBefore = load<i64>(cell, 8);
  const lowAfter = lowBefore + low;
  const highAfter = highBefore + high + i64(lowAfter < low);
  if (((highBefore ^ highAfter) & (high ^ highAfter)) < 0) return false;
  // The absolute value: all bits inverted, plus 1, where it is negative.
  const sign = <u64>(highAfter >> 63);
  const absoluteLow = (lowAfter ^ sign) - sign;
  const absoluteHigh = (<u64>highAfter ^ sign) + u64(sign != 0 && absoluteLow == 0);
  if (absoluteHigh > limitHigh || (absoluteHigh == limitHigh && absoluteLow >= limitLow)) return false;
  store<u64>(cell, lowAfter);
  store<i64>(cell, highAfter, 8);
  return true;
}

@inline export function isLess128(a: usize, b: usize): bool {
  const highA = load<i64>(a, 8);
  const highB = load<i64>(b, 8);
  return highA < highB || (highA == highB && load<u64>(a) < load<u64>(b));
}

/** Whether the text of one view comes before that of another: by bytes, a text before what continues it. */
@inline export function isViewBefore(a: usize, b: usize): bool {
  const prefixA = bswap<u64>(load<u64>(a, 8));
  const prefixB = bswap<u64>(load<u64>(b, 8));
  if (prefixA != prefixB) return prefixA < prefixB;
  return isTailBefore(a, b);
}

function isTailBefore(a: usize, b: usize): bool {
  const lengthA = load<u32>(a);
  const lengthB = load<u32>(b);
  const shared = min<u32>(lengthA, lengthB);
  const fromA = <usize>load<u32>(a, 4);
  const fromB = <usize>load<u32>(b, 4);
  for (let at: u32 = 8; at < shared; at += 8) {
    let wordA = bswap<u64>(load<u64>(fromA + at));
    let wordB = bswap<u64>(load<u64>(fromB + at));
    if (wordA == wordB) continue;
    // Bytes behind the shorter text do not count.
    const behind = <u64>(shared - at < 8 ? (8 - (shared - at)) << 3 : 0);
    wordA >>>= behind;
    wordB >>>= behind;
    if (wordA != wordB) return wordA < wordB;
  }
  return lengthA < lengthB;
}

/** Adds moments to those of a cell that has none yet, or some. */
export function addMoments(cell: usize, moments: usize): void {
  const added = load<i64>(moments);
  const before = load<i64>(cell);
  if (before == 0) {
    // Not through the sum below, where the square of a large mean times nothing would be NaN.
    memory.copy(cell, moments, 24);
    return;
  }
  const mean = load<f64>(cell, 8);
  const distance = load<f64>(moments, 8) - mean;
  const share = <f64>added / <f64>(before + added);
  store<i64>(cell, before + added);
  store<f64>(cell, mean + distance * share, 8);
  const m2 = load<f64>(cell, 16) + load<f64>(moments, 16);
  store<f64>(cell, m2 + distance * distance * <f64>before * share, 16);
}
