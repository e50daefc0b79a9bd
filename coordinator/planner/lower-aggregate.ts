/**
 * Lowering of `aggregate` and `distinct`. Both become aggregate operators behind a hash exchange; a
 * projection in front computes keys and arguments that are expressions.
 *
 *     by user: n = count(distinct url)     project user, url
 *                                          aggregate by user, url          (hash by user, url)
 *                                          aggregate by user: n = count(url)     (hash by user)
 *
 *     n = count()                          aggregate n = count()     (gather: all rows are one group)
 *
 *     by windows of at, user: …            assign windows   windowStart, user, …
 *                                          aggregate by windowStart, user: …
 *                                          project windowStart, windowEnd = windowStart + size, …
 *
 * Why two aggregates for distinct values: each runs in two phases, so that no task sees all values of
 * a frequent key. It is done where nothing else is computed; beside other functions the operator keeps
 * a set of values itself.
 */
import { assert } from '../../base/assert.ts';
import type { Expr, NamedExpr } from '../../engine/expr/expr.ts';
import { arithmeticExpr, columnExpr } from '../../engine/expr/expr-factory.ts';
import { literalOfType } from '../../engine/expr/literal.ts';
import type { JobMode, LogicalNode } from '../../engine/plan/logical-graph.ts';
import type { Exchange } from '../../engine/plan/physical-graph.ts';
import { type EventWindow, firesOnce } from '../../engine/plan/window-spec.ts';
import { int64Type } from '../../engine/schema/field-type.ts';
import { type Field, fieldOf, freeName, type Schema } from '../../engine/schema/schema.ts';
import { type Arguments, isSameExpr, onlyDistinctColumn, timeColumn } from './aggregate-columns.ts';
import { areApproximate, lowerApproximate } from './lower-approximate.ts';
import type { ChangesHere } from './lower-changes.ts';
import { areQuantiles, lowerQuantiles } from './lower-quantiles.ts';
import { lowerRunningAggregate, lowerRunningDistinct } from './lower-running-aggregate.ts';
import { lowerWindowAggregate } from './lower-window-aggregate.ts';
import { type LoweredStep, stepOf } from './plan-step.ts';
import { isPlain, projectOf } from './projection.ts';

type NodeOf<K extends LogicalNode['kind']> = LogicalNode & { readonly kind: K };

/** What lowering a node depends on besides the node. */
export interface LoweringOptions {
  /** @defaultValue 'batch' */
  readonly mode?: JobMode;
  /** @defaultValue there are none */
  readonly changes?: ChangesHere | null;
}

export function lowerAggregate(
  node: NodeOf<'aggregate'>,
  input: Schema,
  { mode = 'batch', changes = null }: LoweringOptions = {},
): LoweredStep[] {
  const given = argumentsOf(node, input);
  if (changes?.isRunning) return lowerRunningAggregate(node, given, changes);
  const { window } = node;
  // Rows of windows are groups like others where all input has been read before any comes out.
  if (window !== null && (mode === 'streaming' || window.spec.kind !== 'until')) {
    const tumbling = mode === 'batch' ? plainTumbling(window) : null;
    const { missing } = window.firing;
    // All rows are there before a window ends, so it comes out once.
    const firing = mode === 'batch' ? { ...firesOnce, missing } : window.firing;
    if (tumbling === null) {
      return lowerWindowAggregate(node, input, { ...given, window: { ...window, firing } });
    }
    return lowerWindows(node, input, { ...given, window: tumbling });
  }
  const { columns, aggregates } = given;
  const keys = node.keys.map(({ name, expr }) => fieldOf(name, expr.type, expr.nullable));
  const project = columns.every(isPlain) ? [] : [stepOf(projectOf(node, columns))];
  return [...project, ...groupSteps(node, { keys, columns, aggregates, output: node.schema })];
}

/** Windows side by side, that come once at the end: a key like others. */
function plainTumbling(window: EventWindow): TumblingWindow | null {
  const { column, spec, firing, putsAside } = window;
  if (spec.kind !== 'tumbling' || spec.timeZone !== null || column === null) return null;
  // What is put aside has to be put aside by somebody.
  if (putsAside === true) return null;
  return firing.missing === 'late' ? null : { ...spec, column };
}

interface TumblingWindow {
  readonly column: string;
  readonly sizeMs: number;
  readonly offsetMs: number;
}

/** Each row gets the start of its window, a key like the others; the end is computed behind. */
function lowerWindows(
  node: NodeOf<'aggregate'>,
  input: Schema,
  { columns, aggregates, window }: Arguments & { readonly window: TumblingWindow },
): LoweredStep[] {
  const { id, name, schema } = node;
  const [start, end, ...others] = schema.fields;
  assert(start !== undefined && end !== undefined, 'an aggregate by windows has their bounds');
  const carried = columns.map((column) => column.name);
  const taken = new Set([...carried, ...input.fields.map((field) => field.name)]);
  const time = timeColumn(input, window, { columns, taken });
  const startField = { ...start, name: freeName(start.name, taken) };
  const keys = [startField, ...others.slice(0, node.keys.length)];
  const inner = { fields: [startField, ...others] };
  const fields = [startField, ...columns.map(fieldOfColumn)];
  const { sizeMs, offsetMs } = window;
  const place = { column: time.name, as: startField.name, sizeMs, offsetMs, carried };
  const isCarried = carried.includes(time.name);
  const projected = isCarried ? columns : [...columns, time];
  const steps = [
    ...(projected.every(isPlain) ? [] : [stepOf(projectOf(node, projected))]),
    stepOf({ id, name, output: { fields }, kind: 'assignWindows', ...place }),
    ...groupSteps(node, {
      keys,
      columns: [{ name: startField.name, expr: columnExpr(startField) }, ...columns],
      aggregates,
      output: inner,
    }),
  ];
  const size = literalOfType(sizeMs, int64Type);
  const bounds = [
    { name: start.name, expr: columnExpr(startField) },
    { name: end.name, expr: arithmeticExpr('add', columnExpr(startField), size) },
  ];
  const plain = others.map((field) => ({ name: field.name, expr: columnExpr(field) }));
  return [...steps, stepOf(projectOf(node, [...bounds, ...plain]))];
}

interface Grouping extends Arguments {
  readonly keys: readonly Field[];
  readonly output: Schema;
}

/** The aggregate behind its exchange; distinct values that are all that is asked for, in two steps. */
function groupSteps(
  node: NodeOf<'aggregate'>,
  { keys: keyFields, columns, aggregates, output }: Grouping,
): LoweredStep[] {
  const { id, name } = node;
  const keys = keyFields.map((field) => field.name);
  const grouped = { id, name, output, kind: 'aggregate', phase: 'whole', keys } as const;
  const exchange: Exchange =
    keys.length === 0 ? { kind: 'gather' } : { kind: 'hash', columns: keys };
  if (areApproximate(aggregates)) {
    return lowerApproximate(node, { keys: keyFields, aggregates, output });
  }
  if (areQuantiles(aggregates)) {
    return lowerQuantiles(node, { keys: keyFields, columns, aggregates, output });
  }
  const value = onlyDistinctColumn(aggregates);
  if (value === null) return [stepOf({ ...grouped, aggregates }, exchange)];
  const counts = aggregates.map((aggregate) => ({ ...aggregate, function: 'count' as const }));
  const kept = columns.filter((column) => keys.includes(column.name) || column.name === value);
  return [distinctStep(node, kept), stepOf({ ...grouped, aggregates: counts }, exchange)];
}

export function lowerDistinct(
  node: NodeOf<'distinct'>,
  { changes = null }: LoweringOptions = {},
): LoweredStep[] {
  if (changes?.isRunning) return lowerRunningDistinct(node, changes);
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
  const fields = columns.map(fieldOfColumn);
  const keys = columns.map((column) => column.name);
  return stepOf(
    { id, name, output: { fields }, kind: 'aggregate', phase: 'whole', keys, aggregates: [] },
    { kind: 'hash', columns: keys },
  );
}

/** The keys and arguments as named columns, and the aggregates over those. */
function argumentsOf(node: NodeOf<'aggregate'>, input: Schema): Arguments {
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
  const aggregates = node.aggregates.map(({ input: argument, ...rest }) => ({
    ...rest,
    columns: argument === null ? [] : [nameOf(argument, rest.name)],
  }));
  return { columns, aggregates };
}

function fieldOfColumn({ name, expr }: NamedExpr): Field {
  return fieldOf(name, expr.type, expr.nullable);
}
