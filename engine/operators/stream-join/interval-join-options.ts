/** What an interval join is told: its two streams, and when rows of them are partners. */
import type { Expr } from '../../expr/expr.ts';
import type { JoinSide, JoinType } from '../../plan/join-type.ts';
import { fieldIndexOf, type Schema } from '../../schema/schema.ts';

/** One of the streams. */
export interface JoinStream {
  readonly schema: Schema;
  /** Key columns; as many, and of the same types, on both sides. One or more. */
  readonly keys: readonly string[];
  /** The column with the event time. */
  readonly time: string;
}

export interface IntervalJoinOptions {
  readonly type: JoinType;
  readonly left: JoinStream;
  readonly right: JoinStream;
  /**
   * Rows are partners when the right one's time is from `left.time - beforeMs` to `left.time + afterMs`. One of the
   * two may be negative, as long as there is a time between.
   */
  readonly beforeMs: number;
  readonly afterMs: number;
  /**
   * How far times may be behind the watermark: 0 for times that watermarks are made of; for starts of windows
   * the size less one.
   */
  readonly lagMs: number;
  /** Rows whose times are in one slice of this length are kept together. */
  readonly sliceMs: number;
  /** A condition over columns of both. */
  readonly condition: Expr | null;
  readonly output: Schema;
}

/** The unit of a join's times: microseconds where one of its sides has these. */
export interface TimeUnits {
  readonly unitsPerMs: number;
  /** By side: what its times are multiplied with. */
  readonly factors: { readonly [Side in JoinSide]: number };
}

/** Times of a join in numbers of its unit. */
export interface JoinTimes extends TimeUnits {
  readonly before: number;
  readonly after: number;
  readonly lag: number;
  readonly slice: number;
}

type Sides = { readonly [Side in JoinSide]: JoinStream };

export function joinTimesOf(options: IntervalJoinOptions): JoinTimes {
  const { beforeMs, afterMs, lagMs, sliceMs } = options;
  const units = timeUnitsOf(options);
  const { unitsPerMs } = units;
  return {
    ...units,
    before: beforeMs * unitsPerMs,
    after: afterMs * unitsPerMs,
    lag: lagMs * unitsPerMs,
    slice: sliceMs * unitsPerMs,
  };
}

/** The unit of a join's times: the finer one of its sides. */
export function timeUnitsOf({ left, right }: Sides): TimeUnits {
  const isFine = [left, right].some(isInMicroseconds);
  const factorOf = (side: JoinStream) => (isFine && !isInMicroseconds(side) ? 1000 : 1);
  return {
    unitsPerMs: isFine ? 1000 : 1,
    factors: { left: factorOf(left), right: factorOf(right) },
  };
}

function isInMicroseconds({ schema, time }: JoinStream): boolean {
  const type = schema.fields[fieldIndexOf(schema, time)]?.type;
  return type?.kind === 'timestamp' && type.unit === 'us';
}

/** What of a side comes alone, and with what it is marked. */
export function otherSide(side: JoinSide): JoinSide {
  return side === 'left' ? 'right' : 'left';
}
