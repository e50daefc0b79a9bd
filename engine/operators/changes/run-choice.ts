/**
 * Which runs become one, as in a log-structured merge tree by size: the newest ones, and behind them each that has no more
 * groups than those before it together. So a large run is written again only when as much has come on top of it.
 */
const runsMax = 6;

/**
 * How many of the newest runs are merged; 0: none.
 * @param rowCounts - Of runs, newest first.
 */
export function runsToMerge(rowCounts: readonly number[]): number {
  if (rowCounts.length <= runsMax) return 0;
  let sum = 0;
  let count = 0;
  for (const rowCount of rowCounts) {
    if (count >= 2 && rowCount > sum) break;
    sum += rowCount;
    count++;
  }
  return count;
}
