/**
 * Lowering of a join of two streams whose partners are near in time, in a job that does not wait for the end of
 * its input: rows of both sides meet by their keys, as they come.
 *
 *     orders   ─────────────────── hash by id ────▶ left  ┐
 *                                                          intervalJoin on id = order within 0 ms before to …
 *     payments ─ project renamed ─ hash by order ─▶ right ┘
 *
 * Windows are intervals of nothing between starts of windows. A start is behind the watermark by up to the size
 * of a window, less the last millisecond.
 */
import { assert } from '../../base/assert.ts';
import type { JoinNearness } from '../../engine/plan/logical-graph.ts';
import { type OperatorSpec, vertexPorts } from '../../engine/plan/physical-graph.ts';
import type { Schema } from '../../engine/schema/schema.ts';
import { type JoinedSide, type JoinNode, joinSidesOf } from './lower-join.ts';
import { type LoweredNode, type LoweredSide, stepOf } from './plan-step.ts';

/** Of partners that both sides keep rows for. */
type StreamNearness = Exclude<JoinNearness, { readonly kind: 'asOf' }>;

/** Rows of less than this are kept together, however short the interval is. */
const sliceMsMin = 1000;

/** @param inputs - Of the left and the right side. */
export function lowerIntervalJoin(
  node: JoinNode,
  nearness: StreamNearness,
  [leftInput, rightInput]: readonly Schema[],
): LoweredNode {
  const { id, name, schema: output, type, condition } = node;
  assert(leftInput !== undefined && rightInput !== undefined, 'a join has two inputs');
  const { left, right } = joinSidesOf(node, leftInput, rightInput);
  const { keys, times } = partsOf(nearness, left, right);
  const operator: OperatorSpec = {
    ...{ id, name, output, kind: 'intervalJoin', type, condition },
    leftKeys: keys.left,
    rightKeys: keys.right,
    ...times,
  };
  const sides = (['left', 'right'] as const).map((side): LoweredSide => {
    const operators = (side === 'left' ? left : right).projects;
    const exchange = { kind: 'hash', columns: keys[side] } as const;
    return { operators, exchange, port: side === 'left' ? vertexPorts.rows : vertexPorts.right };
  });
  return { sides, steps: [stepOf(operator)] };
}

function partsOf(nearness: StreamNearness, left: JoinedSide, right: JoinedSide) {
  if (nearness.kind === 'interval') {
    const { left: leftTime, right: rightTime, beforeMs, afterMs } = nearness;
    const sliceMs = Math.max(sliceMsMin, Math.ceil((beforeMs + afterMs) / 2));
    return {
      keys: { left: left.keys, right: right.keys },
      times: { leftTime, rightTime, beforeMs, afterMs, lagMs: 0, sliceMs },
    };
  }
  const [leftTime, rightTime] = [left, right].map(({ keys }) => keys.at(-1));
  assert(leftTime !== undefined && rightTime !== undefined, 'windows are the last pair of keys');
  // An end is past its rows: a row in time is in windows that are not over.
  const isEnd = nearness.kind === 'windows';
  const sliceMs = isEnd ? Math.max(sliceMsMin, nearness.windows.periodMs) : nearness.sizeMs;
  const lagMs = isEnd ? 0 : nearness.sizeMs - 1;
  const times = { leftTime, rightTime, beforeMs: 0, afterMs: 0, lagMs };
  return {
    keys: { left: left.keys.slice(0, -1), right: right.keys.slice(0, -1) },
    times: { ...times, sliceMs },
  };
}
