/**
 * Lowering of aggregates by windows that come out as event time goes on: an operator that knows windows, behind
 * an exchange by the keys.
 *
 *     by user: n = count()               project at, user
 *                                        window aggregate by at, user: n = count()         (hash by user)
 *
 *     by user: n = count(distinct url)   window aggregate by at, user, url                 (hash by user, url)
 *                                        window aggregate until windowEnd, by user, …: n = count(url)
 *
 * The second of two gets a window's rows before the watermark that completed it: they are grouped by the end of
 * their window, and complete when it has come.
 */
import type { LogicalNode } from '../../engine/plan/logical-graph.ts';
import type { Exchange } from '../../engine/plan/physical-graph.ts';
import { firesOnce } from '../../engine/plan/window-spec.ts';
import { type Field, fieldOf, freeName, type Schema } from '../../engine/schema/schema.ts';
import {
  type Arguments,
  onlyDistinctColumn,
  type WindowArguments,
  windowColumns,
} from './aggregate-columns.ts';
import { areApproximate, lowerApproximate } from './lower-approximate.ts';
import { areQuantiles, lowerWindowQuantiles } from './lower-quantiles.ts';
import { type LoweredStep, stepOf } from './plan-step.ts';
import { isPlain, projectOf } from './projection.ts';
import { checkOnce, windowUnsupported } from './window-support.ts';

type AggregateNode = LogicalNode & { readonly kind: 'aggregate' };

/** @throws PLAN_WINDOW_UNSUPPORTED */
export function lowerWindowAggregate(
  node: AggregateNode,
  input: Schema,
  given: WindowArguments,
): LoweredStep[] {
  const { id, name, schema: output } = node;
  const { columns, aggregates, window } = given;
  if (areQuantiles(aggregates)) return lowerWindowQuantiles(node, input, given);
  const taken = new Set([...columns, ...input.fields].map((one) => one.name));
  const { time, projected, aside } = windowColumns(input, window, { columns, taken });
  const project = projected.every(isPlain) ? [] : [stepOf(projectOf(node, projected))];
  const column = time?.name ?? null;
  const keys = node.keys.map((key) => key.name);
  const distinct = onlyDistinctColumn(aggregates);
  if (distinct !== null) {
    checkOnce(node, window, 'countDistinct');
    const [inner, ...outer] = distinctSteps(node, { ...given, column, value: distinct });
    return inner === undefined ? project : [...project, { ...inner, ...aside }, ...outer];
  }
  const fields = projected.map(({ name: given, expr }) => fieldOf(given, expr.type, expr.nullable));
  if (areApproximate(aggregates) && column !== null) {
    checkOnce(node, window, 'approxDistinct');
    const keyFields = node.keys.map(({ name: key, expr }) =>
      fieldOf(key, expr.type, expr.nullable),
    );
    const of = { spec: window.spec, firing: window.firing, column, carried: fields, ...aside };
    return [
      ...project,
      ...lowerApproximate(node, { keys: keyFields, aggregates, output, window: of }),
    ];
  }
  // Where windows come once each way has a node of its own (engine/api/aggregate-node.ts).
  const isMixed = aggregates.some((one) => one.function === 'countDistinct');
  if (isMixed) checkOnce(node, window, 'countDistinct');
  const refused = refusedFunction(aggregates);
  if (refused !== null) throw windowUnsupported(node, refused);
  const { spec, firing } = window;
  const grouped = { kind: 'windowAggregate', phase: 'whole', window: spec, firing } as const;
  const operator = { id, name, output, ...grouped, column, keys, aggregates };
  return [...project, { ...stepOf(operator, exchangeBy(keys)), ...aside }];
}

/** Each value once per window, then how many there are. */
function distinctSteps(
  node: AggregateNode,
  from: WindowArguments & { readonly column: string | null; readonly value: string },
): LoweredStep[] {
  const { id, name, schema: output } = node;
  const { columns, aggregates, window, column, value } = from;
  const keys = node.keys.map((key) => key.name);
  const [start, end] = output.fields as readonly [Field, Field];
  const valueField = columns.find((one) => one.name === value);
  const taken = new Set([...keys, value, ...output.fields.map((field) => field.name)]);
  const inner = keys.includes(value) ? keys : [...keys, value];
  // The value may have the name of a bound.
  const isBound = value === start.name || value === end.name;
  const bounds = [start, end].map((field) => {
    return isBound ? fieldOf(freeName(field.name, taken), field.type) : field;
  });
  const fields = inner.map((key) => {
    const named = columns.find((one) => one.name === key) ?? valueField;
    return fieldOf(key, named?.expr.type ?? start.type, named?.expr.nullable ?? false);
  });
  const spec = { id, name, kind: 'windowAggregate', phase: 'whole' } as const;
  const [first, last] = bounds.map((field) => field.name);
  const counts = aggregates.map((aggregate) => ({ ...aggregate, function: 'count' as const }));
  const outer = [first ?? '', last ?? '', ...keys];
  const { spec: windows, firing } = window;
  return [
    stepOf(
      {
        ...{ ...spec, output: { fields: [...bounds, ...fields] }, window: windows, firing },
        ...{ column, keys: inner, aggregates: [] },
      },
      exchangeBy(inner),
    ),
    stepOf(
      {
        ...{ ...spec, output, window: { kind: 'until' }, firing: firesOnce },
        ...{ column: last ?? '', keys: outer, aggregates: counts },
      },
      exchangeBy(keys),
    ),
  ];
}

function exchangeBy(keys: readonly string[]): Exchange {
  return keys.length === 0 ? { kind: 'gather' } : { kind: 'hash', columns: keys };
}

/** What has no accumulator that panes can be merged by. */
function refusedFunction(aggregates: Arguments['aggregates']): string | null {
  if (areApproximate(aggregates)) return 'approxDistinct';
  const isMixed = aggregates.some((one) => one.function === 'countDistinct');
  return isMixed ? 'countDistinct beside other aggregates' : null;
}
