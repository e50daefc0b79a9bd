/** References of take.as.ts: the same over plain arrays. */

/** Values by row number. */
export function takeRows<Value>(values: readonly Value[], rows: readonly number[]): Value[] {
  return rows.map((row) => values[row]!);
}

/** Arrow's offsets and bytes of texts; a null is empty. */
export function arrowUtf8Of(texts: readonly (Uint8Array | null)[]) {
  const offsets = [0];
  const bytes: number[] = [];
  for (const text of texts) {
    if (text !== null) bytes.push(...text);
    offsets.push(bytes.length);
  }
  return { offsets, bytes: Uint8Array.from(bytes) };
}
