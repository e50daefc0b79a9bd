/**
 * The reference: what each node of an expression means, as a function from a row to its value.
 * Short, and complete; compiled expressions are compared with it, and it runs where they don't
 * reach.
 *
 *     price * 2 > 10      row => left(row) > right(row)      left = row => price(row) * 2
 *
 * Operands are computed from left to right, and only those that a result needs (see expr.ts on
 * nulls and failures).
 */
import { assert, assertNever } from '../../base/assert.ts';
import { typeText } from '../schema/field-type.ts';
import { castOf } from './cast.ts';
import { calculatorOf } from './evaluate-arithmetic.ts';
import { comparatorOf } from './evaluate-compare.ts';
import type { Expr } from './expr.ts';
import { exprText, quotedText } from './expr-text.ts';
import { Failure, valueText } from './failure.ts';
import type { CallExpr } from './functions/function-rule.ts';
import { functionTable } from './functions/function-table.ts';
import { overflow, textLengthMax, type Value } from './value.ts';
import { widenerOf } from './widen.ts';

export type Evaluate = (row: number) => Value | Failure;

/** How values of columns are read. */
export type ColumnOf = (name: string) => (row: number) => Value;

export function evaluatorOf(expr: Expr, columnOf: ColumnOf): Evaluate {
  const of = (part: Expr) => evaluatorOf(part, columnOf);
  switch (expr.kind) {
    case 'column':
      return columnOf(expr.name);
    case 'literal': {
      const value = literalValueOf(expr);
      return () => value;
    }
    case 'compare': {
      const compare = comparatorOf(expr.op, expr.left.type, expr.right.type);
      return strict([of(expr.left), of(expr.right)], compare as Strict);
    }
    case 'arithmetic':
      return strict([of(expr.left), of(expr.right)], calculatorOf(expr) as Strict);
    case 'logic':
      return logic(expr.op, of(expr.left), of(expr.right));
    case 'not':
      return strict([of(expr.input)], ((value: boolean) => !value) as Strict);
    case 'isNull': {
      const input = of(expr.input);
      return (row) => {
        const value = input(row);
        return value instanceof Failure ? value : value === null;
      };
    }
    case 'when':
      return when(expr, of);
    case 'cast':
      return strict([of(expr.input)], cast(expr) as Strict);
    case 'in':
      return isIn(expr, of);
    case 'call':
      return call(expr, of);
    default:
      return assertNever(expr);
  }
}

/** The value that a literal stands for (literal.ts says how it holds it). */
export function literalValueOf({ type, value }: Expr & { kind: 'literal' }): Value {
  if (value === null) return null;
  switch (type.kind) {
    case 'int64':
    case 'timestamp':
    case 'decimal':
      return BigInt(String(value));
    case 'float32':
    case 'float64':
      return Number(value);
    case 'binary':
      return Uint8Array.from(String(value).match(/../g) ?? [], (hex) => Number.parseInt(hex, 16));
    default:
      return value;
  }
}

type Strict = (...values: readonly Value[]) => Value | Failure;

/** A failure where an operand has one, else null where one is null, else what `compute` says. */
function strict(operands: readonly Evaluate[], compute: Strict): Evaluate {
  const [first, second, ...others] = operands;
  // One and two operands, nearly all there are, need no array per row.
  if (first !== undefined && others.length === 0) {
    return second === undefined
      ? strictUnary(first, compute)
      : strictBinary(first, second, compute);
  }
  return (row) => {
    const values: Value[] = [];
    let hasNull = false;
    for (const operand of operands) {
      const value = operand(row);
      if (value instanceof Failure) return value;
      hasNull ||= value === null;
      values.push(value);
    }
    return hasNull ? null : compute(...values);
  };
}

function strictUnary(operand: Evaluate, compute: Strict): Evaluate {
  return (row) => {
    const value = operand(row);
    return value === null || value instanceof Failure ? value : compute(value);
  };
}

function strictBinary(left: Evaluate, right: Evaluate, compute: Strict): Evaluate {
  return (row) => {
    const first = left(row);
    if (first instanceof Failure) return first;
    const second = right(row);
    if (second instanceof Failure) return second;
    return first === null || second === null ? null : compute(first, second);
  };
}

/** The side that decides (false for and, true for or) does so beside a null and a failure. */
function logic(op: 'and' | 'or', left: Evaluate, right: Evaluate): Evaluate {
  const decides = op === 'or';
  return (row) => {
    const first = left(row);
    if (first === decides) return decides;
    const second = right(row);
    if (second === decides) return decides;
    if (first instanceof Failure) return first;
    if (second instanceof Failure) return second;
    return first === null || second === null ? null : !decides;
  };
}

function when(expr: Expr & { kind: 'when' }, of: (part: Expr) => Evaluate): Evaluate {
  const widened = (part: Expr) => strict([of(part)], widenerOf(part.type, expr.type) as Strict);
  const branches = expr.branches.map(({ condition, value }) => ({
    condition: of(condition),
    value: widened(value),
  }));
  const otherwise = expr.otherwise === null ? () => null : widened(expr.otherwise);
  return (row) => {
    for (const { condition, value } of branches) {
      const holds = condition(row);
      if (holds instanceof Failure) return holds;
      if (holds === true) return value(row);
    }
    return otherwise(row);
  };
}

function cast(expr: Expr & { kind: 'cast' }): (value: Value) => Value | Failure {
  const { input, type, isTry } = expr;
  const convert = castOf(input.type, type);
  assert(convert !== null, 'a cast that was made has a way');
  return (value) => {
    const result = convert(value);
    if (result !== undefined) return result;
    if (isTry) return null;
    const what = `${castText(input, value)} can't be cast to ${typeText(type)}`;
    const hint =
      'Use tryCast, which makes a null of it, or keep such rows out with a where in front.';
    return new Failure({ code: 'EXPR_CAST', expr, what, hint });
  };
}

/** `"abc" of "price"`; a decimal, date or timestamp as it is written. */
function castText(input: Expr, value: Value): string {
  const isPlain = !['decimal', 'date', 'timestamp'].includes(input.type.kind);
  const written = isPlain ? undefined : castOf(input.type, { kind: 'utf8' })?.(value);
  return `${written ?? valueText(value)} of ${quotedText(input)}`;
}

/** True where a value equals; else null where a value is null; else false. */
function isIn(expr: Expr & { kind: 'in' }, of: (part: Expr) => Evaluate): Evaluate {
  const input = of(expr.input);
  const values = expr.values.map((value) => ({
    value: value.kind === 'literal' ? literalValueOf(value) : null,
    equals: comparatorOf('eq', expr.input.type, value.type),
  }));
  const hasNull = values.some(({ value }) => value === null);
  return strict([input], (searched = null) => {
    const isFound = values.some(({ value, equals }) => value !== null && equals(searched, value));
    return isFound ? true : hasNull ? null : false;
  });
}

function call(expr: CallExpr, of: (part: Expr) => Evaluate): Evaluate {
  const rule = functionTable[expr.function];
  const compute = computeOf(expr);
  const args = expr.args.map(of);
  const checked: Strict = (...values) => {
    const result = compute(...values);
    const isTooLong = typeof result === 'string' && result.length > textLengthMax;
    return result === overflow || isTooLong ? overflowOf(expr, values) : result;
  };
  if (expr.function === 'coalesce') return coalesce(args, checked);
  if (!rule.takesNulls) return strict(args, checked);
  return (row) => {
    const values: Value[] = [];
    for (const arg of args) {
      const value = arg(row);
      if (value instanceof Failure) return value;
      values.push(value);
    }
    return checked(...values);
  };
}

type Compute = (...values: readonly Value[]) => Value | typeof overflow;

/** What calls compute with, made once: a pattern's automaton serves all batches. */
const computes = new WeakMap<CallExpr, Compute>();

function computeOf(expr: CallExpr): Compute {
  const known = computes.get(expr);
  if (known !== undefined) return known;
  const compute = functionTable[expr.function].prepare(expr) as Compute;
  computes.set(expr, compute);
  return compute;
}

/** Up to the first value; those behind it are not looked at. */
function coalesce(args: readonly Evaluate[], compute: Strict): Evaluate {
  return (row) => {
    const values: Value[] = [];
    for (const arg of args) {
      const value = arg(row);
      if (value instanceof Failure) return value;
      values.push(value);
      if (value !== null) break;
    }
    return compute(...values);
  };
}

function overflowOf(expr: CallExpr, values: readonly Value[]): Failure {
  const shown = values.map(valueText).join(' and ');
  return new Failure({
    code: 'EXPR_OVERFLOW',
    expr,
    what: `"${exprText(expr)}" does not fit ${typeText(expr.type)}`,
    values: `, where it is called with ${shown}`,
    hint: 'Keep such rows out with a where in front, or cast the argument to a wider type.',
  });
}
