/** The columns of `select`: what its lambda may give, at the type level and as a logical node. */
import { typedError } from '../../base/typed-error.ts';
import type { NamedExpr } from '../expr/expr.ts';
import { isLiteralValue, literalAlone } from '../expr/literal.ts';
import type { NodeContent } from '../plan/logical-node.ts';
import { utf8Type } from '../schema/field-type.ts';
import { fieldIndexOf, fieldOf, type Schema } from '../schema/schema.ts';
import { Column } from './column.ts';
import type { ColumnKind } from './column-kind.ts';
import { type Explosion, explosionIn } from './explode.ts';
import { describe } from './row.ts';

/** The columns of a stream after `select`: each property, under its name. */
export type Selected<S> = {
  readonly [Name in keyof S]: SelectedColumn<S[Name], Name & string>;
};

type SelectedColumn<T, Name extends string> =
  T extends Column<infer K extends ColumnKind, infer V, infer N extends boolean>
    ? Column<K, V, N, Name>
    : T extends Explosion | string
      ? Column<'utf8', string, false, Name>
      : T extends boolean
        ? Column<'bool', boolean, false, Name>
        : T extends bigint
          ? Column<'int64', bigint, false, Name>
          : T extends number
            ? Column<'float64', number, false, Name>
            : T extends Date
              ? Column<'timestampMs', number, false, Name>
              : never;

/** The node of what a `select` lambda gave. */
export function selectContent(given: unknown): NodeContent {
  const entries = Object.entries(objectIn(given));
  if (entries.length === 0) {
    throw typedError('PLAN_EMPTY_SELECT', 'select names no column', {
      hint: 'Name at least one: select((row) => ({ user: row.user })).',
    });
  }
  const exploded = entries.filter(([, value]) => explosionIn(value) !== null);
  if (exploded.length > 1) {
    const names = exploded.map(([name]) => `"${name}"`).join(' and ');
    throw typedError('PLAN_ONE_EXPLODE', `select explodes ${names}`, {
      hint: 'Explode one list per select.',
    });
  }
  const columns = entries
    .filter(([, value]) => explosionIn(value) === null)
    .map((entry) => namedExpr(entry));
  const typeOf = new Map(columns.map(({ name, expr }) => [name, expr]));
  const schema = {
    fields: entries.map(([name]) => {
      const expr = typeOf.get(name);
      return expr ? fieldOf(name, expr.type, expr.nullable) : fieldOf(name, utf8Type);
    }),
  };
  const [as, value] = exploded[0] ?? [];
  const explosion = explosionIn(value);
  if (as === undefined || explosion === null) return { kind: 'select', columns, schema };
  return { kind: 'explodeWords', input: explosion.input, as, carried: columns, schema };
}

/** The node of what a `derive` lambda gave. */
export function deriveContent(given: unknown, input: Schema): NodeContent {
  const entries = Object.entries(objectIn(given, 'derive'));
  if (entries.length === 0) {
    throw typedError('PLAN_EMPTY_SELECT', 'derive names no column', {
      hint: 'Name at least one: derive((row) => ({ total: row.price.mul(row.quantity) })).',
    });
  }
  const columns = entries.map((entry) => namedExpr(entry, 'derive'));
  const derived = new Map(
    columns.map(({ name, expr }) => [name, fieldOf(name, expr.type, expr.nullable)]),
  );
  const kept = input.fields.map((field) => derived.get(field.name) ?? field);
  const added = [...derived.values()].filter(({ name }) => fieldIndexOf(input, name) < 0);
  return { kind: 'derive', columns, schema: { fields: [...kept, ...added] } };
}

function objectIn(given: unknown, verb = 'select'): object {
  if (typeof given === 'object' && given !== null && !Array.isArray(given)) {
    if (Column.exprIn(given) === null && explosionIn(given) === null) return given;
  }
  const what = Column.exprIn(given) === null ? describe(given) : 'a column';
  throw typedError('EXPR_TYPE_MISMATCH', `${verb} needs an object of columns, got ${what}`, {
    hint: `Name the columns: ${verb}((row) => ({ user: row.user })).`,
  });
}

function namedExpr([name, value]: [string, unknown], verb = 'select'): NamedExpr {
  const expr = Column.exprIn(value);
  if (expr !== null) return { name, expr };
  if (isLiteralValue(value)) return { name, expr: literalAlone(value) };
  throw typedError(
    'EXPR_TYPE_MISMATCH',
    `"${name}" of ${verb} is ${describe(value)}, not a column`,
    {
      hint: 'Give a column of the row, an expression of columns, or a literal.',
    },
  );
}
