/**
 * Lowering of aggregates and distinct rows that give out changes while rows come: an operator that keeps groups
 * for ever, behind an exchange by the keys.
 *
 *     added rows      [project keys, arguments]   running aggregate by user: n = count(), s = sum(price)
 *     changes         project user, price = + or - price, weight = + or - 1
 *                     running aggregate by user: n = sum(weight), s = sum(price), rows with a price = …
 *                     project user, n, s = s where there are rows with a price, rowKind
 *
 * Why signs and not an operator that takes rows back: a row that goes is a part of a result with the sign turned, and
 * parts are merged by loops that are there. A sum of nulls alone is null, so how many values there are is counted.
 * The least and largest values that are left are found among all values, which the operator keeps counted.
 * Distinct values are counted by two: each value once per key, whose changes the other counts.
 */
import { assert } from '../../base/assert.ts';
import type { Expr, NamedExpr } from '../../engine/expr/expr.ts';
import {
  arithmeticExpr,
  castExpr,
  columnExpr,
  compareExpr,
  isNullExpr,
  whenExpr,
} from '../../engine/expr/expr-factory.ts';
import { nullLiteral, typedLiteral } from '../../engine/expr/literal.ts';
import { partFieldsOf } from '../../engine/plan/aggregate-functions.ts';
import type { LogicalNode, UpdateSpec } from '../../engine/plan/logical-graph.ts';
import type {
  AggregateColumn,
  Exchange,
  RunningExtreme,
} from '../../engine/plan/physical-graph.ts';
import { type FieldType, int64Type } from '../../engine/schema/field-type.ts';
import {
  type Field,
  fieldIndexOf,
  fieldOf,
  freeName,
  type Schema,
} from '../../engine/schema/schema.ts';
import { type Arguments, onlyDistinctColumn } from './aggregate-columns.ts';
import {
  type ChangesHere,
  chosen,
  kindExpr,
  plainColumns,
  weightExpr,
  withKind,
} from './lower-changes.ts';
import { type LoweredStep, stepOf } from './plan-step.ts';
import { isPlain, projectOf } from './projection.ts';

const updatesDefault: UpdateSpec = { everyMs: 100, ttlMs: null };

/** Groups and what is computed of them. */
interface Running {
  /** Keys and arguments, over the input. */
  readonly columns: readonly NamedExpr[];
  readonly keys: readonly string[];
  readonly aggregates: readonly AggregateColumn[];
  /** Keys and results. */
  readonly output: Schema;
  /** Whether rows have a kind. */
  readonly isOfChanges: boolean;
  /** Whether a row that changes comes out as it was, too. */
  readonly givesBefore: boolean;
}

export function lowerRunningAggregate(
  node: LogicalNode & { readonly kind: 'aggregate' },
  { columns, aggregates }: Arguments,
  here: ChangesHere,
): LoweredStep[] {
  const keys = node.keys.map(({ name }) => name);
  const [isOfChanges = false] = here.hasKind;
  const running = { keys, output: node.schema, isOfChanges, givesBefore: here.mode !== 'upsert' };
  const value = onlyDistinctColumn(aggregates);
  if (value === null) return groups(node, { ...running, columns, aggregates }, here);
  const kept = columns.filter(({ name }) => keys.includes(name) || name === value);
  const fields = kept.map(({ name, expr }) => fieldOf(name, expr.type, expr.nullable));
  const once = distinctRows(node, { columns: kept, output: { fields }, isOfChanges }, here);
  const counts = aggregates.map((one) => ({ ...one, function: 'count' as const }));
  const given = { ...running, columns: plainColumns(fields), aggregates: counts };
  return [...once, ...groups(node, given, here)];
}

export function lowerRunningDistinct(
  node: LogicalNode & { readonly kind: 'distinct' },
  here: ChangesHere,
): LoweredStep[] {
  const [isOfChanges = false] = here.hasKind;
  const columns = plainColumns(node.schema.fields);
  return distinctRows(node, { columns, output: node.schema, isOfChanges }, here);
}

/** Each row once: the first of its like where rows are only added. */
function distinctRows(
  node: LogicalNode,
  { columns, output, isOfChanges }: Pick<Running, 'columns' | 'output' | 'isOfChanges'>,
  here: ChangesHere,
): LoweredStep[] {
  const keys = output.fields.map(({ name }) => name);
  if (isOfChanges) {
    const running = { columns, keys, aggregates: [], output, isOfChanges, givesBefore: true };
    return groups(node, running, here);
  }
  const { id, name } = node;
  const project = columns.every(isPlain) ? [] : [stepOf(projectOf(node, columns))];
  const needed = project.length > 0 || node.kind === 'distinct' ? [] : [projectOf(node, columns)];
  const first = { id, name, output, kind: 'firstRows', keys } as const;
  return [...project, ...needed.map((one) => stepOf(one)), stepOf(first, exchangeBy(keys))];
}

function groups(node: LogicalNode, running: Running, here: ChangesHere): LoweredStep[] {
  return running.isOfChanges
    ? groupsOfChanges(node, running, here)
    : groupsOfRows(node, running, here);
}

function groupsOfRows(node: LogicalNode, running: Running, here: ChangesHere): LoweredStep[] {
  const { columns, keys, aggregates, output, givesBefore } = running;
  const project = columns.every(isPlain) ? [] : [stepOf(projectOf(node, columns))];
  const { id, name } = node;
  const operator = {
    ...({ id, name, kind: 'runningAggregate', phase: 'whole' } as const),
    ...{
      keys,
      aggregates,
      extremes: [],
      weight: null,
      output: withKind(output, here.column),
      kindColumn: here.column,
      givesBefore,
    },
    ...updatesOf(node),
  } as const;
  return [...project, stepOf(operator, exchangeBy(keys))];
}

function groupsOfChanges(node: LogicalNode, running: Running, here: ChangesHere): LoweredStep[] {
  const { id, name } = node;
  const { keys, output, givesBefore } = running;
  const { columns, weight, aggregates, extremes, results, hidden } = signedParts(running, here);
  const inner = { fields: [...output.fields.slice(0, keys.length), ...results, ...hidden] };
  const operator = {
    ...({ id, name, kind: 'runningAggregate', phase: 'final' } as const),
    ...{
      keys,
      aggregates,
      extremes,
      weight,
      output: withKind(inner, here.column),
      kindColumn: here.column,
      givesBefore,
    },
    ...updatesOf(node),
  } as const;
  const steps = [stepOf(projectOf(node, columns)), stepOf(operator, exchangeBy(keys))];
  if (hidden.length === 0) return steps;
  const behind = output.fields.map((field): NamedExpr => {
    const counted = hidden[nullable(output, keys.length).indexOf(field)];
    return { name: field.name, expr: counted ? nullWithout(field, counted) : columnExpr(field) };
  });
  const kind = { name: here.column, expr: kindExpr(here.column) };
  return [...steps, stepOf(projectOf(node, [...behind, kind]))];
}

/** Results that may be null: those have a count of their values. */
function nullable({ fields }: Schema, keyCount: number): readonly Field[] {
  return fields.filter((field, at) => at >= keyCount && field.nullable);
}

function nullWithout(field: Field, counted: Field): Expr {
  const hasValues = compareExpr('gt', columnExpr(counted), typedLiteral(0, int64Type));
  const branches = [{ condition: hasValues, value: columnExpr(field) }];
  return whenExpr(branches, nullLiteral(field.type));
}

interface SignedParts {
  /** Keys, parts, weight. */
  readonly columns: readonly NamedExpr[];
  readonly weight: string;
  readonly aggregates: readonly AggregateColumn[];
  readonly extremes: readonly RunningExtreme[];
  readonly results: readonly Field[];
  /** Counts of the values of results that may be null. */
  readonly hidden: readonly Field[];
}

/** Rows as parts of results, which are negative where the row goes. */
function signedParts(
  { columns, keys, aggregates, output }: Running,
  { column }: ChangesHere,
): SignedParts {
  const taken = new Set([...columns, ...output.fields].map(({ name }) => name).concat(column));
  const given = columns.filter(({ name }) => keys.includes(name));
  const weight = freeName('weight', taken);
  const parts: NamedExpr[] = [{ name: weight, expr: weightExpr(column) }];
  const partOf = (wanted: string, expr: Expr): string => {
    const known = parts.find((one) => JSON.stringify(one.expr) === JSON.stringify(expr));
    if (known !== undefined) return known.name;
    const name = freeName(wanted, taken);
    parts.push({ name, expr });
    return name;
  };
  const hidden: Field[] = [];
  const counts: AggregateColumn[] = [];
  const extremes: RunningExtreme[] = [];
  const merges = aggregates.map(
    ({ name, function: kind, columns: [argument] }): AggregateColumn => {
      const value = columns.find((one) => one.name === argument)?.expr ?? null;
      const present = partOf(`${name} count`, presentExpr(value, column));
      if (kind === 'count') return { name, function: 'sum', columns: [present] };
      assert(value !== null, 'all functions but count have an argument');
      const field = output.fields[fieldIndexOf(output, name)];
      if (field?.nullable === true) {
        const counted = fieldOf(freeName(`${name} values`, taken), int64Type);
        hidden.push(counted);
        counts.push({ name: counted.name, function: 'sum', columns: [present] });
      }
      if (kind === 'min' || kind === 'max') {
        const kept = partOf(`${name} value`, value);
        extremes.push({ name, function: kind, column: kept });
        return { name, function: 'last', columns: [kept] };
      }
      const [sum] = partFieldsOf(name, kind, fieldOf(name, value.type, value.nullable));
      assert(sum !== undefined, 'a function has a part');
      const signed = partOf(`${name} sum`, signedExpr(value, sum.type, column));
      if (kind === 'sum') return { name, function: 'sum', columns: [signed] };
      return { name, function: 'avg', columns: [signed, present] };
    },
  );
  const results = output.fields.slice(keys.length);
  return {
    columns: [...given, ...parts],
    weight,
    aggregates: [...merges, ...counts],
    extremes,
    results,
    hidden,
  };
}

/** The same of rows with a value, and 0 for others. */
function presentExpr(value: Expr | null, column: string): Expr {
  if (value === null || !value.nullable) return weightExpr(column);
  const branches = [{ condition: isNullExpr(value), value: typedLiteral(0, int64Type) }];
  return whenExpr(branches, weightExpr(column));
}

function signedExpr(value: Expr, type: FieldType, column: string): Expr {
  const wide =
    JSON.stringify(value.type) === JSON.stringify(type) ? value : castExpr(value, type, false);
  const negative = arithmeticExpr('subtract', typedLiteral(0, wide.type), wide);
  // Arithmetic may make a decimal wider than sums are.
  const same = JSON.stringify(negative.type) === JSON.stringify(type);
  return chosen(column, wide, same ? negative : castExpr(negative, type, false));
}

function updatesOf(node: LogicalNode): UpdateSpec {
  return (node.kind === 'aggregate' ? node.updates : undefined) ?? updatesDefault;
}

function exchangeBy(keys: readonly string[]): Exchange {
  return keys.length === 0 ? { kind: 'gather' } : { kind: 'hash', columns: keys };
}
