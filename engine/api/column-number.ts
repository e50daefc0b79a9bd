/** Methods of columns of numbers, timestamps and dates: arithmetic. */
import type { ArithmeticOp } from '../expr/expr.ts';
import { arithmeticExpr } from '../expr/expr-factory.ts';
import { literalBeside, literalOfType, typedLiteral } from '../expr/literal.ts';
import { int32Type, int64Type } from '../schema/field-type.ts';
import { callColumn, type Method } from './call-column.ts';
import {
  type AnyColumn,
  Column,
  type ColumnOf,
  exprOf,
  type NullableWith,
  type Operand,
} from './column.ts';
import type {
  ArithmeticKind,
  ArithmeticValue,
  ColumnKind,
  IntegerKind,
  JsOf,
  NumericKind,
  QuotientKind,
  SignedKind,
  TimestampKind,
} from './column-kind.ts';

type MomentKind = TimestampKind | 'date';

/** What can be added to a column of kind K: a number, or to a moment a count of its unit. */
export type ArithmeticOperand<K extends ColumnKind> = K extends NumericKind
  ? Operand<K>
  : number | bigint | ColumnOf<IntegerKind, unknown, boolean>;

/** Beside a moment a Date or a text is a moment, and a number a duration. */
type KindOf<O, K> =
  O extends ColumnOf<infer L extends ColumnKind, unknown, boolean>
    ? L
    : O extends number | bigint
      ? K extends NumericKind
        ? K
        : 'int64'
      : K;
type ValueOfOperand<O, V> = O extends ColumnOf<ColumnKind, infer W, boolean> ? W : V;

type Result<K extends ColumnKind, V, N extends boolean, O> = Column<
  ArithmeticKind<K, KindOf<O, K>>,
  ArithmeticValue<ArithmeticKind<K, KindOf<O, K>>, V | ValueOfOperand<O, V>>,
  NullableWith<N, O>,
  'key'
>;

type Quotient<K extends ColumnKind, N extends boolean, O> = Column<
  QuotientKind<K, KindOf<O, K>>,
  JsOf<QuotientKind<K, KindOf<O, K>>>,
  NullableWith<N, O>,
  'key'
>;

/** Read as the number itself is: a uint32 becomes an int64 that is read as a number. */
type Signed<K extends ColumnKind, V, N extends boolean> = Column<SignedKind<K>, V, N, 'key'>;

type Float<N extends boolean> = Column<'float64', number, N, 'key'>;

/**
 * What columns of numbers can do, and in part those of timestamps and dates. Integers and decimals
 * are exact: a result that does not fit its type ends the job with EXPR_OVERFLOW. Floats are IEEE
 * 754's. Small integers are calculated with as int32, and uint32 as int64.
 */
export interface NumberMethods {
  /**
   * The sum. A whole number added to a timestamp counts in its unit, to a date in days.
   *
   * @example `lit(1.5).add(2)` is `3.5`
   */
  add<
    K extends NumericKind | MomentKind,
    V,
    N extends boolean,
    const O extends ArithmeticOperand<K>,
  >(this: ColumnOf<K, V, N>, other: O): Result<K, V, N, O>;

  /**
   * The difference. Two timestamps of one unit give an int64 in that unit, two dates an int32 of
   * days.
   *
   * @example `lit('2026-03-01', t.date()).sub('2026-02-01')` is `28`
   */
  sub<
    K extends NumericKind | MomentKind,
    V,
    N extends boolean,
    const O extends ArithmeticOperand<K> | Operand<K>,
  >(this: ColumnOf<K, V, N>, other: O): Result<K, V, N, O>;

  /**
   * The product.
   *
   * @example `lit('12.50', t.decimal(4, 2)).mul(3)` is `'37.50'`
   */
  mul<K extends NumericKind, V, N extends boolean, const O extends ArithmeticOperand<K>>(
    this: ColumnOf<K, V, N>,
    other: O,
  ): Result<K, V, N, O>;

  /**
   * The quotient as a float64, IEEE 754's: by zero it is Infinity or NaN. Of decimals (and
   * integers) it is a decimal with at least six digits behind the point, rounded half away from
   * zero, and by zero EXPR_DIVIDE_BY_ZERO.
   *
   * @example `lit(7, t.int32()).div(2)` is `3.5`
   */
  div<K extends NumericKind, V, N extends boolean, const O extends ArithmeticOperand<K>>(
    this: ColumnOf<K, V, N>,
    other: O,
  ): Quotient<K, N, O>;

  /**
   * The quotient of whole numbers, cut towards zero; by zero it is EXPR_DIVIDE_BY_ZERO.
   *
   * @example `lit(-7, t.int32()).intDiv(2)` is `-3`
   */
  intDiv<K extends IntegerKind, V, N extends boolean, const O extends ArithmeticOperand<K>>(
    this: ColumnOf<K, V, N>,
    other: O,
  ): Result<K, V, N, O>;

  /**
   * What is left of a division that is cut towards zero, with the sign of the left side. Integers
   * and decimals by zero are EXPR_DIVIDE_BY_ZERO.
   *
   * @example `lit(-7, t.int32()).mod(2)` is `-1`
   */
  mod<K extends NumericKind, V, N extends boolean, const O extends ArithmeticOperand<K>>(
    this: ColumnOf<K, V, N>,
    other: O,
  ): Result<K, V, N, O>;

  /**
   * The number with its sign turned.
   *
   * @example `lit(1.5).neg()` is `-1.5`
   */
  neg<K extends NumericKind, V, N extends boolean>(this: ColumnOf<K, V, N>): Signed<K, V, N>;

  /**
   * The number without its sign.
   *
   * @example `lit(-7n).abs()` is `7n`
   */
  abs<K extends NumericKind, V, N extends boolean>(this: ColumnOf<K, V, N>): Signed<K, V, N>;

  /**
   * Rounded half away from zero, as in SQL.
   *
   * @param digits - Digits behind the point, 0 to 38.
   * @example `lit(-2.345).round(1)` is `-2.3`
   */
  round<K extends NumericKind, V, N extends boolean>(
    this: ColumnOf<K, V, N>,
    digits?: number,
  ): Column<K, V, N, 'key'>;

  /**
   * The nearest whole number that is not above.
   *
   * @example `lit(-1.5).floor()` is `-2`
   */
  floor<K extends NumericKind, V, N extends boolean>(
    this: ColumnOf<K, V, N>,
  ): Column<K, V, N, 'key'>;

  /**
   * The nearest whole number that is not below.
   *
   * @example `lit(1.2).ceil()` is `2`
   */
  ceil<K extends NumericKind, V, N extends boolean>(
    this: ColumnOf<K, V, N>,
  ): Column<K, V, N, 'key'>;

  /**
   * The square root; NaN of negative numbers.
   *
   * @example `lit(9, t.int32()).sqrt()` is `3`
   */
  sqrt<N extends boolean>(this: ColumnOf<NumericKind, unknown, N>): Float<N>;

  /**
   * A power, as a float64.
   *
   * @example `lit(2).pow(10)` is `1024`
   */
  pow<N extends boolean, const O extends number | ColumnOf<NumericKind, unknown, boolean>>(
    this: ColumnOf<NumericKind, unknown, N>,
    exponent: O,
  ): Float<NullableWith<N, O>>;

  /**
   * The natural logarithm; -Infinity of 0, NaN of negative numbers.
   *
   * @example `lit(1).ln()` is `0`
   */
  ln<N extends boolean>(this: ColumnOf<NumericKind, unknown, N>): Float<N>;

  /**
   * e to the power of the number.
   *
   * @example `lit(0).exp()` is `1`
   */
  exp<N extends boolean>(this: ColumnOf<NumericKind, unknown, N>): Float<N>;
}

declare module './column.ts' {
  interface Column<out K extends ColumnKind, out V, out N extends boolean, out Name extends string>
    extends NumberMethods {}
}

/** The functions of `NumberMethods`. */
export const numberMethods = {
  add: arithmetic('add'),
  sub: arithmetic('subtract'),
  mul: arithmetic('multiply'),
  div: arithmetic('divide'),
  intDiv: arithmetic('intDivide'),
  mod: arithmetic('modulo'),
  neg() {
    return callColumn('neg', this);
  },
  abs() {
    return callColumn('abs', this);
  },
  round(digits: unknown = 0) {
    return digits === 0
      ? callColumn('round', this)
      : callColumn('round', this, typedLiteral(digits, int32Type));
  },
  floor() {
    return callColumn('floor', this);
  },
  ceil() {
    return callColumn('ceil', this);
  },
  sqrt() {
    return callColumn('sqrt', this);
  },
  pow(exponent: unknown) {
    return callColumn('pow', this, Column.exprIn(exponent) ?? floatLiteral(exponent));
  },
  ln() {
    return callColumn('ln', this);
  },
  exp() {
    return callColumn('exp', this);
  },
} satisfies Record<keyof NumberMethods, Method>;

function arithmetic(op: ArithmeticOp): Method {
  return function (this: AnyColumn, other: unknown) {
    const left = exprOf(this);
    return new Column(arithmeticExpr(op, left, Column.exprIn(other) ?? literal(op, left, other)));
  };
}

/** Beside a moment a number is a duration; a quotient is a float64 whatever it is divided by. */
function literal(op: ArithmeticOp, left: ReturnType<typeof exprOf>, value: unknown) {
  const { type } = left;
  const isMoment = type.kind === 'timestamp' || type.kind === 'date';
  const isDuration = isMoment && (typeof value === 'number' || typeof value === 'bigint');
  if (isDuration) return literalOfType(value, int64Type, left);
  return op === 'divide' ? literalBeside(value, type, left) : literalOfType(value, type, left);
}

function floatLiteral(value: unknown) {
  return literalBeside(value, { kind: 'float64' });
}
