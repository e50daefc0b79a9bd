/** Methods of columns of lists and structs: their parts. (`length`, `contains` and `concat`: column-text.ts.) */
import { nearestNames } from '../../base/nearest-name.ts';
import { typedError } from '../../base/typed-error.ts';
import type { Expr } from '../expr/expr.ts';
import { quotedText } from '../expr/expr-text.ts';
import { literalAlone } from '../expr/literal.ts';
import { callColumn, type Method, textArgument, wholeArgument } from './call-column.ts';
import { type Column, type ColumnOf, exprOf, type NullableWith } from './column.ts';
import type { ColumnKind, ListKind, StructKind, Typed } from './column-kind.ts';
import type { TextOperand, WholeOperand } from './column-text.ts';

/** The column of a list's item, which may be null: there may be none at the place. */
type ItemColumn<T> =
  T extends Typed<infer K extends ColumnKind, infer V> ? Column<K, V, true, 'key'> : never;

/** The column of a struct's field; it may be null where the struct may. */
type FieldColumn<T, N extends boolean> =
  T extends Typed<infer K extends ColumnKind, infer V, infer M>
    ? Column<K, V, true extends N | M ? true : false, 'key'>
    : never;

/** What columns of lists and structs can do. */
export interface NestedMethods {
  /**
   * An item of a list by its place, from 0; from -1 backwards from its end. Null where there is
   * none.
   *
   * @example `lit('a,b').split(',').at(-1)` is `'b'`
   */
  at<N extends boolean, T>(
    this: ColumnOf<ListKind<T>, unknown, N>,
    index: WholeOperand,
  ): ItemColumn<T>;

  /**
   * The items from `start` to before `end`, as JavaScript's `slice`: places below 0 count from the end.
   *
   * @param end - Without it, to the end of the list.
   * @example `lit('a,b,c').split(',').slice(1)` is `['b', 'c']`
   */
  slice<N extends boolean, T, V, const S extends WholeOperand, const E extends WholeOperand = 0>(
    this: ColumnOf<ListKind<T>, V, N>,
    start: S,
    end?: E,
  ): Column<ListKind<T>, V, NullableWith<NullableWith<N, S>, E>, 'key'>;

  /**
   * The texts of a list as one text, with another between them. Items that are null are left out.
   *
   * @example `lit('a,b').split(',').join(' and ')` is `'a and b'`
   */
  join<N extends boolean, V, M extends boolean, const O extends TextOperand>(
    this: ColumnOf<ListKind<Typed<'utf8', V, M>>, unknown, N>,
    separator: O,
  ): Column<'utf8', string, NullableWith<N, O>, 'key'>;

  /**
   * A field of a struct by its name: `row.address.field('city')`.
   *
   * @throws EXPR_NO_COLUMN when the struct has no such field
   */
  field<N extends boolean, F, const Name extends keyof F & string>(
    this: ColumnOf<StructKind<F>, unknown, N>,
    name: Name,
  ): FieldColumn<F[Name], N>;
}

declare module './column.ts' {
  interface Column<out K extends ColumnKind, out V, out N extends boolean, out Name extends string>
    extends NestedMethods {}
}

function checkField(struct: Expr, name: string): void {
  if (struct.type.kind !== 'struct') return;
  const names = struct.type.fields.map((field) => field.name);
  if (names.includes(name)) return;
  const list = nearestNames(name, names).map((one) => `"${one}"`);
  const message = `no field named "${name}" in ${quotedText(struct)}; fields are ${list.join(', ')}`;
  throw typedError('EXPR_NO_COLUMN', message, { hint: 'Use one of the fields of the struct.' });
}

/** The functions of `NestedMethods`. */
export const nestedMethods = {
  at(index: unknown) {
    return callColumn('at', this, wholeArgument(index));
  },
  slice(start: unknown, end?: unknown) {
    const places = [start, end].filter((place) => place !== undefined).map(wholeArgument);
    return callColumn('listSlice', this, ...places);
  },
  join(separator: unknown) {
    return callColumn('listJoin', this, textArgument(separator));
  },
  field(name: string) {
    checkField(exprOf(this), name);
    return callColumn('field', this, literalAlone(name));
  },
} satisfies Record<keyof NestedMethods, Method>;
