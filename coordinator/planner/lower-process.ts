/**
 * Lowering of functions over the state of a key, and over windows: rows of a key come to one task. Keys that are no
 * fields of the rows are computed in front.
 *
 *     payments ─────────────────────────── hash by account ─▶ rows   ┐
 *                                                                     process by account
 *     rules ─ gather ─▶ one task, in order ─ broadcast ─────▶ control ┘
 *
 * Control rows go through one task, so that every task of the operator sees them in the same order. A control stream that
 * has an end is read to it before the first row, in order of its event time where it has one: then a job over bounded
 * input gives the same rows however it is run. One without an end is read beside the rows, as they come.
 */
import { assert } from '../../base/assert.ts';
import type { NamedExpr } from '../../engine/expr/expr.ts';
import { columnExpr } from '../../engine/expr/expr-factory.ts';
import type { LogicalNode } from '../../engine/plan/logical-graph.ts';
import { type Exchange, type OperatorSpec, vertexPorts } from '../../engine/plan/physical-graph.ts';
import { freeName, type Schema } from '../../engine/schema/schema.ts';
import { ascending } from '../../engine/stream/row-order.ts';
import { type LoweredNode, type LoweredSide, type LoweredStep, stepOf } from './plan-step.ts';
import { projectOf } from './projection.ts';

export type ProcessNode = LogicalNode & { readonly kind: 'process' };
type ControlNode = ProcessNode & { readonly control: NonNullable<ProcessNode['control']> };

/** Of one without a control stream. */
export function lowerProcess(node: ProcessNode, input: Schema): LoweredStep[] {
  const { names, before } = keyColumnsOf(node, input);
  const operator = processOf(node, names, input);
  return [...before, stepOf(operator, { kind: 'hash', columns: names })];
}

export function hasControl(node: ProcessNode): node is ControlNode {
  return node.control !== null;
}

/**
 * @param inputs - Of the rows and of the control stream.
 * @param hasEnd - Whether the control stream ends.
 */
export function lowerControlled(
  node: ControlNode,
  [input, controlInput]: readonly Schema[],
  hasEnd: boolean,
): LoweredNode {
  assert(input !== undefined && controlInput !== undefined, 'a controlled process has two inputs');
  const { names, before } = keyColumnsOf(node, input);
  const operator = processOf(node, names, input);
  const control = { ...node.control, isFirst: hasEnd };
  const sides: LoweredSide[] = [
    {
      operators: before.map((step) => step.operator),
      exchange: { kind: 'hash', columns: names },
      port: vertexPorts.rows,
    },
    {
      before: { kind: 'gather' },
      operators: [inOneTask(node, controlInput, hasEnd)],
      exchange: { kind: 'broadcast' },
      port: hasEnd ? vertexPorts.build : vertexPorts.right,
    },
  ];
  return { sides, steps: [stepOf({ ...operator, control })] };
}

/** What the one task does that all control rows go through. */
function inOneTask(node: ControlNode, input: Schema, hasEnd: boolean): OperatorSpec {
  const { id, name, control } = node;
  if (hasEnd && control.timeColumn !== null) {
    return { id, name, output: input, kind: 'sort', order: [ascending(control.timeColumn)] };
  }
  const columns = input.fields.map((field) => ({ name: field.name, expr: columnExpr(field) }));
  return projectOf(node, columns);
}

function processOf(
  { id, name, schema: output, keys: given, states, timeColumn }: ProcessNode,
  columns: readonly string[],
  input: Schema,
): OperatorSpec & { readonly kind: 'process' } {
  const keys = given.map((key, at) => ({ name: key.name, column: columns[at] ?? key.name }));
  return {
    ...{ id, name, output, kind: 'process', keys, states, timeColumn },
    ...{ fieldCount: input.fields.length, control: null, isProbeBuffered: false },
  };
}

/** The same of a function over windows, whose late rows are the user's. */
export function lowerWindowFunction(
  node: LogicalNode & { readonly kind: 'windowFunction' },
  input: Schema,
): LoweredStep[] {
  const { id, name, schema: output, window } = node;
  const { names, before } = keyColumnsOf(node, input);
  const { spec, column, firing, putsAside } = window;
  assert(spec.kind !== 'session' && spec.kind !== 'count', 'functions are over windows of time');
  const keys = node.keys.map((key, at) => ({ name: key.name, column: names[at] ?? key.name }));
  const fieldCount = input.fields.length;
  const operator = { id, name, output, kind: 'windowFunction', window: spec, column } as const;
  const exchange: Exchange =
    names.length === 0 ? { kind: 'gather' } : { kind: 'hash', columns: names };
  const step = stepOf({ ...operator, missing: firing.missing, keys, fieldCount }, exchange);
  const aside = input.fields.map((field) => ({ name: field.name, expr: columnExpr(field) }));
  return [...before, putsAside === true ? { ...step, aside } : step];
}

/** The columns that have the keys, and what puts those that are computed behind the fields of the rows. */
export function keyColumnsOf(
  node: { readonly id: string; readonly keys: readonly NamedExpr[] } & LogicalNode,
  { fields }: Schema,
): { readonly names: string[]; readonly before: LoweredStep[] } {
  const taken = new Set(fields.map((field) => field.name));
  const computed: NamedExpr[] = [];
  const names = node.keys.map(({ name: wanted, expr }) => {
    if (expr.kind === 'column') return expr.name;
    const key = freeName(wanted, taken);
    computed.push({ name: key, expr });
    return key;
  });
  if (computed.length === 0) return { names, before: [] };
  const plain = fields.map((field) => ({ name: field.name, expr: columnExpr(field) }));
  return { names, before: [stepOf(projectOf(node, [...plain, ...computed]))] };
}
