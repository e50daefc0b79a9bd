/** References of join.as.ts: keys are plain values, lists of rows plain arrays; -1 means none. */

/** The first row with each key, and, by row, the next one with the same key. */
export interface Chains {
  readonly first: ReadonlyMap<string, number>;
  readonly next: readonly number[];
}

/** Chains of rows with equal keys, ascending; rows whose key is null are in none. */
export function chainsOf(keys: readonly (string | null)[]): Chains {
  const first = new Map<string, number>();
  const next = keys.map(() => -1);
  for (let row = keys.length - 1; row >= 0; row--) {
    const key = keys[row];
    if (key === null || key === undefined) continue;
    next[row] = first.get(key) ?? -1;
    first.set(key, row);
  }
  return { first, next };
}

/** The first partner of each row. */
export function headsOf({ first }: Chains, keys: readonly (string | null)[]): number[] {
  return keys.map((key) => (key === null ? -1 : (first.get(key) ?? -1)));
}

/**
 * All pairs of rows and partners.
 *
 * @param nullNumber - The partner of a row that has none; -1 leaves such rows out.
 */
export function pairsOf(
  heads: readonly number[],
  next: readonly number[],
  nullNumber: number,
): [row: number, partner: number][] {
  return heads.flatMap((head, row) => {
    const pairs: [number, number][] = [];
    for (let partner = head; partner >= 0; partner = next[partner] ?? -1)
      pairs.push([row, partner]);
    return pairs.length === 0 && nullNumber >= 0 ? [[row, nullNumber]] : pairs;
  });
}
