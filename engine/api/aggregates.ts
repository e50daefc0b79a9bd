/** `agg`: the functions of `aggregate`, one value per key and function. */
import { typedError } from '../../base/typed-error.ts';
import { isNumeric } from '../expr/expr-factory.ts';
import { exprText } from '../expr/expr-text.ts';
import type { AggregateFunction, AggregateSpec } from '../plan/logical-graph.ts';
import { type FieldType, int64Type, typeText } from '../schema/field-type.ts';
import { type Field, fieldOf, type Schema } from '../schema/schema.ts';
import type { AnyColumn, Column } from './column.ts';
import type { ColumnKind, NumericKind } from './column-kind.ts';
import { callLambda, expressionIn } from './row.ts';

declare const aggregateTypes: unique symbol;

/** An aggregate of rows with the columns C; its result is a column of kind K. */
export class Aggregate<C, K extends ColumnKind, V, N extends boolean> {
  declare readonly [aggregateTypes]: { columns: (row: C) => void; kind: K; value: V; nullable: N };
  readonly function: AggregateFunction;
  readonly input: ((row: never) => unknown) | null;

  constructor(name: AggregateFunction, input: ((row: never) => unknown) | null) {
    this.function = name;
    this.input = input;
    Object.freeze(this);
  }
}

type Ordered = NumericKind | 'timestampMs' | 'timestampUs';
type SumKind<K> = K extends 'float64' ? 'float64' : 'int64';
type SumValue<K, V> = K extends 'int32' ? bigint : V;

function count(): Aggregate<unknown, 'int64', bigint, false>;
function count<C>(input: (row: C) => AnyColumn): Aggregate<C, 'int64', bigint, false>;
function count<C>(input?: (row: C) => AnyColumn): Aggregate<C, 'int64', bigint, false> {
  return new Aggregate('count', input ?? null);
}

function sum<C, K extends NumericKind, V, N extends boolean>(
  input: (row: C) => Column<K, V, N>,
): Aggregate<C, SumKind<K>, SumValue<K, V>, N> {
  return new Aggregate('sum', input);
}

function min<C, K extends Ordered, V, N extends boolean>(
  input: (row: C) => Column<K, V, N>,
): Aggregate<C, K, V, N> {
  return new Aggregate('min', input);
}

function max<C, K extends Ordered, V, N extends boolean>(
  input: (row: C) => Column<K, V, N>,
): Aggregate<C, K, V, N> {
  return new Aggregate('max', input);
}

/**
 * The aggregate functions, as SQL has them: nulls are left out, and a sum, minimum or maximum of
 * nothing but nulls is null.
 *
 * - `count()` counts rows, `count((row) => row.user)` the values that are not null: an int64.
 * - `sum` of int32 and int64 is an exact int64 (an overflow ends the job), of float64 a float64.
 * - `min` and `max` have the type of their column: a number or a timestamp.
 *
 * @example
 * ```ts
 * import { agg, defineJob } from 'millrace';
 * import { files, text } from 'millrace/files';
 *
 * defineJob({
 *   name: 'lines',
 *   build: ({ read }) =>
 *     read(files.source({ path: 'in.txt', format: text() }))
 *       .keyBy((line) => line.text)
 *       .aggregate({ count: agg.count() })
 *       .writeTo(files.sink({ path: 'out.csv' })),
 * }).kind; // => 'millrace.job'
 * ```
 */
export const agg = Object.freeze({ count, sum, min, max });

/** An aggregate as the plan has it, and the field of its result. */
export function planAggregate(
  name: string,
  aggregate: unknown,
  schema: Schema,
): { spec: AggregateSpec; field: Field } {
  if (!(aggregate instanceof Aggregate)) {
    throw typedError('JOB_ARGUMENT_INVALID', `"${name}" of aggregate is no aggregate`, {
      hint: 'Write agg.count(), or agg.sum, agg.min, agg.max with a lambda: agg.max((row) => row.price).',
    });
  }
  const kind = aggregate.function;
  if (aggregate.input === null && kind === 'count') {
    return { spec: { name, function: kind, input: null }, field: fieldOf(name, int64Type) };
  }
  const verb = `agg.${kind}`;
  const input = expressionIn(
    verb,
    callLambda(verb, schema, aggregate.input as (row: never) => unknown),
    'a column',
  );
  const type = resultTypeOf(kind, input.type);
  if (type === null) {
    const needed = kind === 'sum' ? 'a number' : 'a number or a timestamp';
    const message = `${verb} needs ${needed}, "${exprText(input)}" is ${typeText(input.type)}`;
    throw typedError('EXPR_TYPE_MISMATCH', message, { hint: 'Give another field of the row.' });
  }
  const field = fieldOf(name, type, kind !== 'count' && input.nullable);
  return { spec: { name, function: kind, input }, field };
}

function resultTypeOf(kind: AggregateFunction, type: FieldType): FieldType | null {
  if (kind === 'count') return int64Type;
  if (kind === 'sum') return type.kind === 'int32' ? int64Type : isNumeric(type) ? type : null;
  return isNumeric(type) || type.kind === 'timestamp' ? type : null;
}
