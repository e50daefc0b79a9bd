/**
 * Lowering of a join that keeps the rows of both sides, in a job that does not wait for the end of its input.
 *
 *     orders   ─ hash by id ────▶ rows  ┐
 *                                        regularJoin on id = order, rows kept 3600000 ms
 *     payments ─ hash by order ─▶ right ┘
 *
 * Inner and semi joins only add rows. Others take rows back that come out alone and find a partner later, so while
 * rows come they are for who takes changes; else the join is done at the end of the input (lower-join.ts).
 */
import { assert } from '../../base/assert.ts';
import type { KeptRows } from '../../engine/plan/join-keep.ts';
import type { JoinType } from '../../engine/plan/join-type.ts';
import { type OperatorSpec, vertexPorts } from '../../engine/plan/physical-graph.ts';
import type { Schema } from '../../engine/schema/schema.ts';
import { type JoinNode, joinSidesOf } from './lower-join.ts';
import { type LoweredNode, type LoweredSide, stepOf } from './plan-step.ts';

/** Whether a join of rows that are only added only adds rows. */
export function onlyAdds(type: JoinType): boolean {
  return type === 'inner' || type === 'semi';
}

/** @param inputs - Of the left and the right side. */
export function lowerRegularJoin(
  node: JoinNode,
  { ttlMs }: KeptRows,
  [leftInput, rightInput]: readonly Schema[],
): LoweredNode {
  const { id, name, schema: output, type, condition } = node;
  assert(leftInput !== undefined && rightInput !== undefined, 'a join has two inputs');
  const { left, right } = joinSidesOf(node, leftInput, rightInput);
  const operator: OperatorSpec = {
    ...{ id, name, output, kind: 'regularJoin', type, condition, ttlMs, kindColumn: null },
    ...{ leftKeys: left.keys, rightKeys: right.keys },
  };
  const ends = [vertexPorts.rows, vertexPorts.right];
  const sides = [left, right].map(({ projects, keys }, at): LoweredSide => {
    const exchange = { kind: 'hash', columns: keys } as const;
    return { operators: projects, exchange, port: ends[at] ?? vertexPorts.rows };
  });
  return { sides, steps: [stepOf(operator)] };
}
