/**
 * Lowering of an as-of join. A job that waits for the end of its input has all versions before the first row goes past
 * them; else rows of both sides meet as event time goes on. Both give the same rows.
 *
 *     trades ─ hash by symbol ─▶ rows  ┐                               batch: asOfProbe, whose build side is read first
 *                                       left as of quotes, by symbol
 *     quotes ─ hash by symbol ─▶ right ┘                               streaming: asOfJoin, with two streams
 */
import { assert } from '../../base/assert.ts';
import type { JobMode, JoinNearness } from '../../engine/plan/logical-graph.ts';
import { type OperatorSpec, vertexPorts } from '../../engine/plan/physical-graph.ts';
import type { Schema } from '../../engine/schema/schema.ts';
import { type JoinNode, joinSidesOf } from './lower-join.ts';
import { type LoweredNode, type LoweredSide, stepOf } from './plan-step.ts';

/** @param inputs - Of the left and the right side. */
export function lowerAsOfJoin(
  node: JoinNode,
  nearness: JoinNearness & { readonly kind: 'asOf' },
  [leftInput, rightInput]: readonly Schema[],
  mode: JobMode,
): LoweredNode {
  const { id, name, schema: output, type } = node;
  assert(leftInput !== undefined && rightInput !== undefined, 'a join has two inputs');
  assert(type === 'inner' || type === 'left', 'an as-of join gives out rows of the left side');
  const { left, right } = joinSidesOf(node, leftInput, rightInput);
  const spec = {
    ...{ id, name, output, type },
    ...{ leftKeys: left.keys, rightKeys: right.keys },
    ...{ leftTime: nearness.left, rightTime: nearness.right, toleranceMs: nearness.toleranceMs },
  };
  const operator: OperatorSpec =
    mode === 'streaming'
      ? { ...spec, kind: 'asOfJoin' }
      : { ...spec, kind: 'asOfProbe', isProbeBuffered: false };
  const port = mode === 'streaming' ? vertexPorts.right : vertexPorts.build;
  const sides: LoweredSide[] = [
    { operators: left.projects, exchange: hashBy(left.keys), port: vertexPorts.rows },
    { operators: right.projects, exchange: hashBy(right.keys), port },
  ];
  return { sides, steps: [stepOf(operator)] };
}

function hashBy(columns: readonly string[]) {
  return { kind: 'hash', columns } as const;
}
