/**
 * Expressions over rows of plain values, for tables of what they give:
 *
 *     valueOfExpr(callExpr('upper', textLiteral('é')))                       'É'
 *     valueOfExpr(arithmeticExpr('add', n, n), { n: 2 ** 31 - 1 })           'EXPR_OVERFLOW'
 */
import { codeOf } from '../../base/typed-error.ts';
import { evaluatorOf } from '../../engine/expr/evaluator.ts';
import type { Expr } from '../../engine/expr/expr.ts';
import { callExpr, columnExpr } from '../../engine/expr/expr-factory.ts';
import { Failure } from '../../engine/expr/failure.ts';
import type { FunctionName } from '../../engine/expr/function-name.ts';
import { literalAlone, typedLiteral } from '../../engine/expr/literal.ts';
import type { Value } from '../../engine/expr/value.ts';
import { type FieldType, int32Type } from '../../engine/schema/field-type.ts';
import { fieldOf } from '../../engine/schema/schema.ts';

/** A column of a type, nullable unless said otherwise. */
export function column(name: string, type: FieldType, nullable = true): Expr {
  return columnExpr(fieldOf(name, type, nullable));
}

/** The value of an expression for a row, or the code of its failure. */
export function valueOfExpr(expr: Expr, row: Readonly<Record<string, Value>> = {}): Value {
  const value = evaluatorOf(expr, (name) => () => row[name] ?? null)(0);
  return value instanceof Failure ? value.code : value;
}

/** What a function gives for these values of these types; all arguments are columns but literals. */
export function callOn(
  name: FunctionName,
  ...args: readonly (readonly [FieldType, Value] | string | number)[]
): Value {
  const row: Record<string, Value> = {};
  const exprs = args.map((arg, index): Expr => {
    if (typeof arg === 'string') return literalAlone(arg);
    if (typeof arg === 'number') return typedLiteral(arg, int32Type);
    row[`c${index}`] = arg[1];
    return column(`c${index}`, arg[0]);
  });
  return valueOfExpr(callExpr(name, ...exprs), row);
}

/** Code and message of the error that a call throws. */
export function errorOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return `${codeOf(error)}: ${(error as Error).message}`;
  }
  return 'no error';
}
