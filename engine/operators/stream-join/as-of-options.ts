/** What an as-of join is told: its two streams, and how old the version of a row may be. */
import type { Schema } from '../../schema/schema.ts';
import { type JoinStream, type TimeUnits, timeUnitsOf } from './interval-join-options.ts';

export interface AsOfJoinOptions {
  /** `left`: rows without a version come out as well. */
  readonly type: 'inner' | 'left';
  readonly left: JoinStream;
  /** The versions. */
  readonly right: JoinStream;
  /** How much older than its row a version may be; null: as old as it likes. */
  readonly toleranceMs: number | null;
  readonly output: Schema;
}

export interface AsOfTimes extends TimeUnits {
  /** In the unit of times; below 0 where there is none. */
  readonly tolerance: number;
}

/** Wider than all times are apart that a tolerance is of use for. */
const toleranceMax = 2 ** 62;

export function asOfTimesOf(options: AsOfJoinOptions): AsOfTimes {
  const units = timeUnitsOf(options);
  const { toleranceMs } = options;
  const tolerance = toleranceMs === null ? -1 : toleranceMs * units.unitsPerMs;
  return { ...units, tolerance: Math.min(tolerance, toleranceMax) };
}
