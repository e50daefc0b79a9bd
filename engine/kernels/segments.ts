/** References of segments.as.ts and scan.as.ts: the same over plain arrays. */

/** Marks of rows whose key differs from that of the row before; row 0 has none. */
export function changesOf<Value>(
  values: readonly Value[],
  isSame: (a: Value, b: Value) => boolean,
): boolean[] {
  return values.map((value, row) => row > 0 && !isSame(values[row - 1]!, value));
}

/** The segment of each row; row 0 is in segment `first`. */
export function segmentsOf(marks: readonly boolean[], first: number): number[] {
  let segment = first;
  return marks.map((mark, row) => {
    if (mark && row > 0) segment++;
    return segment;
  });
}

export interface Ranks {
  readonly number: number;
  readonly rank: number;
  readonly denseRank: number;
}

/** Numbers and ranks as SQL defines them. */
export function ranksOf(partitions: readonly boolean[], peers: readonly boolean[]): Ranks[] {
  const result: Ranks[] = [];
  let start = 0;
  for (let row = 0; row < partitions.length; row++) {
    if (partitions[row]) start = row;
    const peerStarts = peers.slice(start, row + 1);
    const peer = start + peerStarts.lastIndexOf(true);
    const denseRank = peerStarts.filter((isStart) => isStart).length;
    result.push({ number: row - start + 1, rank: peer - start + 1, denseRank });
  }
  return result;
}

/** The row that is `shift` places away; null where it is in no or another partition. */
export function shiftedRow(
  partitions: readonly number[],
  row: number,
  shift: number,
): number | null {
  const other = row + shift;
  return partitions[other] === partitions[row] && other >= 0 ? other : null;
}

/** Texts of a segment that are not null, with a separator between; null where there is none. */
export function joinedTexts(texts: readonly (string | null)[], separator: string): string | null {
  const present = texts.filter((text) => text !== null);
  return present.length === 0 ? null : present.join(separator);
}
