/** Methods of columns that change the type: `cast` and `tryCast`. */
import { typedError } from '../../base/typed-error.ts';
import { castExpr } from '../expr/expr-factory.ts';
import type { Method } from './call-column.ts';
import { type AnyColumn, Column, type ColumnOf, exprOf } from './column.ts';
import type { ColumnKind } from './column-kind.ts';
import { fieldOfType, ValueType } from './value-type.ts';

/** A type of fields, of `t`. */
type TypeOf<K extends ColumnKind, V> = ValueType<K, V, boolean, boolean>;

/** Casts, of columns of any type. */
export interface CastMethods {
  /**
   * The value in another type; one that the type does not hold ends the job with EXPR_CAST. Floats
   * and decimals are cut towards zero when they become integers, decimals rounded to their scale,
   * and texts must be a value of the type as a whole: `'12'`, `'2026-11-26'`, `'true'`.
   *
   * @throws EXPR_TYPE_MISMATCH for types of which no value ever becomes one of the other
   * @example `lit('12').cast(t.int32())` is `12`
   */
  cast<N extends boolean, L extends ColumnKind, W>(
    this: ColumnOf<ColumnKind, unknown, N>,
    type: TypeOf<L, W>,
  ): Column<L, W, N, 'key'>;

  /**
   * As `cast`, but null where the value can't be cast.
   *
   * @example `lit('a dozen').tryCast(t.int32())` is `null`
   */
  tryCast<L extends ColumnKind, W>(
    this: ColumnOf<ColumnKind, unknown, boolean>,
    type: TypeOf<L, W>,
  ): Column<L, W, true, 'key'>;
}

declare module './column.ts' {
  interface Column<out K extends ColumnKind, out V, out N extends boolean, out Name extends string>
    extends CastMethods {}
}

/** The functions of `CastMethods`. */
export const castMethods = {
  cast(type: unknown) {
    return castTo(this, 'cast', type);
  },
  tryCast(type: unknown) {
    return castTo(this, 'tryCast', type);
  },
} satisfies Record<keyof CastMethods, Method>;

function castTo(column: AnyColumn, method: 'cast' | 'tryCast', type: unknown) {
  if (!(type instanceof ValueType) || type.type.kind === 'path') {
    throw typedError('JOB_ARGUMENT_INVALID', `${method} needs a type of fields`, {
      hint: `Write ${method}(t.int32()), with one of the types of t.`,
    });
  }
  const field = fieldOfType('', type as TypeOf<ColumnKind, unknown>);
  return new Column(castExpr(exprOf(column), field.type, method === 'tryCast'));
}
