/**
 * Random expressions for property tests: well-typed trees of every kind of node, over the columns of a
 * schema and literals that stand beside them.
 */
import fc from 'fast-check';
import { arithmeticTypeOf } from '../../engine/expr/arithmetic-type.ts';
import type { ArithmeticOp, CompareOp, Expr } from '../../engine/expr/expr.ts';
import {
  arithmeticExpr,
  columnExpr,
  compareExpr,
  isNullExpr,
  logicExpr,
  notExpr,
} from '../../engine/expr/expr-factory.ts';
import { literalBeside } from '../../engine/expr/literal.ts';
import type { Schema } from '../../engine/schema/schema.ts';
import { valuesOf } from './batches.ts';

const arithmeticOps: readonly ArithmeticOp[] = ['add', 'subtract', 'multiply'];
const compareOps: readonly CompareOp[] = ['eq', 'ne', 'lt', 'le', 'gt', 'ge'];

/** Expressions of any type, up to `depth` levels. */
export function randomExprs(schema: Schema, depth: number): fc.Arbitrary<Expr> {
  const columns = fc.constantFrom(...schema.fields.map(columnExpr));
  if (depth === 0) return columns;
  const inner = randomExprs(schema, depth - 1);
  return fc.oneof(
    columns,
    pairs(inner).chain(([left, right]) =>
      oneOf(arithmeticOps, left, (op) =>
        arithmeticTypeOf(op, left.type, right.type) ? arithmeticExpr(op, left, right) : null,
      ),
    ),
    randomConditions(schema, depth),
  );
}

/** Conditions, up to `depth` levels. */
export function randomConditions(schema: Schema, depth: number): fc.Arbitrary<Expr> {
  const inner = randomExprs(schema, Math.max(0, depth - 1));
  const compared = pairs(inner).chain(([left, right]) =>
    oneOf(compareOps, isNullExpr(left), (op) => attempt(() => compareExpr(op, left, right))),
  );
  const asked = inner.map(isNullExpr);
  if (depth <= 1) return fc.oneof({ weight: 5, arbitrary: compared }, asked);
  const conditions = randomConditions(schema, depth - 1);
  return fc.oneof(
    compared,
    asked,
    fc
      .tuple(conditions, conditions, fc.constantFrom('and' as const, 'or' as const))
      .map(([left, right, op]) => logicExpr(op, left, right)),
    conditions.map(notExpr),
  );
}

/** Two expressions, or one and a literal beside it. */
function pairs(inner: fc.Arbitrary<Expr>): fc.Arbitrary<[Expr, Expr]> {
  const two = fc.tuple(inner, inner);
  const withLiteral = inner.chain((left) =>
    valuesOf(left.type).map((value): [Expr, Expr] => [
      left,
      attempt(() => literalBeside(value, left.type)) ?? left,
    ]),
  );
  return fc.oneof(two, withLiteral);
}

/** One of the operations that fit, or `otherwise`. */
function oneOf<Op>(
  ops: readonly Op[],
  otherwise: Expr,
  make: (op: Op) => Expr | null,
): fc.Arbitrary<Expr> {
  const made = ops.flatMap((op) => make(op) ?? []);
  return made.length === 0 ? fc.constant(otherwise) : fc.constantFrom(...made);
}

/** Null where the factory refuses the types. */
function attempt(make: () => Expr): Expr | null {
  try {
    return make();
  } catch {
    return null;
  }
}
