/**
 * Case for the flag `i`: two code points are the same letter when they fold to the same one, by
 * Unicode's simple case folding, as in JavaScript's regular expressions with the flags `iu`.
 *
 * JavaScript has no call for it; folding by upper case and then lower case differs for four code
 * points only (a test compares all of Unicode).
 */
import { type CharSet, charSetOf, lastCodePoint, rangesOf, unionOf } from './char-set.ts';

/** ı is no i; two Greek letters and the ligature st are written in two ways. */
const exceptions: ReadonlyMap<number, number> = new Map([
  [0x131, 0x131],
  [0x1fd3, 0x390],
  [0x1fe3, 0x3b0],
  [0xfb05, 0xfb06],
]);

/** The code point that stands for all cases of a letter. */
export function foldCase(codePoint: number): number {
  const exception = exceptions.get(codePoint);
  if (exception !== undefined) return exception;
  const upper = singleOf(String.fromCodePoint(codePoint).toUpperCase(), codePoint);
  return singleOf(String.fromCodePoint(upper).toLowerCase(), upper);
}

/** The set with all cases of its letters. */
export function withAllCases(set: CharSet): CharSet {
  const { letters, variants } = allCases();
  const added: [number, number][] = [];
  for (const [first, last] of rangesOf(set)) {
    for (let at = firstFrom(letters, first); at < letters.length; at++) {
      const letter = letters[at] ?? 0;
      if (letter > last) break;
      for (const variant of variants.get(foldCase(letter)) ?? []) added.push([variant, variant]);
    }
  }
  return added.length === 0 ? set : unionOf(set, charSetOf(...added));
}

/** The index of the first letter that is not below `codePoint`. */
function firstFrom(letters: readonly number[], codePoint: number): number {
  let low = 0;
  let high = letters.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((letters[middle] ?? 0) < codePoint) low = middle + 1;
    else high = middle;
  }
  return low;
}

interface Cases {
  /** Code points that have more than one case, ascending. */
  readonly letters: readonly number[];
  /** All cases, by what they fold to. */
  readonly variants: ReadonlyMap<number, readonly number[]>;
}

let cases: Cases | null = null;

/** Made when first asked for: it takes some 100 ms. */
function allCases(): Cases {
  if (cases !== null) return cases;
  const variants = new Map<number, number[]>();
  for (let codePoint = 0; codePoint <= lastCodePoint; codePoint++) {
    const folded = foldCase(codePoint);
    if (folded === codePoint) continue;
    const list = variants.get(folded) ?? [folded];
    list.push(codePoint);
    variants.set(folded, list);
  }
  cases = { letters: [...variants.values()].flat().sort((a, b) => a - b), variants };
  return cases;
}

/** The code point of a text of one; otherwise `fallback`. */
function singleOf(text: string, fallback: number): number {
  const codePoint = text.codePointAt(0) ?? fallback;
  return text.length === (codePoint > 0xffff ? 2 : 1) ? codePoint : fallback;
}
