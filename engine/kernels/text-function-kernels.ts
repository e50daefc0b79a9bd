/**
 * The kernels of functions on text as TypeScript sees them: one value at a time, called by compiled
 * expressions. A text is an address and a length in bytes. Conventions: engine/kernels/kernels.ts.
 */
export interface TextFunctionKernels {
  /** Code points. */
  textLength(text: number, length: number): number;
  /** The byte at which the code point `index` begins; the length where there are fewer. */
  textOffset(text: number, length: number, index: number): number;
  /** The byte at which `part` begins for the first time, or -1. */
  findText(text: number, length: number, part: number, partLength: number): number;
  /** 1 or 0. */
  startsWithText(text: number, length: number, part: number, partLength: number): number;
  endsWithText(text: number, length: number, part: number, partLength: number): number;
  /** SQL's `like`: `%`, `_` and `\`. The pattern is not cut within a code point. */
  likeText(text: number, length: number, pattern: number, patternLength: number): number;
  /** Bytes of white space at the start, as JavaScript's `trim` has it. */
  spacesAtStart(text: number, length: number): number;
  spacesAtEnd(text: number, length: number): number;
  /** Copies a text, and writes nothing behind it. */
  copyText(text: number, length: number, out: number): void;
  /** @returns 1 when the text is ASCII and was written to `out`, else 0: what is there is garbage. */
  lowerAscii(text: number, length: number, out: number): number;
  upperAscii(text: number, length: number, out: number): number;
  /** Bytes that `replaceText` writes. */
  replacedSize(
    text: number,
    length: number,
    part: number,
    partLength: number,
    replacement: number,
    replacementLength: number,
  ): number;
  /** Writes the text with another one for every place of `part`; an empty part has no place. */
  replaceText(
    text: number,
    length: number,
    part: number,
    partLength: number,
    replacement: number,
    replacementLength: number,
    out: number,
  ): void;
  /** Code points in reverse order: as many bytes. */
  reverseText(text: number, length: number, out: number): void;
  /** UTF-16 units: the length that JavaScript sees. */
  utf16Length(text: number, length: number): number;
  /** Bytes of the first `points` code points of the text, repeated without end; it is not empty. */
  fillSize(text: number, length: number, points: number): number;
  /** Writes the first `size` bytes of the text, repeated without end; of an empty text none. */
  fillText(text: number, length: number, out: number, size: number): void;
}
