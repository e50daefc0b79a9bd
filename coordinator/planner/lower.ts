/**
 * Lowering: each logical node becomes the operators that carry it out, in the plainest way that is
 * right for several tasks. The rules make it fast.
 *
 * Operators work on columns, not on expressions (but for `filter` and `project`): where a key, an
 * aggregate's argument or a text is an expression, a `project` in front computes it.
 */
import { assert, assertNever } from '../../base/assert.ts';
import type { Expr, NamedExpr } from '../../engine/expr/expr.ts';
import { columnExpr } from '../../engine/expr/expr-factory.ts';
import { exprText } from '../../engine/expr/expr-text.ts';
import { sinkSchemaOf } from '../../engine/plan/change-plan.ts';
import type { JobMode, LogicalNode, SortKey } from '../../engine/plan/logical-graph.ts';
import type { OperatorSpec } from '../../engine/plan/physical-graph.ts';
import { type Field, fieldIndexOf, freeName, type Schema } from '../../engine/schema/schema.ts';
import { ascending } from '../../engine/stream/row-order.ts';
import { type LoweringOptions, lowerAggregate, lowerDistinct } from './lower-aggregate.ts';
import { lowerAnalytic, lowerOrderedAggregate } from './lower-analytic.ts';
import { sinkColumns } from './lower-changes.ts';
import { lowerPattern } from './lower-pattern.ts';
import { keyColumnsOf, lowerProcess, lowerWindowFunction } from './lower-process.ts';
import { lowerRunningRanks, lowerRunningTop } from './lower-running-top.ts';
import { type LoweredStep, stepOf } from './plan-step.ts';
import { isPlain, projectOf } from './projection.ts';

/** Nodes with one input, or none; others have two (lower-join.ts, lower-set-operation.ts). */
type PlainNode = Exclude<LogicalNode, { readonly kind: 'join' | 'intersect' | 'except' }>;

/** @param input - What the node reads; empty for a source. */
export function lower(
  node: PlainNode,
  input: Schema,
  options: LoweringOptions = {},
): LoweredStep[] {
  const { mode = 'batch', changes = null } = options;
  const { id, name, schema: output } = node;
  const spec = { id, name, output };
  switch (node.kind) {
    case 'source':
      return [stepOf(sourceOf(node, mode))];
    case 'where':
      return [stepOf({ ...spec, kind: 'filter', predicate: node.predicate })];
    case 'select':
      return [stepOf({ ...spec, kind: 'project', columns: node.columns })];
    case 'explodeWords':
      return lowerExplodeWords(node);
    case 'lookup':
      return [stepOf(lookupOf(node))];
    case 'derive':
      return [stepOf({ ...spec, kind: 'project', columns: derivedColumns(node) })];
    case 'filter':
      return [stepOf({ ...spec, kind: 'filterRows' })];
    case 'map':
      return [stepOf({ ...spec, kind: 'mapRows' })];
    case 'flatMap':
      return [stepOf({ ...spec, kind: 'flatMap' })];
    case 'reduce':
      return lowerReduce(node);
    case 'aggregate':
      return lowerAggregate(node, input, options);
    case 'eventTime':
      return lowerEventTime(node, mode);
    case 'ingestionTime': {
      const makesWatermarks = mode === 'streaming';
      return [stepOf({ ...spec, kind: 'ingestionTime', column: node.column, makesWatermarks })];
    }
    case 'distinct':
      return lowerDistinct(node, options);
    case 'orderBy':
      // What is behind it knows the order.
      if (changes?.isRunning) return [];
      return [stepOf({ ...spec, kind: 'sort', order: node.order }, { kind: 'gather' })];
    case 'limit':
      if (changes?.isRunning) return lowerRunningTop(node, changes);
      return [stepOf({ ...spec, kind: 'limit', count: node.count }, { kind: 'gather' })];
    case 'mapReduce':
      return lowerMapReduce(node);
    case 'process':
      return lowerProcess(node, input);
    case 'windowFunction':
      return lowerWindowFunction(node, input);
    case 'pattern':
      return lowerPattern(node, input, mode);
    case 'orderedAggregate':
      return lowerOrderedAggregate(node, input, mode);
    case 'analytic':
      if (changes?.isRunning) return lowerRunningRanks(node, changes);
      return lowerAnalytic(node, input);
    case 'sink': {
      const exchange = node.sink.isParallel ? null : ({ kind: 'gather' } as const);
      const before = changes === null ? [] : sinkColumns(node, changes);
      const given = changes === null ? output : sinkSchemaOf(node, changes);
      const sink = { ...spec, output: given, kind: 'sink', sink: node.sink } as const;
      return [...before, stepOf(sink, exchange)];
    }
    // No operators: who reads one of these reads what it names.
    case 'union':
    case 'deadLetters':
    case 'aside':
      return [];
    default:
      return assertNever(node);
  }
}

function sourceOf({ id, name, schema: output, source }: NodeOf<'source'>, mode: JobMode) {
  const spec = { id, name, output, kind: 'source', source } as const;
  return mode === 'batch' ? spec : { ...spec, isOrdered: true as const };
}

/**
 * Over bounded input in batch nothing follows from event time but the columns of windows, and which rows are put
 * aside: the same as in a stream.
 */
function lowerEventTime(node: NodeOf<'eventTime'>, mode: JobMode): LoweredStep[] {
  const { id, name, schema: output, column, outOfOrdernessMs, idleAfterMs, futureLimitMs } = node;
  const spec = { id, name, output, column, futureLimitMs };
  const { watermarkColumn, alignment } = node;
  const follows = watermarkColumn === undefined ? {} : { watermarkColumn };
  const times = { outOfOrdernessMs, idleAfterMs, ...follows, ...(alignment && { alignment }) };
  const aside = output.fields.map((field) => ({ name: field.name, expr: columnExpr(field) }));
  const check = { ...stepOf({ ...spec, kind: 'checkTimes' }), aside };
  return [
    ...(node.putsAside === true ? [check] : []),
    ...(mode === 'batch' ? [] : [stepOf({ ...spec, kind: 'eventTime', ...times })]),
  ];
}

type NodeOf<K extends LogicalNode['kind']> = LogicalNode & { readonly kind: K };

function lookupOf({ schema: output, inputs: _, ...node }: NodeOf<'lookup'>): OperatorSpec {
  return { ...node, output };
}

/** The operator gives the word first, then what is carried; another order is made behind it. */
function lowerExplodeWords(node: NodeOf<'explodeWords'>): LoweredStep[] {
  const { id, name, schema, input, as, carried } = node;
  const names = [as, ...carried.map((column) => column.name)];
  const output = { fields: names.map((one) => fieldIn(schema, one)) };
  const spec = { id, name, output, kind: 'explodeWords', as, carried: names.slice(1) } as const;
  const steps: LoweredStep[] = [];
  if (input.kind === 'column' && carried.every(isPlain)) {
    steps.push(stepOf({ ...spec, column: input.name }));
  } else {
    // The text takes the name of the column of words: no carried column has it.
    steps.push(stepOf(projectOf(node, [...carried, { name: as, expr: input }])));
    steps.push(stepOf({ ...spec, column: as }));
  }
  if (names.join() === schema.fields.map((field) => field.name).join()) return steps;
  const columns = schema.fields.map((field) => ({ name: field.name, expr: columnExpr(field) }));
  return [...steps, stepOf(projectOf(node, columns))];
}

function fieldIn(schema: Schema, name: string): Field {
  const field = schema.fields[fieldIndexOf(schema, name)];
  assert(field !== undefined, 'a select has a field for each of its columns');
  return field;
}

/** Every column of the output: a derived one, or the input's of that name. */
function derivedColumns({ schema, columns }: NodeOf<'derive'>): NamedExpr[] {
  return schema.fields.map((field) => {
    const derived = columns.find((column) => column.name === field.name);
    return derived ?? { name: field.name, expr: columnExpr(field) };
  });
}

/** Keys that are no fields of the rows are computed in front, and end with the fold. */
function lowerReduce(node: NodeOf<'reduce'>): LoweredStep[] {
  const { id, name, schema } = node;
  const { names, before } = keyColumnsOf(node, schema);
  const operator = { id, name, output: schema, kind: 'fold', phase: 'final', keys: names } as const;
  return [...before, stepOf(operator, { kind: 'hash', columns: names })];
}

/** What pairs are grouped and sorted by is computed behind `combine`, which makes new values. */
function lowerMapReduce(node: NodeOf<'mapReduce'>): LoweredStep[] {
  const { id, name, schema: output, pairs, hasPartition } = node;
  const { computed, group, order } = pairColumnsOf(node);
  const exchange = hasPartition
    ? ({ kind: 'partition', id, column: keyOf(pairs).name } as const)
    : ({ kind: 'hash', columns: group } as const);
  const plain = pairs.fields.map((field) => ({ name: field.name, expr: columnExpr(field) }));
  return [
    stepOf({ id, name, output: pairs, kind: 'map' }),
    ...(node.hasCombine ? [stepOf({ id, name, output: pairs, kind: 'combine' })] : []),
    ...(computed.length > 0 ? [stepOf(projectOf(node, [...plain, ...computed]))] : []),
    stepOf({ id, name, output, kind: 'reduce', group, order }, exchange),
  ];
}

/** The columns to group by and to sort by, groups first; and those of them that are no part of a pair. */
function pairColumnsOf({ pairs, group, order }: NodeOf<'mapReduce'>) {
  const taken = new Set(pairs.fields.map((field) => field.name));
  const computed: NamedExpr[] = [];
  const names = new Map<string, string>();
  const columnOf = (wanted: string, expr: Expr): string => {
    if (expr.kind === 'column') return expr.name;
    const known = names.get(exprText(expr));
    if (known !== undefined) return known;
    const column = freeName(wanted, taken);
    names.set(exprText(expr), column);
    computed.push({ name: column, expr });
    return column;
  };
  const key = columnExpr(keyOf(pairs));
  const groups = group.length > 0 ? group : [{ name: 'key', expr: key }];
  const groupNames = groups.map(({ name, expr }) => columnOf(name, expr));
  const sorts = order.map(
    ({ expr, ...way }): SortKey => ({ column: columnOf('order', expr), ...way }),
  );
  const ofGroups = groupNames.map(
    (column) => sorts.find((sort) => sort.column === column) ?? ascending(column),
  );
  const within = sorts.filter(({ column }) => !groupNames.includes(column));
  return { computed, group: groupNames, order: [...ofGroups, ...within] };
}

function keyOf({ fields: [key] }: Schema): Field {
  assert(key !== undefined, 'pairs have a key');
  return key;
}
