/** References of band.as.ts: times are bigints, lists plain arrays. */

/** What becomes of each row of a batch. */
export interface SortedOut {
  readonly rows: readonly number[];
  readonly alone: readonly number[];
  readonly lateCount: number;
}

export interface TimedRow {
  readonly row: number;
  readonly time: bigint | null;
  readonly hasKey: boolean;
}

export function timedRowsOf(rows: readonly TimedRow[], lateBefore: bigint): SortedOut {
  const isLate = ({ time }: TimedRow) => time !== null && time < lateBefore;
  const isWhole = ({ time, hasKey }: TimedRow) => time !== null && hasKey;
  const inTime = rows.filter((row) => !isLate(row));
  return {
    rows: inTime.filter(isWhole).map(({ row }) => row),
    alone: inTime.filter((row) => !isWhole(row)).map(({ row }) => row),
    lateCount: rows.length - inTime.length,
  };
}

/** Whether two times are as near as a band asks. */
export function isWithin(
  probe: bigint,
  build: bigint,
  { low, high }: { readonly low: bigint; readonly high: bigint },
): boolean {
  return build - probe >= low && build - probe <= high;
}

/** The rows that were not marked, each once; `marked` has them afterwards. */
export function newlyMarked(marked: Set<number>, rows: readonly number[]): number[] {
  return rows.filter((row) => {
    const isNew = !marked.has(row);
    marked.add(row);
    return isNew;
  });
}
