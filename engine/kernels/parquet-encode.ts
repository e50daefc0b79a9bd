/** References of parquet-encode.as.ts, intern.as.ts and extremes.as.ts. */

/** The rows of a selection that have a value. */
export function presentRowsOf(rows: readonly number[], hasValue: readonly boolean[]): number[] {
  return rows.filter((row) => hasValue[row]);
}

/** Texts behind their u32 lengths. */
export function plainTextBytes(texts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(
    texts.flatMap((text) => [...new Uint8Array(Uint32Array.of(text.length).buffer), ...text]),
  );
}

/** The low `size` bytes, the highest first. */
export function fixedOfDecimal(value: bigint, size: number): number[] {
  return Array.from({ length: size }, (_, byte) =>
    Number((value >> BigInt(8 * (size - 1 - byte))) & 0xffn),
  );
}

/** The different values in the order in which they come, and for each value which of them it is. */
export function interned<T>(values: readonly T[], keyOf: (value: T) => string) {
  const numbers = new Map<string, number>();
  const entries: T[] = [];
  const indexes = values.map((value) => {
    const key = keyOf(value);
    const known = numbers.get(key);
    if (known !== undefined) return known;
    numbers.set(key, entries.length);
    return entries.push(value) - 1;
  });
  return { entries, indexes };
}

/** The least and the largest; null of none. */
export function extremesOf<T>(
  values: readonly T[],
  compare: (a: T, b: T) => number,
): { least: T; most: T } | null {
  const sorted = [...values].sort(compare);
  const [least] = sorted;
  const most = sorted.at(-1);
  return least === undefined || most === undefined ? null : { least, most };
}
