/**
 * Tokeniser: classifies 64 bytes at a time into a bit mask and walks its edges, so that a word costs
 * no work per byte. Rows that lie side by side in a text are walked as one span, unless somebody asks
 * for the parents: the branch at the end of a line is hard to predict. (Writing the bytes of every
 * word to `bytesOut`, to keep or not, instead of branching on 8 bytes was 10 % slower.)
 */
import { isValid, keepBytes, rowAt } from './inline.as';

@inline const lowerBits: u64 = 0x2020202020202020;

export function tokeniseWords(
  views: usize, validity: usize, selection: usize, rowCount: u32, state: usize,
  outViews: usize, outParents: usize, wordsMax: u32, bytesOut: usize, bytesEnd: usize,
): u32 {
  let row = load<u32>(state);
  let words: u32 = 0;
  store<u32>(state, 0, 8);
  store<u32>(state, <u32>bytesOut, 12);
  while (row < rowCount) {
    const stored = rowAt(selection, row);
    const view = views + (<usize>stored << 4);
    const length = isValid(validity, stored) ? load<u32>(view) : 0;
    const skip = load<u32>(state, 4);
    if (skip >= length) {
      row++;
      store<u32>(state, 0, 4);
      continue;
    }
    const start = bytesOf(view, length);
    let end = start + length;
    let next = row + 1;
    if (outParents == 0 && length > 8) {
      // Extend the span over the rows that follow in the same text.
      for (; next < rowCount; next++) {
        const follower = rowAt(selection, next);
        const followerView = views + (<usize>follower << 4);
        const followerLength = isValid(validity, follower) ? load<u32>(followerView) : 0;
        if (followerLength == 0) continue;
        const followerStart = <usize>load<u32>(followerView, 4);
        if (followerLength <= 8 || !isGap(end, followerStart)) break;
        end = followerStart + followerLength;
      }
    }
    const first = words;
    const stop = tokeniseSpan(start + skip, end, state, outViews, words, wordsMax, bytesEnd);
    words = load<u32>(state);
    if (outParents) {
      for (let word = first; word < words; word++) store<u32>(outParents + (<usize>word << 2), stored);
    }
    if (stop < end) {
      storePosition(views, selection, validity, row, stop, state);
      return words;
    }
    row = next;
    store<u32>(state, 0, 4);
  }
  store<u32>(state, row);
  return words;
}

@inline function bytesOf(view: usize, length: u32): usize {
  return length > 8 ? <usize>load<u32>(view, 4) : view + 8;
}

@inline function isLetter(byte: u32): bool {
  return (byte | 0x20) - 97 < 26;
}

/** Whether a follower starts 1 to 4 bytes behind `end`, with no letter between. */
@inline function isGap(end: usize, start: usize): bool {
  if (start - end - 1 >= 4) return false;
  for (let at = end; at < start; at++) {
    if (isLetter(load<u8>(at))) return false;
  }
  return true;
}

/** Finds the row of a span that holds the byte at `stop`, and stores row and byte in the state. */
function storePosition(views: usize, selection: usize, validity: usize, row: u32, stop: usize, state: usize): void {
  while (true) {
    const stored = rowAt(selection, row);
    const view = views + (<usize>stored << 4);
    const length = isValid(validity, stored) ? load<u32>(view) : 0;
    const start = bytesOf(view, length);
    if (length > 0 && stop >= start && stop - start < length) {
      store<u32>(state, row);
      store<u32>(state, <u32>(stop - start), 4);
      return;
    }
    row++;
  }
}

/** One bit per byte that is a letter; of `length` bytes, at most 64. */
@inline function lettersOf(block: usize, length: usize): u64 {
  let letters: u64 = <u64>letters16(block);
  if (length > 16) {
    letters |= <u64>(letters16(block + 16) << 16);
    letters |= <u64>(letters16(block + 32) | (letters16(block + 48) << 16)) << 32;
  }
  return length < 64 ? letters & ((<u64>1 << <u64>length) - 1) : letters;
}

@inline function letters16(at: usize): u32 {
  const lower = v128.or(v128.load(at), i8x16.splat(0x20));
  return <u32>i8x16.bitmask(i8x16.lt_u(i8x16.sub(lower, i8x16.splat(97)), i8x16.splat(26)));
}

/**
 * Writes the words of [from, end). Returns `end`, or the start of the word that found no room. The
 * count of words goes to state 0 (the caller puts the row there afterwards), bytes to 8 and 12.
 */
@inline function tokeniseSpan(
  from: usize, end: usize, state: usize, outViews: usize, firstWord: u32, wordsMax: u32, bytesEnd: usize,
): usize {
  let view = outViews + (<usize>firstWord << 4);
  const viewsEnd = outViews + (<usize>wordsMax << 4);
  let start = from;
  let carry: u64 = 0; // 1 while a word reaches over the border of two blocks.
  for (let block = from; block < end || carry != 0; block += 64) {
    const letters = block < end ? lettersOf(block, end - block) : 0;
    const before = (letters << 1) | carry;
    let starts = letters & ~before;
    let ends = before & ~letters;
    if (carry == 0) {
      start = block + <usize>ctz(starts);
      starts &= starts - 1;
    }
    carry = letters >>> 63;
    while (ends != 0) {
      const length = <u32>(block + <usize>ctz(ends) - start);
      if (view == viewsEnd) return finishSpan(state, view, outViews, start);
      if (length > 8) {
        const bytes = load<u32>(state, 12);
        const needed = (length + 15) & ~15;
        if (<u32>bytesEnd - bytes < needed) {
          store<u32>(state, needed, 8);
          return finishSpan(state, view, outViews, start);
        }
        copyLower(start, bytes, length);
        store<u32>(state, bytes + length, 12);
        store<u64>(view, <u64>length | (<u64>bytes << 32));
        store<u64>(view, load<u64>(start) | lowerBits, 8);
      } else {
        store<u64>(view, <u64>length);
        store<u64>(view, keepBytes(load<u64>(start) | lowerBits, length), 8);
      }
      view += 16;
      ends &= ends - 1;
      start = block + <usize>ctz(starts);
      starts &= starts - 1;
    }
  }
  return finishSpan(state, view, outViews, end);
}

@inline function finishSpan(state: usize, view: usize, outViews: usize, stop: usize): usize {
  store<u32>(state, <u32>((view - outViews) >> 4));
  return stop;
}

@inline function copyLower(from: usize, to: usize, length: u32): void {
  for (let done: u32 = 0; done < length; done += 16) {
    v128.store(to + done, v128.or(v128.load(from + done), i8x16.splat(0x20)));
  }
}
