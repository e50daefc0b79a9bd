/** What a join is told: its type, its two sides, and what makes two rows partners. */
import type { Expr } from '../expr/expr.ts';
import type { JoinSide, JoinType } from '../plan/join-type.ts';
import type { Schema } from '../schema/schema.ts';

export interface HashJoinOptions {
  readonly type: JoinType;
  /** Which side is kept in memory. */
  readonly buildSide: JoinSide;
  readonly probe: Schema;
  readonly build: Schema;
  /** Names of key columns; as many, and of the same types, on both sides. */
  readonly probeKeys: readonly string[];
  readonly buildKeys: readonly string[];
  /** A condition over columns of both sides. */
  readonly condition: Expr | null;
  /** Columns of both sides. */
  readonly output: Schema;
}

/** The same join with its sides the other way round: it gives the same rows, in another order. */
export function swapped(join: HashJoinOptions): HashJoinOptions {
  const { buildSide, probe, build, probeKeys, buildKeys } = join;
  return {
    ...join,
    buildSide: buildSide === 'left' ? 'right' : 'left',
    ...{ probe: build, build: probe, probeKeys: buildKeys, buildKeys: probeKeys },
  };
}
