/**
 * The text kernels as TypeScript sees them: lines, UTF-8, words. Conventions: engine/kernels/kernels.ts.
 */

/** Byte offsets of the u32 fields of a tokeniser's state; zero it before the first call. */
export const tokeniseLayout = {
  /** Place of the row to go on with; `rowCount` when all are done. */
  row: 0,
  /** Byte within that row. */
  byte: 4,
  /** 0, or the bytes that the next long word needs: give more `bytesOut` and call again. */
  bytesNeeded: 8,
  /** Where the bytes of the next long word would go. */
  bytesOut: 12,
  size: 16,
} as const;

/** Lines and words of texts. */
export interface TextKernels {
  /**
   * Splits [from, end) into lines at LF and writes a view per line; the CR of a CRLF is stripped.
   * Lines over 8 bytes point into the text. With `isLast` 1 the rest without LF is a line too.
   * At `result`: u32 address behind the last line taken (read it with `>>> 0`).
   * @returns Count of lines, at most `rowsMax`.
   */
  splitLines(
    from: number,
    end: number,
    isLast: number,
    outViews: number,
    rowsMax: number,
    result: number,
  ): number;

  /**
   * Finds the first byte sequence in [from, end) that is not well-formed UTF-8: overlong, surrogate,
   * above U+10FFFF, stray or missing continuation. At `result`: u32 1 when the sequence is right so
   * far and only cut off by `end`, else 0.
   * @returns Address (`>>> 0`) of its first byte; 0 when all is well.
   */
  findInvalidUtf8(from: number, end: number, result: number): number;
  /**
   * Writes a view per word of a utf8 column. A word is a maximal run of [A-Za-z], lower-cased; a row
   * border ends it. Words up to 8 bytes lie in the view, longer ones are copied to `bytesOut` on
   * (each needs its length rounded up to 16 until `bytesEnd`).
   *
   * Resumable: `state` (`tokeniseLayout`) says where to go on. All is done when its row is
   * `rowCount`; else the words are full, or its `bytesNeeded` is above 0. `bytesOut` is where to
   * write in this call: pass the state's `bytesOut` to go on in the same room. The bytes of the
   * words do not depend on the input afterwards.
   * @param outParents - Address for the stored row (u32) of each word, or 0. With 0, rows that lie
   *   side by side in memory are read as one span, which is faster.
   * @returns Count of words, at most `wordsMax`.
   */
  tokeniseWords(
    views: number,
    validity: number,
    selection: number,
    rowCount: number,
    state: number,
    outViews: number,
    outParents: number,
    wordsMax: number,
    bytesOut: number,
    bytesEnd: number,
  ): number;
}
