/**
 * First ranks: which rank of an `over` a filter behind it bounds, and by which number. What is ranked behind that is
 * seen by nobody, so batch drops it early, and a stream need not say what becomes of it.
 *
 *     place = rowNumber(), where place <= 3 and n > 0        ─▶ rowNumber up to 3, as "place"
 */
import { conditionsOf } from '../expr/conditions.ts';
import type { Expr } from '../expr/expr.ts';
import type { RankFunction } from './analytic-functions.ts';

export interface FirstRanks {
  /** The column of the rank. */
  readonly name: string;
  readonly function: RankFunction;
  /** Rows of a rank up to this are wanted; from 1. */
  readonly count: number;
}

/** Null where the condition bounds none of the functions. */
export function firstRanksOf(
  functions: readonly { readonly name: string; readonly kind: string }[],
  predicate: Expr,
): FirstRanks | null {
  for (const condition of conditionsOf(predicate)) {
    for (const one of functions) {
      if (!isRank(one)) continue;
      const count = lastRank(condition, one.name);
      if (count !== null) return { name: one.name, function: one.function, count };
    }
  }
  return null;
}

function isRank(one: {
  readonly name: string;
  readonly kind: string;
}): one is { readonly name: string; readonly kind: 'rank'; readonly function: RankFunction } {
  return one.kind === 'rank';
}

/** The last rank that the condition lets through, from 1 on; null where it has no such bound. */
function lastRank(condition: Expr, rank: string): number | null {
  if (condition.kind !== 'compare') return null;
  const { op, left, right } = condition;
  const isThat = (expr: Expr) => expr.kind === 'column' && expr.name === rank;
  const bound = isThat(left) ? right : isThat(right) ? left : null;
  if (bound?.kind !== 'literal' || !bound.type.kind.includes('int')) return null;
  const upper = isThat(left) ? (['le', 'lt'] as const) : (['ge', 'gt'] as const);
  const last = Number(bound.value) - (op === upper[1] ? 1 : 0);
  const isUpper = op === 'eq' || op === upper[0] || op === upper[1];
  return isUpper && Number.isSafeInteger(last) && last >= 1 ? last : null;
}
