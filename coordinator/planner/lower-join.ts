/**
 * Lowering of a join: a join operator with two inputs, each behind an exchange. Where keys are expressions,
 * or both sides have a column of one name, a projection in front of a side computes and renames.
 *
 *     orders ─────────────────────────── hash by user ───▶ probe ┐
 *                                                                join on user = id_2
 *     users ── project id_2 = id, name ─ hash by id_2 ───▶ build ┘
 *
 * Without a key, or where the user says so, every task gets the whole build side, and rows of the probe
 * side stay where they are. Build rows that come alone are known only where all pairs are: such a join
 * without a key has one task.
 *
 * Where partners are near in time, a job that reads all of its input has that as one more condition; windows are
 * keys anyway.
 */
import { assert } from '../../base/assert.ts';
import type { Expr, NamedExpr } from '../../engine/expr/expr.ts';
import {
  arithmeticExpr,
  castExpr,
  columnExpr,
  compareExpr,
  logicExpr,
} from '../../engine/expr/expr-factory.ts';
import { literalOfType } from '../../engine/expr/literal.ts';
import type { EndingWindows } from '../../engine/plan/ending-windows.ts';
import { joinRowsOf } from '../../engine/plan/join-type.ts';
import type { LogicalNode } from '../../engine/plan/logical-graph.ts';
import { type Exchange, type OperatorSpec, vertexPorts } from '../../engine/plan/physical-graph.ts';
import { type FieldType, int64Type, isSameType } from '../../engine/schema/field-type.ts';
import { fieldOf, freeName, type Schema } from '../../engine/schema/schema.ts';
import { type LoweredNode, type LoweredSide, stepOf } from './plan-step.ts';
import { isPlain, projectOf } from './projection.ts';

export type JoinNode = LogicalNode & { readonly kind: 'join' };

/** @param inputs - Of the left and the right side. */
export function lowerJoin(node: JoinNode, inputs: readonly Schema[]): LoweredNode {
  const { id, name, schema: output, type, buildSide, hasHint } = node;
  const [leftInput, rightInput] = inputs;
  assert(leftInput !== undefined && rightInput !== undefined, 'a join has two inputs');
  const { left, right } = joinSidesOf(node, leftInput, rightInput);
  const isRightBuilt = buildSide === 'right';
  const [probe, build] = isRightBuilt ? [left, right] : [right, left];
  const condition = withNearness(node, [leftInput, rightInput]);
  const operator: OperatorSpec = {
    ...{ id, name, output, kind: 'join', type, buildSide, hasHint, condition },
    probeKeys: probe.keys,
    buildKeys: build.keys,
    isProbeBuffered: false,
  };
  const exchanges = exchangesOf(node, probe.keys, build.keys);
  const probeEnd = { exchange: exchanges.probe, port: vertexPorts.rows };
  const buildEnd = { exchange: exchanges.build, port: vertexPorts.build };
  const ends = isRightBuilt ? [probeEnd, buildEnd] : [buildEnd, probeEnd];
  const sides = [left, right].map(
    ({ projects }, at) => ({ operators: projects, ...ends[at] }) as LoweredSide,
  );
  return { sides, steps: [stepOf(operator)] };
}

/** The condition of the join, and that times of partners are near. */
function withNearness(
  { condition, nearness, rightNames }: JoinNode,
  [leftInput, rightInput]: readonly [Schema, Schema],
): Expr | null {
  if (nearness?.kind !== 'interval') return condition;
  const left = timeIn(leftInput, nearness.left, null);
  const right = timeIn(rightInput, nearness.right, rightNames);
  const isFine = [left, right].some(({ type }) => type.kind === 'timestamp' && type.unit === 'us');
  const unit: FieldType = { kind: 'timestamp', unit: isFine ? 'us' : 'ms' };
  const [a, b] = [left, right].map((time) =>
    isSameType(time.type, unit) ? time : castExpr(time, unit, false),
  ) as [Expr, Expr];
  const whole = (ms: number) => literalOfType(ms * (isFine ? 1000 : 1), int64Type);
  const first = compareExpr('ge', b, arithmeticExpr('subtract', a, whole(nearness.beforeMs)));
  const last = compareExpr('le', b, arithmeticExpr('add', a, whole(nearness.afterMs)));
  const near = logicExpr('and', first, last);
  return condition === null ? near : logicExpr('and', near, condition);
}

function timeIn({ fields }: Schema, wanted: string, names: readonly string[] | null): Expr {
  const field = fields.find(({ name }, index) => (names?.[index] ?? name) === wanted);
  assert(field !== undefined, 'the times of a join are in its inputs');
  return columnExpr({ ...field, name: wanted });
}

/** One side, ready to be joined. */
export interface JoinedSide {
  readonly projects: readonly OperatorSpec[];
  /** Columns of what they give. */
  readonly keys: readonly string[];
  /** All of these. */
  readonly columns: Schema;
}

/** What computes the keys of both sides, and renames their columns. */
export function joinSidesOf(
  node: JoinNode,
  leftInput: Schema,
  rightInput: Schema,
): { readonly left: JoinedSide; readonly right: JoinedSide } {
  const leftNames = leftInput.fields.map((field) => field.name);
  const taken = new Set([...leftNames, ...node.rightNames]);
  for (const field of rightInput.fields) taken.add(field.name);
  const left = sideOf(node, leftInput, { names: leftNames, side: 'left', taken });
  const right = sideOf(node, rightInput, { names: node.rightNames, side: 'right', taken });
  const { nearness } = node;
  if (nearness?.kind !== 'windows') return { left, right };
  const { windows, leftEnd, rightEnd } = nearness;
  return {
    left: inEachWindow(node, left, { column: nearness.left, as: leftEnd, windows }),
    right: inEachWindow(node, right, { column: nearness.right, as: rightEnd, windows }),
  };
}

/** A side whose rows come once for each window that they are in; the window's end is one more key. */
function inEachWindow(
  { id, name }: JoinNode,
  { projects, keys, columns }: JoinedSide,
  { column, as, windows }: { column: string; as: string; windows: EndingWindows },
): JoinedSide {
  const { fields } = columns;
  const { nullable = false } = fields.find((field) => field.name === column) ?? {};
  const end = fieldOf(as, { kind: 'timestamp', unit: 'ms' }, nullable);
  const output = { fields: [end, ...fields] };
  const carried = fields.map((field) => field.name);
  const place = { id, name, output, column, as, carried };
  const each: OperatorSpec = { ...place, ...windows, kind: 'eachWindow' };
  return { projects: [...projects, each], keys: [...keys, as], columns: output };
}

function sideOf(
  node: JoinNode,
  { fields }: Schema,
  options: { names: readonly string[]; side: 'left' | 'right'; taken: Set<string> },
): JoinedSide {
  const { names, side, taken } = options;
  const renamed: NamedExpr[] = fields.map((field, index) => ({
    name: names[index] ?? field.name,
    expr: columnExpr(field),
  }));
  const computed: NamedExpr[] = [];
  const keys = node.keys.map((pair) => {
    const expr = pair[side];
    if (expr.kind === 'column') return expr.name;
    const name = freeName('key', taken);
    computed.push({ name, expr });
    return name;
  });
  const plain = renamed.map(({ name, expr }) => ({ name, expr: columnExpr({ ...expr, name }) }));
  const projects = [
    ...(renamed.every(isPlain) ? [] : [projectOf(node, renamed)]),
    ...(computed.length === 0 ? [] : [projectOf(node, [...plain, ...computed])]),
  ];
  const given = computed.length === 0 ? renamed : [...plain, ...computed];
  const columns = {
    fields: given.map(({ name, expr }, at) => {
      const nullable = fields[at]?.nullable ?? true;
      return fieldOf(name, expr.type, nullable);
    }),
  };
  return { projects, keys, columns };
}

function exchangesOf(
  { type, buildSide, isBroadcast }: JoinNode,
  probeKeys: readonly string[],
  buildKeys: readonly string[],
): { readonly probe: Exchange | null; readonly build: Exchange } {
  if (probeKeys.length > 0 && !isBroadcast) {
    return {
      probe: { kind: 'hash', columns: probeKeys },
      build: { kind: 'hash', columns: buildKeys },
    };
  }
  if (joinRowsOf(type, buildSide).build === 'none') {
    return { probe: null, build: { kind: 'broadcast' } };
  }
  return { probe: { kind: 'gather' }, build: { kind: 'gather' } };
}
