/**
 * Lowering of `approxQuantile`: a t-digest in two phases. Each task digests the rows that it has, a memory full at a
 * time; centroids travel as rows, and meet sorted, so that an ordered aggregate can merge them in one pass.
 *
 *     by user: p50 = approxQuantile(at, 0.5)    project  user, at = cast(cast(at as int64) as float64)
 *                                               digest   by user: means, weights of at
 *                                               ordered aggregate by user in order of at:      (hash by user)
 *                                                         p50 = approxQuantile(at, weight, 0.5)
 *                                               project  user, p50 = cast(cast(round(p50) as int64) as timestamp)
 *
 * So digests spill as sorted rows do, and keys may be of any type. All quantiles of one column share the digest.
 */
import { assert } from '../../base/assert.ts';
import type { Expr, NamedExpr } from '../../engine/expr/expr.ts';
import { callExpr, castExpr, columnExpr } from '../../engine/expr/expr-factory.ts';
import { literalOfType } from '../../engine/expr/literal.ts';
import type { LogicalNode } from '../../engine/plan/logical-graph.ts';
import type { AggregateColumn, Exchange } from '../../engine/plan/physical-graph.ts';
import {
  type FieldType,
  float64Type,
  int32Type,
  int64Type,
} from '../../engine/schema/field-type.ts';
import { type Field, fieldOf, freeName, type Schema } from '../../engine/schema/schema.ts';
import { ascending } from '../../engine/stream/row-order.ts';
import type { WindowArguments } from './aggregate-columns.ts';
import { lowerOrderedWindow } from './lower-ordered-window.ts';
import { type LoweredStep, stepOf } from './plan-step.ts';
import { projectOf } from './projection.ts';

export interface QuantilesOptions {
  readonly keys: readonly Field[];
  /** The columns that come in. */
  readonly columns: readonly NamedExpr[];
  /** All of `approxQuantile` of one column. */
  readonly aggregates: readonly AggregateColumn[];
  readonly output: Schema;
}

/** Whether these are aggregates that are lowered here. */
export function areQuantiles(aggregates: readonly AggregateColumn[]): boolean {
  return aggregates.length > 0 && aggregates.every((one) => one.function === 'approxQuantile');
}

export function lowerQuantiles(
  node: LogicalNode,
  { keys, columns, aggregates, output }: QuantilesOptions,
): LoweredStep[] {
  const { id, name } = node;
  const [column = ''] = aggregates[0]?.columns ?? [];
  const given = columns.find((one) => one.name === column)?.expr;
  assert(given !== undefined, 'the argument of an aggregate is a column');
  const { type, nullable } = given;
  const keyNames = keys.map((key) => key.name);
  const taken = new Set(keyNames);
  const mean = fieldOf(freeName(column, taken), float64Type, true);
  const weight = fieldOf(freeName('weight', taken), float64Type);
  const plain = keys.map((key): NamedExpr => ({ name: key.name, expr: columnExpr(key) }));
  const number = numberOf(columnExpr(fieldOf(column, type, nullable)));
  const exchange: Exchange =
    keyNames.length === 0 ? { kind: 'gather' } : { kind: 'hash', columns: keyNames };
  const results = aggregates.map((one) => fieldOf(one.name, float64Type, true));
  const isNumber = wholeTypeOf(type) === null;
  const ordered = {
    ...({ id, name, kind: 'orderedAggregate', keys: keyNames } as const),
    order: [ascending(mean.name)],
    output: isNumber ? output : { fields: [...keys, ...results] },
    aggregates: aggregates.map((one) => ({ ...one, columns: [mean.name, weight.name] })),
  };
  const steps = [
    stepOf(projectOf(node, [...plain, { name: mean.name, expr: number }])),
    stepOf({
      ...({ id, name, kind: 'digest', keys: keyNames, column: mean.name } as const),
      output: { fields: [...keys, mean, weight] },
    }),
    stepOf(ordered, exchange),
  ];
  if (isNumber) return steps;
  const times = results.map((field): NamedExpr => {
    return { name: field.name, expr: timeOf(columnExpr(field), type) };
  });
  return [...steps, stepOf({ ...projectOf(node, [...plain, ...times]), output })];
}

/**
 * The same by windows of a stream: each value is a centroid of its own, for a window's rows are kept and sorted anyway.
 *
 * @throws PLAN_WINDOW_UNSUPPORTED
 */
export function lowerWindowQuantiles(
  node: LogicalNode & { readonly kind: 'aggregate' },
  input: Schema,
  { columns, aggregates, window }: WindowArguments,
): LoweredStep[] {
  const { schema: output, keys } = node;
  const [column = ''] = aggregates[0]?.columns ?? [];
  const given = columns.find((one) => one.name === column)?.expr;
  assert(given !== undefined, 'the argument of an aggregate is a column');
  const { fields } = output;
  const taken = new Set([...fields, ...input.fields].map((field) => field.name));
  const [mean, weight] = [freeName(column, taken), freeName('weight', taken)];
  const isNumber = wholeTypeOf(given.type) === null;
  const plain = fields.slice(0, fields.length - aggregates.length);
  const results = aggregates.map((one) => fieldOf(one.name, float64Type, true));
  const steps = lowerOrderedWindow(node, {
    ...{ input, window, keys: keys.map((key) => key.name) },
    columns: [
      ...keys,
      { name: mean, expr: numberOf(given) },
      { name: weight, expr: literalOfType(1, float64Type) },
    ],
    order: [ascending(mean)],
    aggregates: aggregates.map((one) => ({ ...one, columns: [mean, weight] })),
    output: isNumber ? output : { fields: [...plain, ...results] },
  });
  if (isNumber) return steps;
  const all = [
    ...plain.map((field): NamedExpr => ({ name: field.name, expr: columnExpr(field) })),
    ...results.map((field): NamedExpr => {
      return { name: field.name, expr: timeOf(columnExpr(field), given.type) };
    }),
  ];
  return [...steps, stepOf({ ...projectOf(node, all), output })];
}

/** The whole numbers that values of a type are; null for what is a number. */
function wholeTypeOf({ kind }: FieldType): FieldType | null {
  if (kind === 'date') return int32Type;
  return kind === 'timestamp' ? int64Type : null;
}

function numberOf(value: Expr): Expr {
  const whole = wholeTypeOf(value.type);
  const number = whole === null ? value : castExpr(value, whole, false);
  return number.type.kind === 'float64' ? number : castExpr(number, float64Type, false);
}

function timeOf(number: Expr, type: FieldType): Expr {
  const whole = wholeTypeOf(type);
  assert(whole !== null, 'dates and timestamps are whole numbers');
  return castExpr(castExpr(callExpr('round', number), whole, false), type, false);
}
