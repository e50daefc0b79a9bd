/**
 * Expressions as people read them: `price > 100 and not (user is null)`. Used by `explain`, golden
 * tests and error messages. Brackets stand only where the order of operations needs them.
 */
import { assertNever } from '../../base/assert.ts';
import { isoDateOfDays } from '../schema/date-text.ts';
import { typeText } from '../schema/field-type.ts';
import { decimalText } from './decimal.ts';
import type { Expr, NamedExpr } from './expr.ts';
import { functionTable } from './functions/function-table.ts';

const compareSymbols = { eq: '=', ne: '!=', lt: '<', le: '<=', gt: '>', ge: '>=' } as const;
const arithmeticSymbols = {
  add: '+',
  subtract: '-',
  multiply: '*',
  divide: '/',
  intDivide: 'div',
  modulo: '%',
} as const;

export function exprText(expr: Expr): string {
  switch (expr.kind) {
    case 'column':
      return expr.name;
    case 'literal':
      return literalText(expr);
    case 'compare':
      return binaryText(expr, compareSymbols[expr.op]);
    case 'arithmetic':
      return binaryText(expr, arithmeticSymbols[expr.op]);
    case 'logic':
      return binaryText(expr, expr.op);
    case 'not':
      if (expr.input.kind === 'isNull') return `${operandText(expr.input.input, 5)} is not null`;
      return `not ${operandText(expr.input, 6)}`;
    case 'isNull':
      return `${operandText(expr.input, 5)} is null`;
    case 'when':
      return whenText(expr);
    case 'cast': {
      const word = expr.isTry ? 'try_cast' : 'cast';
      return `${word}(${exprText(expr.input)} as ${typeText(expr.type)})`;
    }
    case 'in':
      return `${operandText(expr.input, 5)} in (${expr.values.map(exprText).join(', ')})`;
    case 'call':
      return callText(expr);
    default:
      return assertNever(expr);
  }
}

/** The expression in a message: in quotation marks, which literals don't need. */
export function quotedText(expr: Expr): string {
  return expr.kind === 'literal' ? exprText(expr) : `"${exprText(expr)}"`;
}

/** `name = expression`, or the name alone where the expression is the column of that name. */
export function namedExprText({ name, expr }: NamedExpr): string {
  const isPlain = expr.kind === 'column' && expr.name === name;
  return isPlain ? name : `${name} = ${exprText(expr)}`;
}

function literalText({ type, value }: Expr & { kind: 'literal' }): string {
  if (value === null) return 'null';
  switch (type.kind) {
    case 'timestamp':
      return `timestamp(${type.unit}) ${value}`;
    case 'date':
      return `date ${isoDateOfDays(Number(value))}`;
    case 'decimal':
      return decimalText(BigInt(String(value)), type.scale);
    case 'binary':
      return `x'${value}'`;
    default:
      return type.kind === 'utf8' ? JSON.stringify(value) : String(value);
  }
}

function callText({ function: name, args }: Expr & { kind: 'call' }): string {
  const texts = args.map(exprText);
  return functionTable[name].text?.(texts) ?? `${name}(${texts.join(', ')})`;
}

function whenText({ branches, otherwise }: Expr & { kind: 'when' }): string {
  const cases = branches.map(
    ({ condition, value }) => `when ${exprText(condition)} then ${exprText(value)}`,
  );
  const last = otherwise === null ? '' : ` else ${exprText(otherwise)}`;
  return `case ${cases.join(' ')}${last} end`;
}

type Binary = Expr & { kind: 'compare' | 'arithmetic' | 'logic' };

function binaryText(expr: Binary, symbol: string): string {
  const strength = strengthOf(expr);
  // The right side of a chain needs brackets: a - (b - c) is not a - b - c.
  const right = operandText(expr.right, strength + 1);
  const left = operandText(expr.left, expr.kind === 'compare' ? strength + 1 : strength);
  return `${left} ${symbol} ${right}`;
}

function operandText(expr: Expr, strengthMin: number): string {
  const text = exprText(expr);
  return strengthOf(expr) < strengthMin ? `(${text})` : text;
}

/** How tightly an expression holds together; a weaker one inside a stronger one needs brackets. */
function strengthOf(expr: Expr): number {
  switch (expr.kind) {
    case 'logic':
      return expr.op === 'or' ? 1 : 2;
    case 'not':
    case 'compare':
    case 'isNull':
    case 'in':
      return 3;
    case 'call':
      return expr.function === 'like' ? 3 : 6;
    case 'arithmetic':
      return expr.op === 'add' || expr.op === 'subtract' ? 4 : 5;
    default:
      return 6;
  }
}
