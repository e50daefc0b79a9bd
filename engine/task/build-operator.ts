/**
 * Builds operators from a plan: a spec, which is plain data, becomes an operator with the memory, the
 * kernels and the user's functions of this task.
 *
 * After: the tables of builders, by what operators do: engine/task/build-row-operators.ts and those beside it.
 */
import { assert } from '../../base/assert.ts';
import type { Operator } from '../operators/operator.ts';
import { SinkOperator } from '../operators/sink-operator.ts';
import { applyTable } from '../plan/operator-table.ts';
import type { OperatorSpec } from '../plan/physical-graph.ts';
import { functionBuilders } from './build-function-operators.ts';
import { groupBuilders } from './build-group-operators.ts';
import { joinBuilders } from './build-join-operators.ts';
import { orderBuilders } from './build-order-operators.ts';
import { rowBuilders } from './build-row-operators.ts';
import type { BuildOperatorOptions, OperatorBuilders, SpecOf } from './operator-builder.ts';
import { connectorOf, waitingParts } from './task-connectors.ts';

const builders: OperatorBuilders = {
  ...rowBuilders,
  ...groupBuilders,
  ...orderBuilders,
  ...joinBuilders,
  ...functionBuilders,
  sink: buildSink,
  source() {
    // It has no input: engine/operators/source-operator.ts.
    throw new Error('assertion failed: a source is the first of a chain');
  },
};

export function buildOperator(spec: OperatorSpec, options: BuildOperatorOptions): Operator {
  return applyTable(builders, spec, options);
}

function buildSink({ id, sink }: SpecOf<'sink'>, options: BuildOperatorOptions): Operator {
  const { connectors, disk, taskIndex, attempt, context, input, preparedSink, programRings } =
    options;
  const { clock } = options;
  const { writer } = connectorOf(connectors, sink.connector);
  assert(writer !== undefined, 'the connector of a sink can write');
  const { scope, kernels } = context;
  const programRing = programRings?.get(id) ?? null;
  const common = { disk, scope, kernels, taskIndex, attempt, programRing };
  const own = { ...common, ...waitingParts(options), clock };
  const commitsAtCheckpoints = options.hasCheckpoints === true;
  const slot = { ...own, schema: input, hasDeadLetters: false, commitsAtCheckpoints };
  return new SinkOperator(writer(sink.options, preparedSink, slot));
}
