/**
 * Rows at the type level (what lambdas and functions see of a stream) and the row object that an
 * expression lambda is called with.
 *
 * The row is a proxy, so that plain JavaScript learns of a misspelt field as well: without it,
 * `row.usr` would be undefined and the message would be about `undefined`.
 */
import { nearestNames } from '../../base/nearest-name.ts';
import { typedError } from '../../base/typed-error.ts';
import type { Expr } from '../expr/expr.ts';
import { columnExpr } from '../expr/expr-factory.ts';
import { checkLambdaSource } from '../expr/lambda-source.ts';
import type { Schema } from '../schema/schema.ts';
import { type AnyColumn, Column } from './column.ts';
import './column-methods.ts';
import type { ColumnKind, InputOfKind, OrNull } from './column-kind.ts';

/** The columns of a stream: field name to column. */
export type Columns = Readonly<Record<string, AnyColumn>>;

/** What a function reads of a column: its JavaScript value, or null where it may be missing. */
export type ValueOf<C> =
  C extends Column<ColumnKind, infer V, infer N extends boolean> ? OrNull<V, N> : never;

/** The same type, written out: an editor shows its fields, not how it was made. */
export type Shown<T> = { readonly [Name in keyof T]: T[Name] } & {};

/** The values of a row as a plain object, which does not expire. */
export type ValuesOf<C> = { readonly [Name in keyof C]: ValueOf<C[Name]> } & {};

/**
 * A row as a user's function reads it. It is valid during the call only; `copy()` keeps it.
 */
export type RowOf<C> = C extends { readonly copy: AnyColumn }
  ? ValuesOf<C>
  : Shown<
      ValuesOf<C> & {
        /** The row as a plain object that does not expire. */
        copy(): ValuesOf<C>;
      }
    >;

/** What a function may give for a column. */
export type InputOf<C> =
  C extends Column<infer K, infer V, infer N extends boolean>
    ? OrNull<InputOfKind<K, V>, N>
    : never;

/** A row as a user's function gives it out. */
export type RowInputOf<C> = { readonly [Name in keyof C]: InputOf<C[Name]> };

/** Checks the source of an expression lambda, calls it with the row, and answers what it gave. */
export function callLambda(verb: string, schema: Schema, lambda: (row: never) => unknown): unknown {
  if (typeof lambda !== 'function') {
    throw typedError('JOB_ARGUMENT_INVALID', `${verb} needs a function of the row`, {
      hint: `Write ${verb}((row) => …), where row has a column for each field.`,
    });
  }
  checkLambdaSource(verb, lambda);
  return lambda(rowOf(schema) as never);
}

/** Two rows that stand beside each other; `rightNames` are what the columns of the right one are called. */
export interface PairSchema {
  readonly left: Schema;
  readonly right: Schema;
  readonly rightNames: readonly string[];
}

/** The same for a lambda of two rows, and of a third where that is given. */
export function callPairLambda(
  verb: string,
  { left, right, rightNames }: PairSchema,
  lambda: (left: never, right: never, third: never) => unknown,
  third: object | null = null,
): unknown {
  if (typeof lambda !== 'function') {
    throw typedError('JOB_ARGUMENT_INVALID', `${verb} needs a function of two rows`, {
      hint: 'Write (left, right) => …, where each row has a column for each field.',
    });
  }
  checkLambdaSource(verb, lambda);
  return lambda(rowOf(left) as never, rowOf(right, rightNames) as never, third as never);
}

/**
 * The row of an expression lambda: a column for each field, an error for any other name.
 *
 * @param names - What expressions call the columns.
 */
function rowOf(schema: Schema, names: readonly string[] = []): object {
  const columns: Record<string, AnyColumn> = Object.create(null);
  for (const [index, field] of schema.fields.entries()) {
    const name = names[index] ?? field.name;
    columns[field.name] = new Column(columnExpr({ ...field, name }));
  }
  return new Proxy(Object.freeze(columns), {
    get(target, name) {
      if (typeof name === 'string') return target[name] ?? missing(name, schema);
      // Symbols are JavaScript's own questions: coercion is refused, inspection is not.
      return name === Symbol.toPrimitive ? refuseCoercion : undefined;
    },
  });
}

function missing(name: string, schema: Schema): never {
  const names = nearestNames(
    name,
    schema.fields.map((field) => field.name),
  );
  const list = names.map((field) => `"${field}"`).join(', ');
  throw typedError('EXPR_NO_COLUMN', `no field named "${name}"; fields are ${list}`, {
    hint: `Use one of the fields of the stream at this place${names.length > 1 ? ', the nearest is first' : ''}.`,
  });
}

function refuseCoercion(): never {
  throw typedError('EXPR_JAVASCRIPT_OPERATOR', 'the row was used with a JavaScript operator', {
    hint: 'Use its columns and their methods: row.price.gt(1).',
  });
}

/** The expression that a lambda gave, or an error that says what was needed. */
export function expressionIn(verb: string, value: unknown, needed: string): Expr {
  const expr = Column.exprIn(value);
  if (expr !== null) return expr;
  const message = `${verb} needs ${needed}, its lambda gave ${describe(value)}`;
  const hint =
    value === undefined
      ? 'A lambda with { } needs a return: (row) => row.price.gt(1) has none and needs none.'
      : 'Build it from the columns of the row, such as row.price.gt(1).';
  throw typedError('EXPR_TYPE_MISMATCH', message, { hint });
}

/** The condition that a lambda gave. @param example - A comparison, for the hint. */
export function conditionIn(
  verb: string,
  value: unknown,
  { needed, example }: { readonly needed: string; readonly example: string },
): Expr {
  const expr = expressionIn(verb, value, needed);
  if (expr.type.kind === 'bool') return expr;
  const message = `${verb} needs a condition, its lambda gave a ${expr.type.kind} column`;
  throw typedError('EXPR_TYPE_MISMATCH', message, { hint: example });
}

/** A value as an error message names it. */
export function describe(value: unknown): string {
  if (value === null || value === undefined || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return `the string ${JSON.stringify(value)}`;
  if (typeof value === 'number' || typeof value === 'bigint') return `the number ${value}`;
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'function' ? 'a function' : 'an object';
}
