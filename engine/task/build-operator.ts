/**
 * Builds operators from a plan: a spec, which is plain data, becomes an operator with the memory, the
 * kernels and the user's functions of this task.
 */
import { assert, assertNever } from '../../base/assert.ts';
import type { Json } from '../contracts/json.ts';
import { AggregateOperator } from '../operators/aggregate-operator.ts';
import { CombineOperator } from '../operators/combine-operator.ts';
import { ExplodeWordsOperator } from '../operators/explode-words-operator.ts';
import { FilterOperator } from '../operators/filter-operator.ts';
import { FlatMapOperator } from '../operators/flat-map-operator.ts';
import { LimitOperator } from '../operators/limit-operator.ts';
import { MapOperator } from '../operators/map-operator.ts';
import type { Operator, OperatorContext } from '../operators/operator.ts';
import { ProjectOperator } from '../operators/project-operator.ts';
import { ReduceOperator } from '../operators/reduce-operator.ts';
import { SinkOperator } from '../operators/sink-operator.ts';
import { SortOperator } from '../operators/sort-operator.ts';
import type { OperatorSpec } from '../plan/physical-graph.ts';
import type { FlatMapFunction, MapReduceFunctions, UserFunctions } from '../plan/user-functions.ts';
import type { Schema } from '../schema/schema.ts';
import { connectorOf, type TaskConnectors } from './task-connectors.ts';

export interface BuildOperatorOptions extends TaskConnectors {
  readonly context: OperatorContext;
  /** What comes in. */
  readonly input: Schema;
  readonly functions: ReadonlyMap<string, UserFunctions>;
  /** What the sink's committer prepared. */
  readonly preparedSink: Json;
}

/** Every kind but `source`, which has no input (engine/operators/source-operator.ts). */
export function buildOperator(spec: OperatorSpec, options: BuildOperatorOptions): Operator {
  const { context, input, functions } = options;
  const { output } = spec;
  switch (spec.kind) {
    case 'filter':
      return new FilterOperator(context, spec.predicate);
    case 'project':
      return new ProjectOperator(context, { output, columns: spec.columns });
    case 'explodeWords':
      return new ExplodeWordsOperator(context, { ...spec, input });
    case 'flatMap': {
      const { flatMap } = flatMapOf(functions, spec.id);
      return new FlatMapOperator(context, { input, output, flatMap });
    }
    case 'aggregate':
      return new AggregateOperator(context, { ...spec, input });
    case 'sort':
      return new SortOperator(context, { schema: input, order: spec.order });
    case 'top':
      return new SortOperator(context, { schema: input, order: spec.order, count: spec.count });
    case 'limit':
      return new LimitOperator(spec.count);
    case 'map':
      return new MapOperator(context, {
        input,
        pairs: output,
        map: mapReduceOf(functions, spec.id).map,
      });
    case 'combine': {
      const { combine } = mapReduceOf(functions, spec.id);
      assert(combine !== undefined, 'a combine operator has a function');
      return new CombineOperator(context, { pairs: output, combine });
    }
    case 'reduce': {
      const { reduce } = mapReduceOf(functions, spec.id);
      return new ReduceOperator(context, { pairs: input, output, reduce });
    }
    case 'sink':
      return buildSink(spec, options);
    case 'source':
      throw new Error('assertion failed: a source is the first of a chain');
    default:
      return assertNever(spec);
  }
}

function buildSink(
  { sink }: OperatorSpec & { kind: 'sink' },
  { connectors, disk, taskIndex, context, input, preparedSink }: BuildOperatorOptions,
): Operator {
  const { writer } = connectorOf(connectors, sink.connector);
  assert(writer !== undefined, 'the connector of a sink can write');
  const { scope, kernels } = context;
  return new SinkOperator(
    writer(sink.options, preparedSink, { disk, scope, kernels, schema: input, taskIndex }),
  );
}

function flatMapOf(functions: ReadonlyMap<string, UserFunctions>, id: string): FlatMapFunction {
  const found = functions.get(id);
  assert(found?.kind === 'flatMap', 'a flatMap operator has its function');
  return found;
}

/** The functions of a mapReduce operator. */
export function mapReduceOf(
  functions: ReadonlyMap<string, UserFunctions>,
  id: string,
): MapReduceFunctions {
  const found = functions.get(id);
  assert(found?.kind === 'mapReduce', 'a mapReduce operator has its functions');
  return found;
}
