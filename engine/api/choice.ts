/**
 * Choices between values: the types and checks that `when`, `coalesce`, `least` and `greatest`
 * share. The values are columns and literals of one type, or numbers; a number among them takes the
 * type of the columns.
 */
import { typedError } from '../../base/typed-error.ts';
import { commonTypeOf, isNumeric } from '../expr/arithmetic-type.ts';
import type { Expr } from '../expr/expr.ts';
import { quotedText } from '../expr/expr-text.ts';
import {
  isLiteralValue,
  literalAlone,
  literalBeside,
  literalOfType,
  nullLiteral,
} from '../expr/literal.ts';
import { type FieldType, typeText } from '../schema/field-type.ts';
import { Column, type ColumnOf } from './column.ts';
import type { ArithmeticValue, ColumnKind, CommonKind, JsOf, NumericKind } from './column-kind.ts';
import { describe } from './row.ts';

/** What may be chosen. */
export type Choice =
  | ColumnOf<ColumnKind>
  | string
  | number
  | bigint
  | boolean
  | Date
  | Uint8Array
  | null;

/** A number of JavaScript has no kind yet: it takes that of the columns beside it. */
type LooseKind = 'number' | 'bigint';

/** The kind of a choice; never of null. */
export type KindOfChoice<O> =
  O extends ColumnOf<infer K>
    ? K
    : O extends string
      ? 'utf8'
      : O extends boolean
        ? 'bool'
        : O extends number
          ? 'number'
          : O extends bigint
            ? 'bigint'
            : O extends Date
              ? 'timestampMs'
              : O extends Uint8Array
                ? 'binary'
                : never;

/** What functions read of the columns among the choices. */
export type ValueOfChoice<O> = O extends ColumnOf<ColumnKind, infer V> ? V : never;

/** Whether a choice may be null. */
export type NullOfChoice<O> =
  O extends ColumnOf<ColumnKind, unknown, infer N> ? N : O extends null ? true : false;

/** The kind of two choices together; 'mismatch' where they have none. */
export type JoinedKind<A, B> = [A] extends [never]
  ? B
  : [B] extends [never]
    ? A
    : A extends LooseKind
      ? B extends LooseKind
        ? A extends B
          ? A
          : 'number'
        : B extends NumericKind
          ? B
          : 'mismatch'
      : B extends LooseKind
        ? A extends NumericKind
          ? A
          : 'mismatch'
        : [CommonKind<A, B>] extends [never]
          ? 'mismatch'
          : CommonKind<A, B>;

/** The kind of a column of choices: numbers alone are float64, bigints int64. */
export type FinalKind<K> = K extends 'number'
  ? 'float64'
  : K extends 'bigint'
    ? 'int64'
    : K extends ColumnKind
      ? K
      : never;

/** The column of choices of kind K, of whose columns a function reads a V. */
export type ChosenColumn<K, V, N extends boolean> = Column<
  FinalKind<K>,
  [V] extends [never] ? JsOf<FinalKind<K>> : ArithmeticValue<FinalKind<K>, V>,
  N,
  'key'
>;

/**
 * The expressions of choices, brought to one type where they can be.
 *
 * @throws EXPR_TYPE_MISMATCH naming what does not fit
 */
export function choiceExprs(name: string, values: readonly unknown[]): Expr[] {
  const columns = values.map((value) => Column.exprIn(value));
  const type = typeOfChoices(name, values, columns);
  return values.map((value, index) => columns[index] ?? choiceLiteral(name, value, type));
}

function typeOfChoices(
  name: string,
  values: readonly unknown[],
  columns: readonly (Expr | null)[],
): FieldType {
  const found = columns.filter((expr) => expr !== null);
  const known = found.length > 0 ? found : values.filter(isLiteralValue).map(literalAlone);
  const [first, ...others] = known;
  if (first === undefined) {
    throw typedError('EXPR_TYPE_MISMATCH', `${name} has no value whose type is known`, {
      hint: `Give ${name} a column, a literal, or lit(null, t.utf8()) with the type that is meant.`,
    });
  }
  let { type } = first;
  for (const other of others) {
    const common = commonTypeOf(type, other.type);
    if (common === null) {
      const sides = [first, other].map((expr) => `${quotedText(expr)} (${typeText(expr.type)})`);
      throw typedError('EXPR_TYPE_MISMATCH', `${name} does not take ${sides.join(' and ')}`, {
        hint: `All values of ${name} have one type, or are numbers.`,
      });
    }
    type = common;
  }
  return type;
}

function choiceLiteral(name: string, value: unknown, type: FieldType): Expr {
  if (value === null) return nullLiteral(type);
  if (!isLiteralValue(value)) {
    throw typedError('EXPR_TYPE_MISMATCH', `${name} was given ${describe(value)}`, {
      hint: 'Give columns, literals or null.',
    });
  }
  return isNumeric(type) ? literalOfType(value, type) : literalBeside(value, type);
}
