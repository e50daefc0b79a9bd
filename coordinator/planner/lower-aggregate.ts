/**
 * Lowering of `aggregate` and `distinct`. Both become aggregate operators behind a hash exchange; a
 * projection in front computes keys and arguments that are expressions.
 *
 *     by user: n = count(distinct url)     project user, url
 *                                          aggregate by user, url          (hash by user, url)
 *                                          aggregate by user: n = count(url)     (hash by user)
 *
 * Why two aggregates for distinct values: each runs in two phases, so that no task sees all values of
 * a frequent key. It is done where nothing else is computed; beside other functions the operator keeps
 * a set of values itself.
 */
import type { Expr, NamedExpr } from '../../engine/expr/expr.ts';
import type { LogicalNode } from '../../engine/plan/logical-graph.ts';
import type { AggregateColumn } from '../../engine/plan/physical-graph.ts';
import { type Field, fieldOf, type Schema } from '../../engine/schema/schema.ts';
import { type LoweredStep, stepOf } from './plan-step.ts';
import { freeName, isPlain, projectOf } from './projection.ts';

type NodeOf<K extends LogicalNode['kind']> = LogicalNode & { readonly kind: K };

export function lowerAggregate(node: NodeOf<'aggregate'>, input: Schema): LoweredStep[] {
  const { id, name, schema: output } = node;
  const { columns, aggregates } = argumentsOf(node, input);
  const keys = node.keys.map((key) => key.name);
  const project = columns.every(isPlain) ? [] : [stepOf(projectOf(node, columns))];
  const value = onlyDistinctColumn(aggregates);
  const grouped = { id, name, output, kind: 'aggregate', phase: 'whole', keys } as const;
  const exchange = { kind: 'hash', columns: keys } as const;
  if (value === null) return [...project, stepOf({ ...grouped, aggregates }, exchange)];
  const counts = aggregates.map((aggregate) => ({ ...aggregate, function: 'count' as const }));
  return [
    ...project,
    distinctStep(
      node,
      columns.filter((column) => keys.includes(column.name) || column.name === value),
    ),
    stepOf({ ...grouped, aggregates: counts }, exchange),
  ];
}

export function lowerDistinct(node: NodeOf<'distinct'>): LoweredStep[] {
  const { id, name, schema: output } = node;
  const keys = output.fields.map((field) => field.name);
  const operator = {
    id,
    name,
    output,
    kind: 'aggregate',
    phase: 'whole',
    keys,
    aggregates: [],
  } as const;
  return [stepOf(operator, { kind: 'hash', columns: keys })];
}

/** Each combination of the columns once. */
function distinctStep({ id, name }: LogicalNode, columns: readonly NamedExpr[]): LoweredStep {
  const fields = columns.map((column): Field => {
    return fieldOf(column.name, column.expr.type, column.expr.nullable);
  });
  const keys = columns.map((column) => column.name);
  return stepOf(
    { id, name, output: { fields }, kind: 'aggregate', phase: 'whole', keys, aggregates: [] },
    { kind: 'hash', columns: keys },
  );
}

/** The column whose distinct values are all that is asked for; null in other cases. */
function onlyDistinctColumn(aggregates: readonly AggregateColumn[]): string | null {
  const [value] = aggregates[0]?.columns ?? [];
  if (value === undefined) return null;
  const isOnly = aggregates.every(
    (one) => one.function === 'countDistinct' && one.columns[0] === value,
  );
  return isOnly ? value : null;
}

/** The keys and arguments as named columns, and the aggregates over those. */
function argumentsOf(
  node: NodeOf<'aggregate'>,
  input: Schema,
): { columns: readonly NamedExpr[]; aggregates: readonly AggregateColumn[] } {
  const columns: NamedExpr[] = [...node.keys];
  const keyNames = columns.map((key) => key.name);
  const taken = new Set([...keyNames, ...input.fields.map((field) => field.name)]);
  const nameOf = (argument: Expr, result: string): string => {
    const same = columns.find((one) => isSameExpr(one.expr, argument));
    if (same !== undefined) return same.name;
    // A plain column keeps its name, unless a key that is something else has it.
    const isFree = argument.kind === 'column' && !keyNames.includes(argument.name);
    const name = isFree ? argument.name : freeName(result, taken);
    columns.push({ name, expr: argument });
    return name;
  };
  const aggregates = node.aggregates.map(({ name, function: kind, input: argument }) => ({
    name,
    function: kind,
    columns: argument === null ? [] : [nameOf(argument, name)],
  }));
  return { columns, aggregates };
}

/** Expressions are plain data: equal ones have equal text. */
function isSameExpr(a: Expr, b: Expr): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
