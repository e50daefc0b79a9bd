/**
 * Lowering of a join that keeps the rows of both sides, in a job that does not wait for the end of its input.
 *
 *     orders   ─ hash by id ────▶ rows  ┐
 *                                        regularJoin on id = order, rows kept 3600000 ms
 *     payments ─ hash by order ─▶ right ┘
 *
 * Where rows of a side go again (it has the column of their kinds), so do the rows that they are in.
 *
 * Inner and semi joins of rows that do not only add rows. Others take rows back that come out alone and find a partner later, so while
 * rows come they are for who takes changes; else the join is done at the end of the input (lower-join.ts).
 */
import { assert } from '../../base/assert.ts';
import type { KeptRows } from '../../engine/plan/join-keep.ts';
import { type OperatorSpec, vertexPorts } from '../../engine/plan/physical-graph.ts';
import type { Schema } from '../../engine/schema/schema.ts';
import { type ChangesHere, withKind } from './lower-changes.ts';
import { type JoinNode, joinSidesOf } from './lower-join.ts';
import { type LoweredNode, type LoweredSide, stepOf } from './plan-step.ts';

type JoinChanges = Pick<ChangesHere, 'mode' | 'column' | 'hasKind'>;

/** @param inputs - Of the left and the right side. */
export function lowerRegularJoin(
  node: JoinNode,
  { ttlMs }: KeptRows,
  [leftInput, rightInput]: readonly Schema[],
  { mode, column, hasKind: [left = false, right = false] }: JoinChanges,
): LoweredNode {
  const { id, name, schema, type, condition } = node;
  const kindColumn = mode === 'append' ? null : column;
  const output = kindColumn === null ? schema : withKind(schema, kindColumn);
  assert(leftInput !== undefined && rightInput !== undefined, 'a join has two inputs');
  const sidesOf = joinSidesOf(node, leftInput, rightInput);
  const operator: OperatorSpec = {
    ...{ id, name, output, kind: 'regularJoin', type, condition, ttlMs, kindColumn },
    ...{ leftKeys: sidesOf.left.keys, rightKeys: sidesOf.right.keys },
    takesChanges: { left, right },
  };
  const ends = [vertexPorts.rows, vertexPorts.right];
  const sides = [sidesOf.left, sidesOf.right].map(({ projects, keys }, at): LoweredSide => {
    const exchange = { kind: 'hash', columns: keys } as const;
    return { operators: projects, exchange, port: ends[at] ?? vertexPorts.rows };
  });
  return { sides, steps: [stepOf(operator)] };
}
