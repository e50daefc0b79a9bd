/** What a regular join is told: its two streams, and how long rows are kept. */
import type { Expr } from '../../expr/expr.ts';
import type { JoinType } from '../../plan/join-type.ts';
import type { Schema } from '../../schema/schema.ts';
import type { JoinStream } from './interval-join-options.ts';

export interface RegularJoinOptions {
  readonly type: JoinType;
  readonly left: Omit<JoinStream, 'time'>;
  readonly right: Omit<JoinStream, 'time'>;
  /** How long rows can find partners after they have come, by the clock; null: for ever. */
  readonly ttlMs: number | null;
  /** Rows that came in one slice of this length are dropped together. @defaultValue an eighth of the time to live */
  readonly sliceMs?: number;
  /** A condition over columns of both. */
  readonly condition: Expr | null;
  /** The last column of the output, with the kinds of rows; null: rows are only added, which other types than inner and semi do not do. */
  readonly kindColumn: string | null;
  readonly output: Schema;
}

/** Longer than anything runs: about 35 years. */
const foreverMs = 2 ** 40;

export function sliceMsOf({ ttlMs, sliceMs }: RegularJoinOptions): number {
  if (sliceMs !== undefined) return sliceMs;
  return ttlMs === null ? foreverMs : Math.max(1, Math.ceil(ttlMs / 8));
}
