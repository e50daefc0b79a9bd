/** Functions of several values that are no method of one: `coalesce`, `least`, `greatest`, `concat`, `lit`. */
import { typedError } from '../../base/typed-error.ts';
import { callExpr } from '../expr/expr-factory.ts';
import { isLiteralValue, literalAlone, typedLiteral } from '../expr/literal.ts';
import { textArgument } from './call-column.ts';
import {
  type Choice,
  type ChosenColumn,
  choiceExprs,
  type FinalKind,
  type JoinedKind,
  type KindOfChoice,
  type NullOfChoice,
  type ValueOfChoice,
} from './choice.ts';
import { Column, type ColumnOf, type NullableWith } from './column.ts';
import type { ColumnKind, JsOf } from './column-kind.ts';
import type { TextOperand } from './column-text.ts';
import { describe } from './row.ts';
import { fieldOfType, ValueType } from './value-type.ts';

/** The kind of all choices together. */
type KindOfAll<A, K = never> = A extends readonly [infer O, ...infer Others]
  ? KindOfAll<Others, JoinedKind<K, KindOfChoice<O>>>
  : K;

/** Each value where all go together; otherwise a type that no value has. */
type Fitting<A extends readonly Choice[]> =
  KindOfAll<A> extends 'mismatch' ? { readonly [I in keyof A]: never } : unknown;

/** Null only where all are. */
type Chosen<A extends readonly Choice[]> = ChosenColumn<
  KindOfAll<A>,
  ValueOfChoice<A[number]>,
  false extends NullOfChoice<A[number]> ? AllNullable<A> : true
>;
type AllNullable<A> = A extends readonly [infer O, ...infer Others]
  ? true extends NullOfChoice<O>
    ? AllNullable<Others>
    : false
  : true;

/**
 * The first value that is not null; those behind it are not computed.
 *
 * @example `coalesce(lit(null, t.utf8()), 'none')` is `'none'`
 */
export function coalesce<const A extends readonly [Choice, ...Choice[]]>(
  ...values: A & Fitting<A>
): Chosen<A> {
  return new Column(callExpr('coalesce', ...choiceExprs('coalesce', values)));
}

/**
 * The least value, without the nulls among them. NaN is above all numbers.
 *
 * @example `least(lit(3), 2, lit(null, t.float64()))` is `2`
 */
export function least<const A extends readonly [Choice, ...Choice[]]>(
  ...values: A & Fitting<A>
): Chosen<A> {
  return new Column(callExpr('least', ...choiceExprs('least', values)));
}

/**
 * The greatest value, without the nulls among them. NaN is above all numbers.
 *
 * @example `greatest(lit('a'), 'b')` is `'b'`
 */
export function greatest<const A extends readonly [Choice, ...Choice[]]>(
  ...values: A & Fitting<A>
): Chosen<A> {
  return new Column(callExpr('greatest', ...choiceExprs('greatest', values)));
}

/**
 * Texts, one after the other; null where one is.
 *
 * @example `concat('a', lit('b'), 'c')` is `'abc'`
 */
export function concat<const A extends readonly [TextOperand, ...TextOperand[]]>(
  ...values: A
): Column<'utf8', string, NullableWith<false, A[number]>, 'key'> {
  return new Column(callExpr('concat', ...values.map(textArgument)));
}

type LiteralKind<V> = FinalKind<KindOfChoice<V>>;

/** What a literal of kind K may be given as. */
type LiteralOf<K> = K extends 'decimal'
  ? string | number | bigint
  : K extends 'date'
    ? string | Date
    : K extends 'timestampMs' | 'timestampUs'
      ? Date | number | bigint
      : K extends 'int64'
        ? number | bigint
        : K extends ColumnKind
          ? JsOf<K>
          : never;

/**
 * A literal as a column, where one has to begin or has to have a certain type. Alone a number is a
 * float64, a bigint an int64, and a Date a timestamp in milliseconds.
 *
 * @param type - One of `t`, but no list or struct; null is a null of this type.
 * @example `lit('2026-11-26', t.date()).month()` is `11`
 */
export function lit<K extends ColumnKind, V, const L extends LiteralOf<K> | null>(
  value: L,
  type: ValueType<K, V, boolean, boolean>,
): Column<K, V, NullOfChoice<L>, 'key'>;
export function lit<const V extends Exclude<Choice, ColumnOf<ColumnKind> | null>>(
  value: V,
): Column<LiteralKind<V>, JsOf<LiteralKind<V>>, false, 'key'>;
export function lit(value: unknown, type?: unknown): unknown {
  if (type instanceof ValueType && type.type.kind !== 'path') {
    return new Column(typedLiteral(value, fieldOfType('', type).type));
  }
  if (type === undefined && isLiteralValue(value)) return new Column(literalAlone(value));
  const what = type === undefined ? describe(value) : 'a type that is none of t';
  throw typedError('JOB_ARGUMENT_INVALID', `lit was given ${what}`, {
    hint: 'Give a text, a number, a bigint, a boolean, a Date or a Uint8Array; and a type of t for others.',
  });
}
