/** Reference of tokenise.as.ts: one regular expression, and lower case. */

export interface Word {
  readonly text: string;
  /** Index of the row that the word is from. */
  readonly parent: number;
}

/** The words of rows of bytes, in order. Bytes above ASCII are no letters. */
export function wordsOf(rows: readonly (Uint8Array | null)[]): Word[] {
  return rows.flatMap((row, parent) => {
    // As Latin-1 each byte is one character, and no letter of the expression is above ASCII.
    const text = row === null ? '' : new TextDecoder('latin1').decode(row);
    return (text.match(/[A-Za-z]+/g) ?? []).map((word) => ({ text: word.toLowerCase(), parent }));
  });
}
