/**
 * What a join means, in plain JavaScript: every row of the one side beside every row of the other, and the
 * reference evaluator for the condition.
 */
import { evaluatorOf } from '../../engine/expr/evaluator.ts';
import type { Expr } from '../../engine/expr/expr.ts';
import { compareExpr } from '../../engine/expr/expr-factory.ts';
import type { Value } from '../../engine/expr/value.ts';
import { becomesNull, isOneSided } from '../../engine/plan/join-type.ts';
import type { LogicalNode } from '../../engine/plan/logical-graph.ts';
import type { Schema } from '../../engine/schema/schema.ts';
import type { Row } from './operator-harness.ts';

export type JoinNode = LogicalNode & { readonly kind: 'join' };

/** The rows that a join gives, in the order of the left side. */
export function joinedRows(
  { type, keys, condition, rightNames }: JoinNode,
  left: { readonly schema: Schema; readonly rows: readonly Row[] },
  right: { readonly schema: Schema; readonly rows: readonly Row[] },
): Row[] {
  const conditions: Expr[] = keys.map((key) => compareExpr('eq', key.left, key.right));
  if (condition !== null) conditions.push(condition);
  let pair: Row = {};
  const evaluators = conditions.map((expr) =>
    evaluatorOf(expr, (name) => () => pair[name] as Value),
  );
  const renamed = right.rows.map((row) =>
    Object.fromEntries(
      right.schema.fields.map(({ name }, index) => [rightNames[index], row[name] ?? null]),
    ),
  );
  const arePartners = (a: Row, b: Row) => {
    pair = { ...a, ...b };
    return evaluators.every((evaluate) => evaluate(0) === true);
  };
  const partners = left.rows.map((row) => renamed.filter((other) => arePartners(row, other)));
  if (isOneSided(type)) {
    return left.rows.filter((_, at) => (partners[at]?.length !== 0) === (type === 'semi'));
  }
  const nulls = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, null]));
  const found = left.rows.flatMap((row, at): Row[] => {
    const pairs = (partners[at] ?? []).map((other) => ({ ...row, ...other }));
    const isAlone = pairs.length === 0 && becomesNull(type, 'right');
    return isAlone ? [{ ...row, ...nulls(rightNames) }] : pairs;
  });
  if (!becomesNull(type, 'left')) return found;
  const matched = new Set(partners.flat());
  const leftNames = left.schema.fields.map((field) => field.name);
  const alone = renamed.filter((row) => !matched.has(row));
  return [...found, ...alone.map((row) => ({ ...nulls(leftNames), ...row }))];
}
