/**
 * Columns: what the row of an expression lambda is made of. A column stands for all values of a
 * field; its methods build an expression, once, when the plan is made. No row is seen here.
 *
 *     (bid) => bid.price.gt(100)      bid.price is a Column<'float64'>, the result a Column<'bool'>
 *
 * The types are the compiler's: K the kind, V what a user's function reads, N whether it may be
 * null, Name the field's name. The same checks are made at run time for plain JavaScript.
 */
import { typedError } from '../../base/typed-error.ts';
import type { CompareOp, Expr } from '../expr/expr.ts';
import {
  arithmeticExpr,
  compareExpr,
  isNullExpr,
  logicExpr,
  notExpr,
} from '../expr/expr-factory.ts';
import { exprText } from '../expr/expr-text.ts';
import { replacementOf } from '../expr/lambda-source.ts';
import { literalBeside, literalOfType } from '../expr/literal.ts';
import type { SortKey } from '../plan/logical-graph.ts';
import type {
  ArithmeticKind,
  ArithmeticValue,
  ColumnKind,
  JsOf,
  NumericKind,
  PlainNumberKind,
} from './column-kind.ts';

declare const columnTypes: unique symbol;

/** Columns that may stand beside one of kind K. */
type ComparableKind<K extends ColumnKind> = K extends NumericKind ? NumericKind : K;

/** What a column may be compared with: a value of its kind, or another column. */
export type Operand<K extends ColumnKind> =
  | (K extends 'int64' | 'timestampMs' | 'timestampUs' ? number | bigint : never)
  | (K extends 'timestampMs' | 'timestampUs' ? Date : never)
  | (K extends PlainNumberKind ? number : never)
  | (K extends 'decimal' ? string | number | bigint : never)
  | (K extends 'date' ? string | Date : never)
  | (K extends 'utf8' ? string : never)
  | (K extends 'binary' ? Uint8Array : never)
  | (K extends 'bool' ? boolean : never)
  | Column<ComparableKind<K>, unknown, boolean>;

/** What can be added to, or subtracted from, a column of kind K. */
export type ArithmeticOperand<K extends ColumnKind> = K extends NumericKind
  ? Operand<K>
  : number | bigint | Column<'int32' | 'int64', unknown, boolean>;

type Calculable = NumericKind | 'timestampMs' | 'timestampUs';

type NullableWith<N extends boolean, O> =
  O extends Column<ColumnKind, unknown, infer M extends boolean>
    ? true extends N | M
      ? true
      : false
    : N;

/** Beside a timestamp a Date is a timestamp, and a number a duration. */
type KindOf<O, K> =
  O extends Column<infer L, unknown, boolean>
    ? L
    : O extends number | bigint
      ? K extends NumericKind
        ? K
        : 'int64'
      : K;
type ValueOfOperand<O, V> = O extends Column<ColumnKind, infer W, boolean> ? W : V;

type Result<K extends ColumnKind, V, N extends boolean, O> = Column<
  ArithmeticKind<K, KindOf<O, K>>,
  ArithmeticValue<ArithmeticKind<K, KindOf<O, K>>, V | ValueOfOperand<O, V>>,
  NullableWith<N, O>,
  'key'
>;

/** A condition; an expression used as a key is named "key". */
export type Condition<N extends boolean> = Column<'bool', boolean, N, 'key'>;
type AnyBool = Column<'bool', boolean, boolean>;

/** Where nulls go when rows are sorted. */
export interface SortOptions {
  /** @defaultValue 'last', ascending or descending */
  readonly nulls?: 'first' | 'last';
}

/** One key of `orderBy`, made by `asc()` or `desc()`. */
export interface SortOrder {
  readonly kind: 'millrace.order';
  readonly key: SortKey;
}

/**
 * A column of a stream inside an expression lambda (`where`, `select`, `keyBy`, `aggregate`,
 * `orderBy`). Null follows SQL: a comparison with null is null, and `where` keeps only true.
 *
 * @example
 * ```ts
 * import { defineJob } from 'millrace';
 * import { files, text } from 'millrace/files';
 *
 * defineJob({
 *   name: 'errors',
 *   build: ({ read }) =>
 *     read(files.source({ path: 'app.log', format: text() }))
 *       .where((line) => line.text.ge('ERROR').and(line.text.lt('ERRORS')))
 *       .writeTo(files.sink({ path: 'errors.csv' })),
 * }).name; // => 'errors'
 * ```
 */
export class Column<
  K extends ColumnKind,
  out V = JsOf<K>,
  N extends boolean = false,
  Name extends string = string,
> {
  declare readonly [columnTypes]: { kind: K; value: V; nullable: N; name: Name };
  readonly #expr: Expr;

  /** Made by the engine only: a lambda's row has the columns. */
  constructor(expr: Expr) {
    this.#expr = expr;
  }

  /** Equal. Strings are compared byte by byte; `NaN` equals nothing. */
  eq<const O extends Operand<K>>(other: O): Condition<NullableWith<N, O>> {
    return this.#compare('eq', other);
  }

  /** Not equal. */
  ne<const O extends Operand<K>>(other: O): Condition<NullableWith<N, O>> {
    return this.#compare('ne', other);
  }

  /** Less than. Strings are ordered by their UTF-8 bytes, which is the order of code points. */
  lt<const O extends Operand<K>>(other: O): Condition<NullableWith<N, O>> {
    return this.#compare('lt', other);
  }

  /** Less than or equal. */
  le<const O extends Operand<K>>(other: O): Condition<NullableWith<N, O>> {
    return this.#compare('le', other);
  }

  /** Greater than. */
  gt<const O extends Operand<K>>(other: O): Condition<NullableWith<N, O>> {
    return this.#compare('gt', other);
  }

  /** Greater than or equal. */
  ge<const O extends Operand<K>>(other: O): Condition<NullableWith<N, O>> {
    return this.#compare('ge', other);
  }

  /** True when both are; false when one is false, even beside a null. */
  and<const O extends AnyBool | boolean>(this: AnyBool, other: O): Condition<NullableWith<N, O>> {
    return new Column(logicExpr('and', exprOf(this), operandExpr(exprOf(this), other)));
  }

  /** True when one is, even beside a null. */
  or<const O extends AnyBool | boolean>(this: AnyBool, other: O): Condition<NullableWith<N, O>> {
    return new Column(logicExpr('or', exprOf(this), operandExpr(exprOf(this), other)));
  }

  /** The opposite; null stays null. */
  not(this: AnyBool): Condition<N> {
    return new Column(notExpr(exprOf(this)));
  }

  /** Whether there is no value; never null itself. */
  isNull(): Condition<false> {
    return new Column(isNullExpr(this.#expr));
  }

  /** Whether there is a value; never null itself. */
  isNotNull(): Condition<false> {
    return new Column(notExpr(isNullExpr(this.#expr)));
  }

  /**
   * The sum. Integers are exact: a sum that does not fit its type ends the job with EXPR_OVERFLOW.
   * A whole number added to a timestamp counts in the timestamp's unit.
   */
  add<const O extends ArithmeticOperand<K>>(
    this: Column<K & Calculable, V, N>,
    other: O,
  ): Result<K, V, N, O> {
    return new Column(arithmeticExpr('add', exprOf(this), addendExpr(exprOf(this), other)));
  }

  /** The difference, exact as `add`. Two timestamps of one unit give an int64 in that unit. */
  subtract<const O extends ArithmeticOperand<K> | Operand<K>>(
    this: Column<K & Calculable, V, N>,
    other: O,
  ): Result<K, V, N, O> {
    return new Column(arithmeticExpr('subtract', exprOf(this), addendExpr(exprOf(this), other)));
  }

  /** The product of two numbers, exact as `add`. */
  multiply<const O extends ArithmeticOperand<K>>(
    this: Column<K & NumericKind, V, N>,
    other: O,
  ): Result<K, V, N, O> {
    return new Column(arithmeticExpr('multiply', exprOf(this), addendExpr(exprOf(this), other)));
  }

  /** Sorts by this field, smallest first. */
  asc(options?: SortOptions): SortOrder {
    return sortOrder(this.#expr, false, options);
  }

  /** Sorts by this field, largest first. */
  desc(options?: SortOptions): SortOrder {
    return sortOrder(this.#expr, true, options);
  }

  /** Columns have no value: `+`, `<`, `==`, a template or JSON would take one. */
  [Symbol.toPrimitive](): never {
    throw coercionError(this.#expr);
  }

  /** Throws, as `Symbol.toPrimitive` does. */
  valueOf(): never {
    throw coercionError(this.#expr);
  }

  /** Throws, as `Symbol.toPrimitive` does. */
  toString(): never {
    throw coercionError(this.#expr);
  }

  /** Throws, as `Symbol.toPrimitive` does. */
  toJSON(): never {
    throw coercionError(this.#expr);
  }

  #compare<M extends boolean>(op: CompareOp, other: unknown): Condition<M> {
    return new Column(compareExpr(op, this.#expr, operandExpr(this.#expr, other)));
  }

  /** The expression behind a column, or null for anything else. Not part of the public API. */
  static exprIn(value: unknown): Expr | null {
    return typeof value === 'object' && value !== null && #expr in value ? value.#expr : null;
  }
}

/** Any column, whatever its type. */
export type AnyColumn = Column<ColumnKind, unknown, boolean>;

/** The expression of a column that is known to be one. */
function exprOf(column: AnyColumn): Expr {
  const expr = Column.exprIn(column);
  if (expr !== null) return expr;
  throw typedError('EXPR_TYPE_MISMATCH', 'a method of a column was called on something else', {
    hint: 'Call it on a column of the row: row.price.gt(1).',
  });
}

function operandExpr(beside: Expr, value: unknown): Expr {
  return Column.exprIn(value) ?? literalBeside(value, beside.type, beside);
}

/** Beside a timestamp a number is a duration, and a Date another timestamp. */
function addendExpr(beside: Expr, value: unknown): Expr {
  const isDuration = beside.type.kind === 'timestamp' && !(value instanceof Date);
  const type = isDuration ? ({ kind: 'int64', js: 'bigint' } as const) : beside.type;
  return Column.exprIn(value) ?? literalOfType(value, type, beside);
}

function sortOrder(expr: Expr, isDescending: boolean, options?: SortOptions): SortOrder {
  if (expr.kind !== 'column') {
    throw typedError('EXPR_TYPE_MISMATCH', `orderBy needs a field, got "${exprText(expr)}"`, {
      hint: 'Give the expression a name with select first, then sort by that field.',
    });
  }
  const { kind } = expr.type;
  if (kind === 'list' || kind === 'struct') {
    throw typedError('EXPR_TYPE_MISMATCH', `"${expr.name}" is a ${kind}, which has no order`, {
      hint: 'Sort by a field of another type.',
    });
  }
  const key = { column: expr.name, isDescending, areNullsFirst: options?.nulls === 'first' };
  return Object.freeze({ kind: 'millrace.order', key: Object.freeze(key) });
}

function coercionError(expr: Expr): Error {
  const message = `"${exprText(expr)}" was used with a JavaScript operator or as a string`;
  return typedError('EXPR_JAVASCRIPT_OPERATOR', message, { hint: replacementOf('') });
}
