/**
 * Rule of arithmetic. Integers are exact: a result that does not fit sets the row's error, and so
 * does a division by zero. The instructions that would trap (division of the smallest number by -1,
 * or by 0) get a divisor of 1 there.
 */
import type { Expr } from '../../expr/expr.ts';
import type { CodeBuilder, Local } from '../wasm/code-builder.ts';
import { pushDecimal } from './decimal-rule.ts';
import { pushAs } from './number-forms.ts';
import { NoRule, type RuleContext } from './rule-context.ts';
import { allValid, anyFailed, failedWhere, formOf, type Value } from './value.ts';

type Arithmetic = Expr & { readonly kind: 'arithmetic' };

export function arithmeticRule(context: RuleContext, expr: Arithmetic): Value {
  const { code } = context;
  const { op, type } = expr;
  const left = context.value(expr.left);
  const right = context.value(expr.right);
  const sides = [left, right];
  const valid = allValid(code, sides);
  const form = formOf(type);
  if (form === 'i128') {
    const { low, high } = pushDecimal(code, op, { type, left, right });
    return { type, form, parts: [low, high], valid, failed: anyFailed(code, sides) };
  }
  if (form === 'f64') {
    pushFloat(context, expr, sides);
    return { type, form, parts: [code.keep('f64')], valid, failed: anyFailed(code, sides) };
  }
  if (form === 'view') throw new NoRule(`arithmetic of ${type.kind}`);
  const result = pushInteger(code, op, { left, right, form });
  return { type, form, parts: [result], valid, failed: failedWhere(code, sides, valid) };
}

function pushFloat(context: RuleContext, { op, type }: Arithmetic, sides: readonly Value[]): void {
  const { code } = context;
  for (const side of sides) pushAs(code, side, 'f64');
  if (op === 'modulo') code.call(context.kernel('floatModulo', ['f64', 'f64'], 'f64'));
  else code.op(floatCodes[op]);
  // Of two float32 the result in float64, rounded once more, is the float32 that IEEE 754 has.
  if (type.kind === 'float32') code.op('f32.demote_f64', 'f64.promote_f32');
}

const floatCodes = {
  add: 'f64.add',
  subtract: 'f64.sub',
  multiply: 'f64.mul',
  divide: 'f64.div',
  intDivide: 'f64.div',
} as const;

/**
 * Leaves on the stack whether the result does not fit, as an i32; answers the result. Beside an int64
 * a narrower result (a date some days later) is computed in 64 bits, and must fit afterwards.
 */
function pushInteger(
  code: CodeBuilder,
  op: Arithmetic['op'],
  { left, right, form }: { left: Value; right: Value; form: 'i32' | 'i64' },
): Local {
  const isWide = [left.form, right.form, form].includes('i64');
  const wide = isWide ? 'i64' : 'i32';
  const sides = {
    left: pushAs(code, left, wide).keep(wide),
    right: pushAs(code, right, wide).keep(wide),
    result: code.local(wide),
  };
  if (op === 'intDivide' || op === 'modulo') pushDivision(code, op, sides);
  else integerSteps[wide][op](code, sides);
  if (wide === form) return sides.result;
  const isTooWide = code.get(sides.result).get(sides.result).op('i64.extend32_s', 'i64.ne');
  isTooWide.op('i32.or');
  const narrow = code.local('i32');
  code.get(sides.result).op('i32.wrap_i64').set(narrow);
  return narrow;
}

interface Integers {
  readonly left: Local;
  readonly right: Local;
  readonly result: Local;
}

/** Each sets the result and leaves on the stack whether it does not fit, as an i32. */
const integerSteps = {
  i32: { add: addInt32, subtract: subtractInt32, multiply: multiplyInt32, divide: never },
  i64: { add: addInt64, subtract: subtractInt64, multiply: multiplyInt64, divide: never },
};

/** A sum overflows where both sides have the sign that the result does not have. */
function addInt32(code: CodeBuilder, { left, right, result }: Integers): void {
  code.get(left).get(right).op('i32.add').set(result);
  code.get(left).get(result).op('i32.xor').get(right).get(result).op('i32.xor', 'i32.and');
  code.i32(31).op('i32.shr_u');
}

function addInt64(code: CodeBuilder, { left, right, result }: Integers): void {
  code.get(left).get(right).op('i64.add').set(result);
  code.get(left).get(result).op('i64.xor').get(right).get(result).op('i64.xor', 'i64.and');
  code.i64(0n).op('i64.lt_s');
}

/** A difference overflows where the sides' signs differ, and the result's differs from the left's. */
function subtractInt32(code: CodeBuilder, { left, right, result }: Integers): void {
  code.get(left).get(right).op('i32.sub').set(result);
  code.get(left).get(right).op('i32.xor').get(left).get(result).op('i32.xor', 'i32.and');
  code.i32(31).op('i32.shr_u');
}

function subtractInt64(code: CodeBuilder, { left, right, result }: Integers): void {
  code.get(left).get(right).op('i64.sub').set(result);
  code.get(left).get(right).op('i64.xor').get(left).get(result).op('i64.xor', 'i64.and');
  code.i64(0n).op('i64.lt_s');
}

function multiplyInt32(code: CodeBuilder, { left, right, result }: Integers): void {
  const wide = code
    .get(left)
    .op('i64.extend_i32_s')
    .get(right)
    .op('i64.extend_i32_s', 'i64.mul')
    .keep('i64');
  code.get(wide).op('i32.wrap_i64').set(result);
  code.get(wide).get(wide).op('i64.extend32_s', 'i64.ne');
}

/**
 * The product of two numbers of 32 bits fits; for larger ones the result is divided back, which costs
 * some 10 ns. The smallest number times -1 is caught first, for its division would trap.
 */
function multiplyInt64(code: CodeBuilder, { left, right, result }: Integers): void {
  code.get(left).get(right).op('i64.mul').set(result);
  const isOver = code.local('i32');
  code.i32(0).set(isOver);
  const pushIsLarge = (side: Local) => code.get(side).get(side).op('i64.extend32_s', 'i64.ne');
  pushIsLarge(left);
  pushIsLarge(right).op('i32.or');
  code.if(() => {
    const divisor = code.local('i64');
    code
      .get(left)
      .i64(1n)
      .get(left)
      .op('i64.eqz', 'i32.eqz')
      .get(left)
      .i64(-1n)
      .op('i64.ne', 'i32.and', 'select')
      .set(divisor);
    code.get(result).get(divisor).op('i64.div_s').get(right).op('i64.ne');
    // A divisor of 1 stands for 0, whose product is 0, and for -1, whose product is the negation.
    code.get(divisor).get(left).op('i64.eq', 'i32.and');
    code
      .get(left)
      .i64(-1n)
      .op('i64.eq')
      .get(right)
      .i64(-(2n ** 63n))
      .op('i64.eq', 'i32.and', 'i32.or');
    code.set(isOver);
  });
  code.get(isOver);
}

/** Quotient or rest; an error by zero, and where the smallest number is divided by -1. */
function pushDivision(code: CodeBuilder, op: 'intDivide' | 'modulo', sides: Integers): void {
  const { left, right, result } = sides;
  const form = result.type as 'i32' | 'i64';
  const constant = (value: bigint) => (form === 'i32' ? code.i32(Number(value)) : code.i64(value));
  const isZero = code.get(right).op(`${form}.eqz`).keep('i32');
  code.get(left);
  constant(form === 'i32' ? -(2n ** 31n) : -(2n ** 63n))
    .op(`${form}.eq`)
    .get(right);
  const isOver = constant(-1n).op(`${form}.eq`, 'i32.and').keep('i32');
  code.get(left);
  constant(1n).get(right).get(isZero).get(isOver).op('i32.or', 'select');
  code.op(op === 'modulo' ? `${form}.rem_s` : `${form}.div_s`).set(result);
  code.get(isZero);
  if (op === 'modulo') {
    // The rest of a division by -1 is 0, as it is with the divisor 1 that stands in.
    return;
  }
  code.get(isOver).op('i32.or');
}

function never(): never {
  throw new NoRule('division of integers is of float64');
}
