/**
 * Stragglers: regions that are slow beside their siblings, the regions with the same operators. One of them
 * gets a second attempt in slots that would be idle otherwise, as in Hadoop and Spark.
 *
 *     finished siblings   ms 900 1000 1100    rows a second 99 100 110     median: 1000 ms, 100 rows/s
 *     runs for 3500 ms    20 rows a second    slow: over 3 times as long, under a third of the rate
 *     runs for 3500 ms    90 rows a second    not slow: it has more rows, and a copy would have as many
 *
 * The rate alone says nothing of an attempt that has just begun, the time alone nothing of skew.
 *
 * Before: coordinator/job/job-master.ts. After: coordinator/job/deploy-regions.ts.
 */
import { vertexIdOf } from '../protocol.ts';
import type { Region } from './regions.ts';

/** So large a part of the siblings has to have finished; one at least. */
const finishedShareMin = 0.75;
/** How many times slower than the median sibling. */
const slownessMin = 3;
/** Nobody waits long for an attempt that has run for less. */
const runMsMin = 1_000;

/** How an attempt goes, or went: the attempt that counts, or else the first of its region. */
export interface RegionPace {
  readonly isDone: boolean;
  readonly ms: number;
  /** That its operators have taken in and given out. */
  readonly rowCount: number;
}

/** Ids of regions that are slow. @param paceOf - By region id; null for one that does not run. */
export function stragglersOf(
  regions: readonly Region[],
  paceOf: (regionId: string) => RegionPace | null,
): string[] {
  const families = Map.groupBy(regions, familyOf);
  return [...families.values()].flatMap((family) => {
    const found = family.map(({ id }) => ({ id, pace: paceOf(id) }));
    const finished = found.flatMap(({ pace }) => (pace?.isDone === true ? [pace] : []));
    if (finished.length < Math.max(1, Math.floor(family.length * finishedShareMin))) return [];
    const medianMs = medianOf(finished.map(({ ms }) => ms));
    const medianRate = medianOf(finished.map(rateOf));
    const isSlow = (pace: RegionPace) =>
      pace.ms >= Math.max(runMsMin, slownessMin * medianMs) &&
      rateOf(pace) * slownessMin < medianRate;
    return found.flatMap(({ id, pace }) => (pace?.isDone === false && isSlow(pace) ? [id] : []));
  });
}

function familyOf({ stageId, taskIds }: Region): string {
  return `${stageId} ${taskIds.map(vertexIdOf)}`;
}

function rateOf({ rowCount, ms }: RegionPace): number {
  return rowCount / Math.max(1, ms);
}

function medianOf(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
}
