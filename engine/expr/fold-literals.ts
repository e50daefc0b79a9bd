/**
 * Constant folding: what is computed of literals alone is computed once, by the reference.
 *
 *     price > 2 * 50 and lower("A") = "a"      →      price > 100 and true
 *
 * What has an error stays as it is, and raises it for the first row that counts; so does a value that
 * no literal holds (lists and structs).
 */
import type { FieldType } from '../schema/field-type.ts';
import { evaluatorOf } from './evaluator.ts';
import type { Expr } from './expr.ts';
import { exprChildren, mapExpr } from './expr-children.ts';
import { Failure } from './failure.ts';
import { heldFloat, nullLiteral } from './literal.ts';
import type { Value } from './value.ts';

/** Longer texts are not kept in a plan. */
const textLengthMax = 1024;

export function foldLiterals(expr: Expr): Expr {
  return mapExpr(expr, (part) => {
    const children = exprChildren(part);
    const isConstant = children.length > 0 && children.every(({ kind }) => kind === 'literal');
    return isConstant ? (foldedLiteral(constantOf(part), part.type) ?? part) : part;
  });
}

function constantOf(expr: Expr): Value | Failure {
  const noColumn = () => () => {
    throw new Error('assertion failed: literals read no column');
  };
  return evaluatorOf(expr, noColumn)(0);
}

function foldedLiteral(value: Value | Failure, type: FieldType): Expr | null {
  return value instanceof Failure ? null : literalOfValue(value, type);
}

/** The literal of a value as the reference has it; null when there is none. */
export function literalOfValue(value: Value, type: FieldType): Expr | null {
  if (value === null) return nullLiteral(type);
  const held = heldValue(value);
  if (held === null) return null;
  return Object.freeze({ kind: 'literal', value: held, type, nullable: false });
}

/** As literals hold it (literal.ts). */
function heldValue(value: NonNullable<Value>): string | number | boolean | null {
  switch (typeof value) {
    case 'bigint':
      return String(value);
    case 'number':
      return heldFloat(value);
    case 'string':
      return value.length <= textLengthMax ? value : null;
    case 'boolean':
      return value;
    default:
      return null;
  }
}
