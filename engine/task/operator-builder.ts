/**
 * What a builder of operators is given, and the tables of builders by kind: a kind without a builder does not
 * compile. The tables stand beside this file, put together in engine/task/build-operator.ts.
 */
import type { FunctionCounters } from '../compile/function-context.ts';
import type { Json } from '../contracts/json.ts';
import type { Operator, OperatorContext } from '../operators/operator.ts';
import type { SpecOfKind, SpecTable } from '../plan/operator-table.ts';
import type { OperatorSpec } from '../plan/physical-graph.ts';
import type { UserFunctions } from '../plan/user-functions.ts';
import type { Schema } from '../schema/schema.ts';
import type { RangePartitioner } from '../shuffle/range-partitioner.ts';
import type { SplitTimes } from '../time/split-times.ts';
import type { TaskConnectors } from './task-connectors.ts';

export interface BuildOperatorOptions extends TaskConnectors {
  readonly context: OperatorContext;
  /** What comes in. */
  readonly input: Schema;
  /** What comes in at the build side, where the operator has one. */
  readonly build?: Schema;
  /** Whether every task is given all of it. @defaultValue false */
  readonly isBuildBroadcast?: boolean;
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
  /** Whether the job has checkpoints, at which its sinks commit. @defaultValue false */
  readonly hasCheckpoints?: boolean;
  /** What the sink's committer prepared. */
  readonly preparedSink: Json;
}

/** Builders of these kinds. */
export type OperatorBuilders<Kinds extends OperatorSpec['kind'] = OperatorSpec['kind']> = SpecTable<
  OperatorSpec,
  Operator,
  [BuildOperatorOptions],
  Kinds
>;

export type SpecOf<Kind extends OperatorSpec['kind']> = SpecOfKind<OperatorSpec, Kind>;
