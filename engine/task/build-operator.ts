/**
 * Builds operators from a plan: a spec, which is plain data, becomes an operator with the memory, the
 * kernels and the user's functions of this task.
 */
import { assert, assertNever } from '../../base/assert.ts';
import type { FunctionCounters } from '../compile/function-context.ts';
import type { Json } from '../contracts/json.ts';
import { AggregateOperator } from '../operators/aggregate-operator.ts';
import { AnalyticOperator } from '../operators/analytic/analytic-operator.ts';
import { DigestOperator } from '../operators/analytic/digest-operator.ts';
import { OrderedAggregateOperator } from '../operators/analytic/ordered-aggregate-operator.ts';
import { PartitionTopOperator } from '../operators/analytic/partition-top-operator.ts';
import { AssignWindowsOperator } from '../operators/assign-windows-operator.ts';
import { BoundariesOperator } from '../operators/boundaries-operator.ts';
import { FirstRowsOperator } from '../operators/changes/first-rows-operator.ts';
import { RunningAggregateOperator } from '../operators/changes/running-aggregate-operator.ts';
import { RunningTopOperator } from '../operators/changes/running-top-operator.ts';
import { CheckTimesOperator } from '../operators/check-times-operator.ts';
import { EachWindowOperator } from '../operators/each-window-operator.ts';
import { EventTimeOperator } from '../operators/event-time-operator.ts';
import { ExplodeWordsOperator } from '../operators/explode-words-operator.ts';
import { FilterOperator } from '../operators/filter-operator.ts';
import { HashJoinOperator } from '../operators/hash-join-operator.ts';
import { IngestionTimeOperator } from '../operators/ingestion-time-operator.ts';
import { LimitOperator } from '../operators/limit-operator.ts';
import type { Operator, OperatorContext } from '../operators/operator.ts';
import { ProjectOperator } from '../operators/project-operator.ts';
import { RangeOperator } from '../operators/range-operator.ts';
import { RegistersOperator } from '../operators/registers-operator.ts';
import { RepeatOperator } from '../operators/repeat-operator.ts';
import { SinkOperator } from '../operators/sink-operator.ts';
import { SortOperator } from '../operators/sort-operator.ts';
import { AsOfJoinOperator } from '../operators/stream-join/as-of-join-operator.ts';
import { AsOfProbeOperator } from '../operators/stream-join/as-of-probe-operator.ts';
import { IntervalJoinOperator } from '../operators/stream-join/interval-join-operator.ts';
import { RegularJoinOperator } from '../operators/stream-join/regular-join-operator.ts';
import { CountAggregateOperator } from '../operators/windows/count-aggregate-operator.ts';
import { OrderedWindowOperator } from '../operators/windows/ordered-window-operator.ts';
import { SessionAggregateOperator } from '../operators/windows/session-aggregate-operator.ts';
import { WindowAggregateOperator } from '../operators/windows/window-aggregate-operator.ts';
import type { EventTimeSpec } from '../plan/logical-graph.ts';
import type { OperatorSpec } from '../plan/physical-graph.ts';
import type { UserFunctions } from '../plan/user-functions.ts';
import type { Schema } from '../schema/schema.ts';
import type { RangePartitioner } from '../shuffle/range-partitioner.ts';
import { SplitTimes } from '../time/split-times.ts';
import { buildFunctionOperator } from './build-function-operator.ts';
import { connectorOf, type TaskConnectors } from './task-connectors.ts';

export interface BuildOperatorOptions extends TaskConnectors {
  readonly context: OperatorContext;
  /** What comes in. */
  readonly input: Schema;
  /** What comes in at the build side, where the operator has one. */
  readonly build?: Schema;
  /** What comes in as the second stream, where the operator has one. */
  readonly right?: Schema;
  /** Of the edges that a range operator's rows are sent by. @defaultValue none */
  readonly rangePartitioners?: readonly RangePartitioner[];
  /** Of a chain that begins with a source of lanes: how far each has come. @defaultValue null */
  readonly splitTimes?: SplitTimes | null;
  readonly clock: { mono(): number; wall(): number };
  readonly functions: ReadonlyMap<string, UserFunctions>;
  /** What functions count. */
  readonly counters: FunctionCounters;
  /** What the sink's committer prepared. */
  readonly preparedSink: Json;
}

/** Every kind but `source`, which has no input (engine/operators/source-operator.ts). */
export function buildOperator(spec: OperatorSpec, options: BuildOperatorOptions): Operator {
  const { context, input } = options;
  const { output } = spec;
  switch (spec.kind) {
    case 'filter':
      return new FilterOperator(context, spec.predicate);
    case 'project':
      return new ProjectOperator(context, { output, columns: spec.columns });
    case 'explodeWords':
      return new ExplodeWordsOperator(context, { ...spec, input });
    case 'assignWindows':
      return new AssignWindowsOperator(context, { ...spec, input });
    case 'aggregate':
      return new AggregateOperator(context, { ...spec, input });
    case 'runningAggregate':
    case 'runningTop':
    case 'firstRows':
    case 'windowAggregate':
    case 'orderedWindow':
      return buildStreamGroups(spec, options);
    case 'join':
    case 'intervalJoin':
    case 'asOfJoin':
    case 'asOfProbe':
    case 'regularJoin':
    case 'eachWindow':
      return buildJoin(spec, options);
    case 'range':
      return buildRange(options);
    case 'boundaries':
      return new BoundariesOperator(context, { ...spec, input });
    case 'eventTime':
    case 'ingestionTime':
    case 'checkTimes':
      return buildTimes(spec, options);
    case 'repeat':
      return new RepeatOperator(context, { ...spec, input });
    case 'sort':
      return new SortOperator(context, { schema: input, order: spec.order });
    case 'top':
      return new SortOperator(context, { schema: input, order: spec.order, count: spec.count });
    case 'analytic':
      return new AnalyticOperator(context, { ...spec, input });
    case 'partitionTop':
      return new PartitionTopOperator(context, { ...spec, schema: input });
    case 'orderedAggregate':
      return new OrderedAggregateOperator(context, { ...spec, input });
    case 'digest':
      return new DigestOperator(context, { ...spec, input });
    case 'registers':
      return new RegistersOperator(context, { ...spec, input });
    case 'limit':
      return new LimitOperator(spec.count);
    case 'lookup':
    case 'filterRows':
    case 'mapRows':
    case 'flatMap':
    case 'fold':
    case 'map':
    case 'combine':
    case 'reduce':
    case 'process':
    case 'windowFunction':
    case 'pattern':
      return buildFunctionOperator(spec, options);
    case 'sink':
      return buildSink(spec, options);
    case 'source':
      throw new Error('assertion failed: a source is the first of a chain');
    default:
      return assertNever(spec);
  }
}

function buildRange({ build, rangePartitioners = [] }: BuildOperatorOptions): Operator {
  assert(build !== undefined, 'boundaries come in at the build side');
  return new RangeOperator({ build, partitioners: rangePartitioners });
}

function buildTimes(
  spec: OperatorSpec & { kind: 'eventTime' | 'ingestionTime' | 'checkTimes' },
  { context, input, splitTimes, clock }: BuildOperatorOptions,
): Operator {
  const [mono, wall] = [() => clock.mono(), () => clock.wall()];
  if (spec.kind === 'ingestionTime') {
    return new IngestionTimeOperator(context, { ...spec, mono, wall });
  }
  if (spec.kind === 'checkTimes') return new CheckTimesOperator(context, { ...spec, input, wall });
  const times = splitTimes ?? undividedTimes(spec);
  return new EventTimeOperator(context, { ...spec, input, times, mono, wall });
}

/** Rows that others sent: nobody knows which lane they are of, so all are one. */
function undividedTimes(spec: EventTimeSpec): SplitTimes {
  const times = new SplitTimes(spec);
  times.expect(1);
  times.begin(0, 'all rows');
  times.enter(0);
  return times;
}

function buildJoin(
  spec: OperatorSpec & {
    kind: 'eachWindow' | 'join' | 'intervalJoin' | 'asOfJoin' | 'asOfProbe' | 'regularJoin';
  },
  { context, input, build, right }: BuildOperatorOptions,
): Operator {
  if (spec.kind === 'eachWindow') return new EachWindowOperator(context, { ...spec, input });
  if (spec.kind === 'join') {
    assert(build !== undefined, 'a join has a build side');
    return new HashJoinOperator(context, { ...spec, probe: input, build });
  }
  const other = spec.kind === 'asOfProbe' ? build : right;
  assert(other !== undefined, 'a join of streams has two of them');
  if (spec.kind === 'regularJoin') {
    const left = { schema: input, keys: spec.leftKeys };
    const kept = { left, right: { schema: other, keys: spec.rightKeys } };
    return new RegularJoinOperator(context, { ...spec, ...kept });
  }
  const sides = {
    left: { schema: input, keys: spec.leftKeys, time: spec.leftTime },
    right: { schema: other, keys: spec.rightKeys, time: spec.rightTime },
  };
  if (spec.kind === 'asOfProbe') return new AsOfProbeOperator(context, { ...spec, ...sides });
  if (spec.kind === 'asOfJoin') return new AsOfJoinOperator(context, { ...spec, ...sides });
  return new IntervalJoinOperator(context, { ...spec, ...sides });
}

/** Groups that come out while rows come. */
function buildStreamGroups(
  spec: OperatorSpec & {
    kind: 'runningAggregate' | 'runningTop' | 'firstRows' | 'windowAggregate' | 'orderedWindow';
  },
  { context, input }: BuildOperatorOptions,
): Operator {
  switch (spec.kind) {
    case 'firstRows':
      return new FirstRowsOperator(context, { input, keys: spec.keys });
    case 'runningAggregate':
      return new RunningAggregateOperator(context, { ...spec, input });
    case 'runningTop':
      return new RunningTopOperator(context, { ...spec, input });
    case 'orderedWindow':
      return new OrderedWindowOperator(context, { ...spec, input });
    default:
      return buildWindowAggregate(spec, context, input);
  }
}

function buildWindowAggregate(
  spec: OperatorSpec & { kind: 'windowAggregate' },
  context: OperatorContext,
  input: Schema,
): Operator {
  const { window, column } = spec;
  if (window.kind === 'count') {
    const { rows, slideRows } = window;
    return new CountAggregateOperator(context, { ...spec, rows, slideRows, input });
  }
  if (window.kind === 'session') {
    assert(column !== null, 'sessions have a time');
    const { gapMs } = window;
    return new SessionAggregateOperator(context, { ...spec, column, gapMs, input });
  }
  return new WindowAggregateOperator(context, { ...spec, window, input });
}

function buildSink(
  { id, sink }: OperatorSpec & { kind: 'sink' },
  options: BuildOperatorOptions,
): Operator {
  const { connectors, disk, taskIndex, attempt, context, input, preparedSink, programRings } =
    options;
  const { writer } = connectorOf(connectors, sink.connector);
  assert(writer !== undefined, 'the connector of a sink can write');
  const { scope, kernels } = context;
  const programRing = programRings?.get(id) ?? null;
  const common = { disk, scope, kernels, taskIndex, attempt, programRing };
  const slot = { ...common, schema: input, hasDeadLetters: false };
  return new SinkOperator(writer(sink.options, preparedSink, slot));
}
