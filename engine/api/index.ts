/**
 * The package's main entry, `millrace`: what jobs are written with.
 *
 * @example
 * ```ts
 * import { agg, defineJob, explode, t, words } from 'millrace';
 *
 * [typeof defineJob, typeof explode, typeof words, typeof t.utf8, typeof agg.count].join(); // => 'function,function,function,function,function'
 * ```
 */

import './deduplicate.ts';
import './keyed-process.ts';
import './window-process.ts';
import './match-verb.ts';
import './stream-joins.ts';
import './ingestion-time.ts';
import './stream-sets.ts';

export type { VerbOptions } from '../plan/logical-node.ts';
export type { FunctionContext, SideFile } from '../plan/user-functions.ts';
export { Aggregate, type AggregateOrder, agg } from './aggregates.ts';
export {
  Analytic,
  type AnalyticFunctions,
  type AnalyticsOf,
  type Analyzed,
  type FrameOptions,
  type OverOptions,
} from './analytic.ts';
export {
  BroadcastDeclaration,
  type BroadcastStateOf,
  type BroadcastView,
  type ControlledOf,
} from './broadcast.ts';
export {
  type AnyColumn,
  Column,
  type Condition,
  type SortOptions,
  type SortOrder,
} from './column.ts';
export type { CastMethods } from './column-cast.ts';
export type { DateMethods, TruncateUnit } from './column-date.ts';
export type { ColumnKind, ListKind, StructKind, Typed } from './column-kind.ts';
export type { NestedMethods } from './column-nested.ts';
export type { NumberMethods } from './column-number.ts';
export type { TextMethods } from './column-text.ts';
export type { DeduplicateOptions } from './deduplicate.ts';
export {
  type BuildContext,
  defineJob,
  type JobDefinition,
  type JobOptions,
  type JobOutputs,
} from './define-job.ts';
export {
  type ReadOptions,
  type RunFlags,
  type SinkOf,
  type SourceOf,
  WrittenStream,
} from './endpoints.ts';
export { type Explosion, explode, type Words, words } from './explode.ts';
export { coalesce, concat, greatest, least, lit } from './expressions.ts';
export type {
  JoinAsOf,
  Joined,
  JoinHints,
  JoinInterval,
  JoinKeep,
  JoinOptions,
  JoinSide,
  JoinType,
  JoinWindow,
} from './join.ts';
export type { LookupCache, LookupLimits, LookupOptions, LookupType } from './lookup.ts';
export type { MapReduceOptions } from './map-reduce.ts';
export type { MatchContext, MatchOptions } from './match-verb.ts';
export type { ParamSpec, ParamType, ParamValues } from './param.ts';
export {
  type AfterMatchOf,
  Pattern,
  type PatternStart,
  type RowsOfStage,
  type StageCondition,
  type StageOptions,
} from './pattern.ts';
export type { ControlContext, ProcessContext, ProcessOptions, Timers } from './process.ts';
export type { RowInputOf, RowOf } from './row.ts';
export {
  type AggregatingOptions,
  type AggregatingStateOf,
  type HandlesOf,
  type ListStateOf,
  type MapStateOf,
  type ReducingStateOf,
  StateDeclaration,
  type StateDeclarations,
  type StateOptions,
  state,
  type TtlOptions,
  type ValueStateOf,
} from './state.ts';
export type { Migration, StateChanges } from './state-changes.ts';
export { KeyedStream, Stream, WindowedStream } from './stream.ts';
export type { SetOptions } from './union.ts';
export type { AggregateOptions, UpdateOptions } from './updates.ts';
export { type ColumnsOf, StructType, t, ValueType } from './value-type.ts';
export { When, when } from './when.ts';
export type {
  Alignment,
  EventTimeOptions,
  TimeColumn,
  WindowColumns,
} from './window.ts';
export type { WindowOptions } from './window-firing.ts';
export type { WindowOfRows } from './window-process.ts';
export {
  type CountOptions,
  type CumulatingOptions,
  countWindow,
  cumulating,
  globalWindow,
  type SessionOptions,
  type SlidingOptions,
  session,
  sliding,
  type TumblingOptions,
  tumbling,
  type Window,
  type WindowPlace,
} from './windows.ts';
