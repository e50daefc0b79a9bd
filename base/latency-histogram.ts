/**
 * Latency histogram: durations counted in cells whose width grows with the duration, so that a percentile is off by at
 * most 3 %, from a microsecond to an hour, in 7 KiB.
 *
 *     below 32 µs   a cell for each microsecond
 *     above         32 cells for each power of two          32 33 … 63 | 64 66 … 126 | 128 132 …
 *
 * It is our own, and not a package: the cells lie in memory that a thread writes and others read while it does, which no
 * HDR histogram of npm offers, and it is thirty lines. A count is a double, for 2^32 are reached in half a day.
 *
 * Invariants:
 * - A duration is in the cell whose bounds it lies between; below 0 counts as 0, above an hour as the last cell.
 * - A percentile is the upper bound of its cell: never less than what was measured.
 *
 * @see Gil Tene, HdrHistogram: the same log-linear cells.
 */

const subBits = 5;
const subCount = 1 << subBits;
/** Microseconds up to 2^32: 71 minutes. */
const topBits = 32;

/** Cells of a histogram. */
export const histogramCells = (topBits - subBits + 1) * subCount;

const usLimit = 2 ** topBits - 1;

/** How often a cell has counted: index, count, index, count, …; cells without counts are left out. */
export type CellCounts = readonly number[];

export interface LatencySummary {
  /** Durations that were counted. */
  readonly count: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly maxMs: number;
}

/** Writes into cells that others may read meanwhile. */
export class LatencyHistogram {
  readonly #cells: Float64Array;

  /** @param cells - `histogramCells` of them, zero or as another histogram left them. */
  constructor(cells: Float64Array) {
    this.#cells = cells;
  }

  /** @param count - How often that duration was measured, more than 0. */
  record(durationMs: number, count = 1): void {
    const cell = cellOf(durationMs);
    this.#cells[cell] = (this.#cells[cell] ?? 0) + count;
  }
}

/** What the cells have counted, for messages. */
export function countsOf(cells: Float64Array): CellCounts {
  const counts: number[] = [];
  for (const [index, count] of cells.entries()) if (count > 0) counts.push(index, count);
  return counts;
}

/** Percentiles of several histograms together; null when nothing was counted. */
export function summarizeLatency(all: readonly CellCounts[]): LatencySummary | null {
  const cells = new Float64Array(histogramCells);
  let count = 0;
  for (const counts of all) {
    for (let at = 0; at + 1 < counts.length; at += 2) {
      const cell = counts[at] ?? 0;
      cells[cell] = (cells[cell] ?? 0) + (counts[at + 1] ?? 0);
      count += counts[at + 1] ?? 0;
    }
  }
  if (count === 0) return null;
  const at = (share: number) => percentileMs(cells, count * share);
  return {
    count,
    p50Ms: at(0.5),
    p90Ms: at(0.9),
    p99Ms: at(0.99),
    p999Ms: at(0.999),
    maxMs: at(1),
  };
}

/** The upper bound of the first cell up to which `rank` durations lie. */
function percentileMs(cells: Float64Array, rank: number): number {
  let sum = 0;
  let last = 0;
  for (let cell = 0; cell < cells.length && sum < rank; cell++) {
    const count = cells[cell] ?? 0;
    if (count > 0) last = cell;
    sum += count;
  }
  return upperUsOf(last) / 1_000;
}

function cellOf(durationMs: number): number {
  // Negated, so that what is no number counts as 0 as well.
  if (!(durationMs > 0)) return 0;
  const us = Math.min(Math.floor(durationMs * 1_000), usLimit);
  if (us < subCount) return us;
  const shift = 31 - Math.clz32(us) - subBits;
  return (shift + 1) * subCount + (us >>> shift) - subCount;
}

/** The first microsecond behind a cell. */
function upperUsOf(cell: number): number {
  if (cell < subCount) return cell + 1;
  const shift = Math.floor(cell / subCount) - 1;
  return (subCount + (cell % subCount) + 1) * 2 ** shift;
}
