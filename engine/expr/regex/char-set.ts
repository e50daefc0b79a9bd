/**
 * Sets of code points, as sorted ranges that neither meet nor overlap:
 *
 *     [a-cx]    97 99 120 120      first and last of each range, both inside
 */

/** First and last code point of each range, ascending. */
export type CharSet = readonly number[];

export const lastCodePoint = 0x10ffff;

/** The set of these ranges, in any order. */
export function charSetOf(...ranges: readonly (readonly [first: number, last: number])[]): CharSet {
  const sorted = [...ranges].sort(([a], [b]) => a - b);
  const set: number[] = [];
  for (const [first, last] of sorted) {
    const end = set.at(-1);
    if (end === undefined || first > end + 1) set.push(first, last);
    else if (last > end) set[set.length - 1] = last;
  }
  return set;
}

export function unionOf(...sets: readonly CharSet[]): CharSet {
  return charSetOf(...sets.flatMap(rangesOf));
}

/** All code points but those of the set. */
export function complementOf(set: CharSet): CharSet {
  const ranges: [number, number][] = [];
  let next = 0;
  for (const [first, last] of rangesOf(set)) {
    if (first > next) ranges.push([next, first - 1]);
    next = last + 1;
  }
  if (next <= lastCodePoint) ranges.push([next, lastCodePoint]);
  return charSetOf(...ranges);
}

export function hasCodePoint(set: CharSet, codePoint: number): boolean {
  // The count of borders up to the code point is odd inside of a range.
  let low = 0;
  let high = set.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const border = set[middle] ?? 0;
    const isPast = (middle & 1) === 0 ? border > codePoint : border >= codePoint;
    if (isPast) high = middle;
    else low = middle + 1;
  }
  return (low & 1) === 1;
}

export function rangesOf(set: CharSet): [first: number, last: number][] {
  const ranges: [number, number][] = [];
  for (let index = 0; index < set.length; index += 2) {
    ranges.push([set[index] ?? 0, set[index + 1] ?? 0]);
  }
  return ranges;
}

export const digitSet = charSetOf([48, 57]);
export const wordSet = charSetOf([48, 57], [65, 90], [95, 95], [97, 122]);
/** What ends a line: \n, \r, and the two separators of Unicode. */
export const lineEndSet = charSetOf([10, 10], [13, 13], [0x2028, 0x2029]);
/** White space and line ends as JavaScript has them. */
export const spaceSet = charSetOf(
  [9, 13],
  [32, 32],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
);
