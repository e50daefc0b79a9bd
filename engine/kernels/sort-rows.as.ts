/**
 * Sorting: a stable merge sort of 24-byte entries, in slices that may stop after any entry.
 *
 *     entry   0  u64 first key   8  u64 second key, or bytes 8 to 15 of a text
 *            16  u32 their ranks, bit 31: whole   20  u32 address of the sort row
 *
 * Nearly all comparisons end in the entry; what still ties follows the address, some cache misses.
 * A whole entry says all there is to compare: two of them that tie are equal, and no row is read. Such
 * are up to two keys of fixed width, and a text alone of up to 16 bytes that does not end in NUL (the
 * zeros behind it are then no part of any other text). Sorting words with all their repetitions spent
 * most of its time on ties.
 * (16-byte entries, without the second word, took 7 times as long to order words by count, 2 times
 * by name, and were 8 % faster on distinct numbers. Comparing both words without a branch was 20 %
 * slower.) Runs of 16 come from insertion, then merges go to and fro between two arrays. All progress
 * is in the state, 36 bytes; behind it lies the entry that an insertion moves:
 *
 *     0 entries · 4 scratch · 8 count · 12 keys · 16 descending bits · 20 width · 24 pair · 28 left · 32 right
 */

@inline const entrySize: usize = 24;
@inline const runLength: u32 = 16;
@inline const whole: u32 = 0x80000000;

/** -1, 0 or 1: the order of two sort rows. */
export function compareSortRows(a: usize, b: usize, keyCount: u32, descendingBits: u32): i32 {
  const ranksA = load<u32>(a, 4);
  const ranksB = load<u32>(b, 4);
  for (let key: u32 = 0; key < keyCount; key++) {
    const rankA = (ranksA >>> (key << 1)) & 3;
    const rankB = (ranksB >>> (key << 1)) & 3;
    if (rankA != rankB) return rankA < rankB ? -1 : 1;
    const cellA = a + (<usize>key << 4);
    const cellB = b + (<usize>key << 4);
    const keyA = load<u64>(cellA, 8);
    const keyB = load<u64>(cellB, 8);
    if (keyA != keyB) return keyA < keyB ? -1 : 1;
    const order = compareText(load<u64>(cellA, 16), load<u64>(cellB, 16));
    if (order != 0) return (descendingBits >>> key) & 1 ? -order : order;
  }
  return 0;
}

/** Compares two texts, given as length and address, that are equal in their first 8 bytes. */
@inline function compareText(a: u64, b: u64): i32 {
  if (a == b) return 0;
  const lengthA = <u32>a;
  const lengthB = <u32>b;
  const shared = min<u32>(lengthA, lengthB);
  if (shared > 8) {
    const order = compareTails(<usize>(a >>> 32), <usize>(b >>> 32), shared);
    if (order != 0) return order;
  }
  return i32(lengthA > lengthB) - i32(lengthA < lengthB);
}

function compareTails(a: usize, b: usize, length: u32): i32 {
  for (let at: u32 = 8; at < length; at += 8) {
    let wordA = bswap<u64>(load<u64>(a + at));
    let wordB = bswap<u64>(load<u64>(b + at));
    if (length - at < 8) {
      const unused = <u64>(64 - ((length - at) << 3));
      wordA >>>= unused;
      wordB >>>= unused;
    }
    if (wordA != wordB) return wordA < wordB ? -1 : 1;
  }
  return 0;
}

export function makeSortEntries(
  rows: usize, count: u32, stride: u32, isText: u32, isFixed: u32, descendingBits: u32, outEntries: usize,
): void {
  const hasSecond = stride > 24 && !isText;
  const ranksMask: u32 = hasSecond ? 15 : 3;
  const isTextAlone = stride == 24 && isText != 0;
  for (let index: u32 = 0; index < count; index++) {
    const row = rows + <usize>index * stride;
    const entry = outEntries + <usize>index * entrySize;
    const second = hasSecond ? load<u64>(row, 24) : isText ? secondOfText(row, descendingBits & 1) : 0;
    const isWhole = isFixed != 0 || (isTextAlone && isWholeText(row, second, descendingBits & 1));
    store<u64>(entry, load<u64>(row, 8));
    store<u64>(entry, second, 8);
    store<u32>(entry, (load<u32>(row, 4) & ranksMask) | (isWhole ? whole : 0), 16);
    store<u32>(entry, <u32>row, 20);
  }
}

/** Bytes 8 to 15 of the first key's text, padded with zeros, as a key. */
function secondOfText(row: usize, isDescending: u32): u64 {
  const length = load<u32>(row, 16);
  let key: u64 = 0;
  if (length > 8) {
    key = bswap<u64>(load<u64>(<usize>load<u32>(row, 20) + 8));
    if (length < 16) key &= <u64>-1 << <u64>((16 - length) << 3);
  }
  return isDescending ? ~key : key;
}

/** Whether both words hold all of the first key's text, and its last byte is not NUL. */
@inline function isWholeText(row: usize, second: u64, isDescending: u32): bool {
  const length = load<u32>(row, 16);
  if (length == 0) return true;
  if (length > 16) return false;
  const word = length > 8 ? second : load<u64>(row, 8);
  const last = (isDescending ? ~word : word) >>> <u64>((<u32>-length & 7) << 3);
  return (last & 255) != 0;
}

/** Whether entry `b` belongs before entry `a`. */
@inline function isBefore(b: usize, a: usize, keyCount: u32, descendingBits: u32): bool {
  const ranksA = load<u32>(a, 16);
  const ranksB = load<u32>(b, 16);
  if ((ranksA ^ ranksB) << 1 == 0) {
    const firstA = load<u64>(a);
    const firstB = load<u64>(b);
    if (firstA != firstB) return firstB < firstA;
    const secondA = load<u64>(a, 8);
    const secondB = load<u64>(b, 8);
    if (secondA != secondB) return secondB < secondA;
    if (ranksA & ranksB & whole) return false;
  }
  return compareSortRows(load<u32>(b, 20), load<u32>(a, 20), keyCount, descendingBits) < 0;
}

@inline function copyEntry(to: usize, from: usize): void {
  v128.store(to, v128.load(from));
  store<u64>(to, load<u64>(from, 16), 16);
}

export function sortSlice(state: usize, stepsMax: u32): u32 {
  let steps = <i32>stepsMax;
  while (steps > 0) {
    const count = load<u32>(state, 8);
    const width = load<u32>(state, 20);
    if (width >= count && width != 0) return 1;
    if (load<u32>(state, 24) >= count) startPass(state, width);
    else if (width == 0) steps -= sortRun(state);
    else steps -= mergePair(state, width, <u32>steps);
  }
  const sorted = load<u32>(state, 20);
  return u32(sorted != 0 && sorted >= load<u32>(state, 8));
}

/** A pass is over: its output becomes the input, and the runs are twice as long. */
function startPass(state: usize, width: u32): void {
  if (width != 0) {
    const entries = load<u32>(state);
    store<u32>(state, load<u32>(state, 4));
    store<u32>(state, entries, 4);
  }
  store<u32>(state, width == 0 ? runLength : width << 1, 20);
  store<u64>(state, 0, 24);
  store<u32>(state, 0, 32);
}

/** Sorts the next 16 entries in place by insertion. */
function sortRun(state: usize): i32 {
  const first = load<u32>(state, 24);
  const last = min<u32>(first + runLength, load<u32>(state, 8));
  const keyCount = load<u32>(state, 12);
  const descendingBits = load<u32>(state, 16);
  const start = <usize>load<u32>(state) + <usize>first * entrySize;
  const end = <usize>load<u32>(state) + <usize>last * entrySize;
  const parked = state + 40;
  for (let next = start + entrySize; next < end; next += entrySize) {
    if (!isBefore(next, next - entrySize, keyCount, descendingBits)) continue;
    copyEntry(parked, next);
    let hole = next;
    do {
      copyEntry(hole, hole - entrySize);
      hole -= entrySize;
    } while (hole > start && isBefore(parked, hole - entrySize, keyCount, descendingBits));
    copyEntry(hole, parked);
  }
  store<u32>(state, last, 24);
  return <i32>runLength * 4;
}

/** Merges the current pair of runs, at most `steps` entries of it; returns how many. */
function mergePair(state: usize, width: u32, steps: u32): i32 {
  const pair = load<u32>(state, 24);
  const count = load<u32>(state, 8);
  const keyCount = load<u32>(state, 12);
  const descendingBits = load<u32>(state, 16);
  const entries = <usize>load<u32>(state);
  const leftLength = min<u32>(width, count - pair);
  const rightLength = min<u32>(width, count - pair - leftLength);
  const leftEnd = entries + <usize>(pair + leftLength) * entrySize;
  const rightEnd = leftEnd + <usize>rightLength * entrySize;
  let left = entries + <usize>(pair + load<u32>(state, 28)) * entrySize;
  let right = leftEnd + <usize>load<u32>(state, 32) * entrySize;
  let out = <usize>load<u32>(state, 4) + <usize>(pair + load<u32>(state, 28) + load<u32>(state, 32)) * entrySize;
  const outStart = out;
  const outEnd = out + <usize>steps * entrySize;
  while (left < leftEnd && right < rightEnd && out < outEnd) {
    // A mask, not a branch: which side comes next is hard to predict.
    const takesRight = -<usize>isBefore(right, left, keyCount, descendingBits);
    copyEntry(out, left ^ ((left ^ right) & takesRight));
    right += entrySize & takesRight;
    left += entrySize & ~takesRight;
    out += entrySize;
  }
  for (; right == rightEnd && left < leftEnd && out < outEnd; left += entrySize, out += entrySize) copyEntry(out, left);
  for (; left == leftEnd && right < rightEnd && out < outEnd; right += entrySize, out += entrySize) copyEntry(out, right);
  store<u32>(state, <u32>((left - entries) / entrySize) - pair, 28);
  store<u32>(state, <u32>((right - leftEnd) / entrySize), 32);
  if (left == leftEnd && right == rightEnd) {
    store<u32>(state, pair + leftLength + rightLength, 24);
    store<u64>(state, 0, 28);
  }
  return <i32>((out - outStart) / entrySize) + 1;
}

export function sortedRowNumbers(entries: usize, count: u32, outNumbers: usize): void {
  for (let index: u32 = 0; index < count; index++) {
    store<u32>(outNumbers + (<usize>index << 2), load<u32>(load<u32>(entries + <usize>index * entrySize, 20)));
  }
}

export function takeSortRows(entries: usize, count: u32, stride: u32, outRows: usize): void {
  for (let index: u32 = 0; index < count; index++) {
    const row = <usize>load<u32>(entries + <usize>index * entrySize, 20);
    memory.copy(outRows + <usize>index * stride, row, stride);
  }
}

export function keepRowsBefore(
  rows: usize, count: u32, stride: u32, bound: usize, keyCount: u32, descendingBits: u32,
): u32 {
  let kept = rows;
  for (let index: u32 = 0; index < count; index++) {
    const row = rows + <usize>index * stride;
    if (compareSortRows(row, bound, keyCount, descendingBits) >= 0) continue;
    if (kept != row) memory.copy(kept, row, stride);
    kept += stride;
  }
  return <u32>(kept - rows) / stride;
}
