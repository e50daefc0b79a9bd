/** Calls of functions, as columns: what the methods of columns are made of. */

import type { Expr } from '../expr/expr.ts';
import { callExpr } from '../expr/expr-factory.ts';
import type { FunctionName } from '../expr/function-name.ts';
import { literalBeside } from '../expr/literal.ts';
import type { FieldType } from '../schema/field-type.ts';
import { int32Type, int64Type, utf8Type } from '../schema/field-type.ts';
import { type AnyColumn, Column, exprOf } from './column.ts';

/** What a table of methods has for each name of an interface. */
export type Method = (this: AnyColumn, ...args: never[]) => unknown;

/** A call with the column as its first argument. */
export function callColumn(
  name: FunctionName,
  column: AnyColumn,
  ...args: readonly Expr[]
): Column<never, never, never> {
  return new Column(callExpr(name, exprOf(column), ...args));
}

/** The expression of an argument: a column, or a text. */
export function textArgument(value: unknown): Expr {
  return argument(value, utf8Type);
}

/** The expression of an argument: a column, or a whole number. */
export function wholeArgument(value: unknown): Expr {
  return argument(value, typeof value === 'bigint' ? int64Type : int32Type);
}

function argument(value: unknown, type: FieldType): Expr {
  return Column.exprIn(value) ?? literalBeside(value, type);
}
