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
import { compareExpr, inExpr, isNullExpr, logicExpr, notExpr } from '../expr/expr-factory.ts';
import { exprText } from '../expr/expr-text.ts';
import { replacementOf } from '../expr/lambda-source.ts';
import { literalBeside, nullLiteral } from '../expr/literal.ts';
import type { ExprOrder } from '../plan/logical-graph.ts';
import type {
  ColumnKind,
  JsOf,
  ListKind,
  NumericKind,
  PlainNumberKind,
  StructKind,
  TimestampKind,
} from './column-kind.ts';

/**
 * What methods ask of a column: its types, and nothing of what it can do, so that the compiler
 * compares two columns by these three and never by their methods. The name is a text that no editor
 * offers behind a dot; a symbol is lost where files add methods to the class (TypeScript 6.0).
 */
export interface ColumnOf<K, V = unknown, N extends boolean = boolean> {
  readonly '~types': { kind: K; value: V; nullable: N };
}

/** Columns that may stand beside one of kind K; lists and structs have no order. */
type ComparableKind<K extends ColumnKind> = K extends NumericKind
  ? NumericKind
  : K extends ListKind | StructKind
    ? never
    : K;

/** A value that may stand beside a column of kind K. */
export type LiteralFor<K extends ColumnKind> =
  | (K extends 'int64' | TimestampKind ? number | bigint : never)
  | (K extends TimestampKind ? Date : never)
  | (K extends PlainNumberKind ? number : never)
  | (K extends 'decimal' ? string | number | bigint : never)
  | (K extends 'date' ? string | Date : never)
  | (K extends 'utf8' ? string : never)
  | (K extends 'binary' ? Uint8Array : never)
  | (K extends 'bool' ? boolean : never);

/** What a column may be compared with: a value of its kind, or another column. */
export type Operand<K extends ColumnKind> = LiteralFor<K> | ColumnOf<ComparableKind<K>>;

/** What a column may be equal to: of a list or struct, another column of its type. */
export type EqualOperand<K extends ColumnKind> =
  | Operand<K>
  | (K extends ListKind | StructKind ? ColumnOf<K> : never);

/** Whether a result may be null: where a column may be, or one of what stands beside it. */
export type NullableWith<N extends boolean, O> = true extends N | NullOf<O> ? true : false;
type NullOf<O> =
  O extends ColumnOf<ColumnKind, unknown, infer M> ? M : O extends null ? true : false;

/** A condition; an expression used as a key is named "key". */
export type Condition<N extends boolean> = Column<'bool', boolean, N, 'key'>;

/** Any condition. */
export type AnyBool = ColumnOf<'bool', boolean>;

/** Where nulls go when rows are sorted. */
export interface SortOptions {
  /** @defaultValue 'last', ascending or descending */
  readonly nulls?: 'first' | 'last';
}

/** One key to sort by, made by `asc()` or `desc()`. */
export interface SortOrder {
  readonly kind: 'millrace.order';
  readonly by: ExprOrder;
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
  out K extends ColumnKind,
  out V = JsOf<K>,
  out N extends boolean = false,
  out Name extends string = string,
> {
  /** For the compiler only: there is no such property. */
  declare readonly '~types': { kind: K; value: V; nullable: N; name: Name };
  readonly #expr: Expr;

  /** Made by the engine only: a lambda's row has the columns. */
  constructor(expr: Expr) {
    this.#expr = expr;
  }

  /**
   * Equal. Strings are compared byte by byte; `NaN` equals nothing. Lists and structs of one type are
   * equal where all of their parts are the same, nulls and `NaN` among them.
   *
   * @example `lit('a').eq('b')` is `false`
   */
  eq<L extends ColumnKind, M extends boolean, const O extends EqualOperand<L>>(
    this: ColumnOf<L, unknown, M>,
    other: O,
  ): Condition<NullableWith<M, O>> {
    return compareColumn('eq', this, other);
  }

  /**
   * Not equal.
   *
   * @example `lit(1).ne(2)` is `true`
   */
  ne<L extends ColumnKind, M extends boolean, const O extends EqualOperand<L>>(
    this: ColumnOf<L, unknown, M>,
    other: O,
  ): Condition<NullableWith<M, O>> {
    return compareColumn('ne', this, other);
  }

  /**
   * Less than. Strings are ordered by their UTF-8 bytes, which is the order of code points.
   *
   * @example `lit('a').lt('b')` is `true`
   */
  lt<L extends ColumnKind, M extends boolean, const O extends Operand<L>>(
    this: ColumnOf<L, unknown, M>,
    other: O,
  ): Condition<NullableWith<M, O>> {
    return compareColumn('lt', this, other);
  }

  /**
   * Less than or equal.
   *
   * @example `lit(1).le(1)` is `true`
   */
  le<L extends ColumnKind, M extends boolean, const O extends Operand<L>>(
    this: ColumnOf<L, unknown, M>,
    other: O,
  ): Condition<NullableWith<M, O>> {
    return compareColumn('le', this, other);
  }

  /**
   * Greater than.
   *
   * @example `lit(1).gt(1)` is `false`
   */
  gt<L extends ColumnKind, M extends boolean, const O extends Operand<L>>(
    this: ColumnOf<L, unknown, M>,
    other: O,
  ): Condition<NullableWith<M, O>> {
    return compareColumn('gt', this, other);
  }

  /**
   * Greater than or equal.
   *
   * @example `lit(1).ge(1)` is `true`
   */
  ge<L extends ColumnKind, M extends boolean, const O extends Operand<L>>(
    this: ColumnOf<L, unknown, M>,
    other: O,
  ): Condition<NullableWith<M, O>> {
    return compareColumn('ge', this, other);
  }

  /**
   * Whether the value is at least `low` and at most `high`.
   *
   * @example `lit(7).between(1, 10)` is `true`
   */
  between<
    L extends ColumnKind,
    M extends boolean,
    const From extends Operand<L>,
    const To extends Operand<L>,
  >(
    this: ColumnOf<L, unknown, M>,
    low: From,
    high: To,
  ): Condition<NullableWith<NullableWith<M, From>, To>> {
    const expr = exprOf(this);
    const isEnough = compareExpr('ge', expr, operandExpr(expr, low));
    const isNotMore = compareExpr('le', expr, operandExpr(expr, high));
    return new Column(logicExpr('and', isEnough, isNotMore));
  }

  /**
   * Whether one of the values equals. As in SQL, a null among them makes "is not one of them" null.
   *
   * @example `lit('b').in('a', 'b')` is `true`
   */
  in<L extends ColumnKind, M extends boolean, const O extends readonly (LiteralFor<L> | null)[]>(
    this: ColumnOf<L, unknown, M>,
    ...values: O
  ): Condition<NullableWith<M, O[number]>> {
    const expr = exprOf(this);
    const literals = values.map((value) =>
      value === null ? nullLiteral(expr.type) : literalBeside(value, expr.type, expr),
    );
    return new Column(inExpr(expr, literals));
  }

  /**
   * True when both are; false when one is false, even beside a null.
   *
   * @example `lit(false).and(lit(null, t.bool()))` is `false`
   */
  and<M extends boolean, const O extends AnyBool | boolean>(
    this: ColumnOf<'bool', boolean, M>,
    other: O,
  ): Condition<NullableWith<M, O>> {
    return new Column(logicExpr('and', exprOf(this), operandExpr(exprOf(this), other)));
  }

  /**
   * True when one is, even beside a null.
   *
   * @example `lit(true).or(lit(null, t.bool()))` is `true`
   */
  or<M extends boolean, const O extends AnyBool | boolean>(
    this: ColumnOf<'bool', boolean, M>,
    other: O,
  ): Condition<NullableWith<M, O>> {
    return new Column(logicExpr('or', exprOf(this), operandExpr(exprOf(this), other)));
  }

  /**
   * The opposite; null stays null.
   *
   * @example `lit(true).not()` is `false`
   */
  not<M extends boolean>(this: ColumnOf<'bool', boolean, M>): Condition<M> {
    return new Column(notExpr(exprOf(this)));
  }

  /**
   * Whether there is no value; never null itself.
   *
   * @example `lit('').isNull()` is `false`
   */
  isNull(): Condition<false> {
    return new Column(isNullExpr(this.#expr));
  }

  /**
   * Whether there is a value; never null itself.
   *
   * @example `lit('').isNotNull()` is `true`
   */
  isNotNull(): Condition<false> {
    return new Column(notExpr(isNullExpr(this.#expr)));
  }

  /** Sorts by this value, smallest first. */
  asc(options?: SortOptions): SortOrder {
    return sortOrder(this.#expr, false, options);
  }

  /** Sorts by this value, largest first. */
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

  /** The expression behind a column, or null for anything else. Not part of the public API. */
  static exprIn(value: unknown): Expr | null {
    return typeof value === 'object' && value !== null && #expr in value ? value.#expr : null;
  }
}

/** Any column, whatever its type. */
export type AnyColumn = Column<ColumnKind, unknown, boolean>;

function compareColumn<M extends boolean>(
  op: CompareOp,
  column: ColumnOf<ColumnKind>,
  other: unknown,
): Condition<M> {
  const expr = exprOf(column);
  return new Column(compareExpr(op, expr, operandExpr(expr, other)));
}

/** The expression of a column that is known to be one. Not part of the public API. */
export function exprOf(column: ColumnOf<ColumnKind>): Expr {
  const expr = Column.exprIn(column);
  if (expr !== null) return expr;
  throw typedError('EXPR_TYPE_MISMATCH', 'a method of a column was called on something else', {
    hint: 'Call it on a column of the row: row.price.gt(1).',
  });
}

/** The expression of a column, or of a literal beside `beside`. Not part of the public API. */
export function operandExpr(beside: Expr, value: unknown): Expr {
  return Column.exprIn(value) ?? literalBeside(value, beside.type, beside);
}

function sortOrder(expr: Expr, isDescending: boolean, options?: SortOptions): SortOrder {
  const { kind } = expr.type;
  if (kind === 'list' || kind === 'struct') {
    const message = `"${exprText(expr)}" is a ${kind}, which has no order`;
    throw typedError('EXPR_TYPE_MISMATCH', message, { hint: 'Sort by a field of another type.' });
  }
  const by = { expr, isDescending, areNullsFirst: options?.nulls === 'first' };
  return Object.freeze({ kind: 'millrace.order', by: Object.freeze(by) });
}

function coercionError(expr: Expr): Error {
  const message = `"${exprText(expr)}" was used with a JavaScript operator or as a string`;
  return typedError('EXPR_JAVASCRIPT_OPERATOR', message, { hint: replacementOf('') });
}
