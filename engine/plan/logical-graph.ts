/**
 * The logical graph: operators and edges as the user wrote them. Plain data; the user's functions
 * are kept beside it by operator id, for they cannot travel.
 *
 * Operator ids are stable: given by the user, or made of what the operator is by itself (engine/plan/operator-ids.ts), so
 * that an edit elsewhere does not move state.
 */
import type { SinkSpec, SourceSpec } from '../contracts/connector.ts';
import type { Expr, NamedExpr } from '../expr/expr.ts';
import type { Schema } from '../schema/schema.ts';
import type { AggregateFunction } from './aggregate-functions.ts';
import type { AnalyticSpec } from './analytic-functions.ts';
import type { EndingWindows } from './ending-windows.ts';
import type { KeptRows } from './join-keep.ts';
import type { JoinSide, JoinType } from './join-type.ts';
import type { LookupSpec } from './lookup-spec.ts';
import type { PatternSpec } from './pattern-spec.ts';
import type { ControlSpec, StateSpec } from './state-spec.ts';
import type { EventWindow } from './window-spec.ts';

export interface AggregateSpec {
  readonly name: string;
  readonly function: AggregateFunction;
  /** The argument; null for `count()` of rows. */
  readonly input: Expr | null;
  /** Of `approxQuantile`: which one, from 0 to 1. */
  readonly quantile?: number;
}

/** How results come out that change while rows come. */
export interface UpdateSpec {
  /** For how long changes of a key are gathered into one, in milliseconds. */
  readonly everyMs: number;
  /** How long a key is kept after its last row, in milliseconds of the clock; null: for ever. */
  readonly ttlMs: number | null;
}

/** An aggregate of rows in an order; `stringAgg` joins texts, without the nulls among them. */
export type OrderedAggregateSpec = AggregateSpec | JoinedTexts<Expr>;

/** `Value` is an expression, or the name of a column. */
export interface JoinedTexts<Value> {
  readonly name: string;
  readonly function: 'stringAgg';
  readonly input: Value;
  readonly separator: string;
}

/** A key to sort by: a column of the operator's input schema. Nulls come last unless asked. */
export interface SortKey {
  readonly column: string;
  readonly isDescending: boolean;
  readonly areNullsFirst: boolean;
}

/** A key to sort by that may have to be computed. */
export interface ExprOrder {
  readonly expr: Expr;
  readonly isDescending: boolean;
  readonly areNullsFirst: boolean;
}

/** How near the times of partners are. */
export type JoinNearness =
  /** Columns of pairs; the right time is from `left - beforeMs` to `left + afterMs`. */
  | {
      readonly kind: 'interval';
      readonly left: string;
      readonly right: string;
      readonly beforeMs: number;
      readonly afterMs: number;
    }
  /** The last right row at the left time or before, of those with the same key: the version that was valid. */
  | {
      readonly kind: 'asOf';
      readonly left: string;
      readonly right: string;
      /** How much older than the left row it may be; null: as old as it likes. */
      readonly toleranceMs: number | null;
    }
  /** In one of the windows that either may be in several of. */
  | {
      readonly kind: 'windows';
      readonly left: string;
      readonly right: string;
      readonly windows: EndingWindows;
      /** Columns behind those of pairs: the end of the window that a row of the side is in. */
      readonly leftEnd: string;
      readonly rightEnd: string;
    }
  /** In one window: its starts are the last pair of keys. */
  | { readonly kind: 'window'; readonly sizeMs: number };

/** A pair of keys that are to be equal: of the left side, and of the right side. Their types are the same. */
export interface JoinKeyPair {
  readonly left: Expr;
  readonly right: Expr;
}

/** Which field is the event time, and how watermarks follow it. */
export interface EventTimeSpec {
  readonly column: string;
  /** What watermarks follow in place of it: a field that says how far time has come, or null. */
  readonly watermarkColumn?: string;
  readonly outOfOrdernessMs: number;
  /** Null: a part of the source without rows holds time back for ever. */
  readonly idleAfterMs: number | null;
  /** How far ahead of the wall clock a time may be and still be believed. */
  readonly futureLimitMs: number;
  /** The sources that this one stays together with, and how far ahead it may be. @defaultValue none */
  readonly alignment?: AlignmentSpec;
}

/** A group of sources that are read about equally far in event time. */
export interface AlignmentSpec {
  readonly group: string;
  readonly driftMs: number;
}

/** What the id of an operator was derived from; `order`: there is another one that would have the same. */
export type IdOrigin = 'name' | 'kind' | 'order';

interface Node {
  readonly id: string;
  /** What the id was derived from. @defaultValue the user gave it */
  readonly idOrigin?: IdOrigin;
  readonly name: string;
  /** Ids of the operators whose output this one reads. */
  readonly inputs: readonly string[];
  /** What comes out; for a sink, what goes in. */
  readonly schema: Schema;
}

export type LogicalNode = Node &
  (
    | { readonly kind: 'source'; readonly source: SourceSpec }
    | { readonly kind: 'where'; readonly predicate: Expr }
    | { readonly kind: 'select'; readonly columns: readonly NamedExpr[] }
    /** One output row per word of `input`; `carried` columns are repeated. */
    | {
        readonly kind: 'explodeWords';
        readonly input: Expr;
        readonly as: string;
        readonly carried: readonly NamedExpr[];
      }
    /** All columns of the input; those of the same name are replaced, others follow behind. */
    | { readonly kind: 'derive'; readonly columns: readonly NamedExpr[] }
    /** User functions, by operator id. */
    | { readonly kind: 'filter' | 'map' | 'flatMap' }
    /** A user function that folds the rows of a key, two at a time, into one. */
    | { readonly kind: 'reduce'; readonly keys: readonly NamedExpr[] }
    /** Says which field is the event time; rows pass as they are, but those that it puts aside. */
    | ({ readonly kind: 'eventTime'; readonly putsAside?: true } & EventTimeSpec)
    /** The columns of the input, then the time of the clock, which is the event time. */
    | { readonly kind: 'ingestionTime'; readonly column: string }
    /** A row per key and window: the window's start and end where it has them, the keys, the results. */
    | {
        readonly kind: 'aggregate';
        readonly window: EventWindow | null;
        readonly keys: readonly NamedExpr[];
        readonly aggregates: readonly AggregateSpec[];
        /** Of results that change while rows come. @defaultValue every 100 ms, kept for ever */
        readonly updates?: UpdateSpec;
      }
    /** The same of rows that are sorted by `order` within a key, and a window. */
    | {
        readonly kind: 'orderedAggregate';
        readonly window: EventWindow | null;
        readonly keys: readonly NamedExpr[];
        readonly order: readonly ExprOrder[];
        readonly aggregates: readonly OrderedAggregateSpec[];
      }
    /** Each row once, whatever its columns. */
    | { readonly kind: 'distinct' }
    | { readonly kind: 'orderBy'; readonly order: readonly SortKey[] }
    | { readonly kind: 'limit'; readonly count: number }
    /** The columns of the input, then a result for each function. */
    | {
        readonly kind: 'analytic';
        readonly partition: readonly NamedExpr[];
        readonly order: readonly ExprOrder[];
        readonly functions: readonly AnalyticSpec[];
      }
    /**
     * User functions onRow, onTimer and onControl over state of a key, by operator id. Its second input is the control
     * stream, where it has one.
     */
    | {
        readonly kind: 'process';
        readonly keys: readonly NamedExpr[];
        readonly states: readonly StateSpec[];
        readonly control: ControlSpec | null;
        readonly hasTimers: boolean;
        /** The field of the input with the event time, or null. */
        readonly timeColumn: string | null;
      }
    /** A user function over all rows of a window and key, by operator id. */
    | {
        readonly kind: 'windowFunction';
        readonly window: EventWindow;
        readonly keys: readonly NamedExpr[];
      }
    /** Sequences of rows of a key; user functions select, timedOut and tests, by operator id. */
    | {
        readonly kind: 'pattern';
        readonly keys: readonly NamedExpr[];
        readonly timeColumn: string;
        readonly pattern: PatternSpec;
        /** By stage; null where any row may be one. */
        readonly conditions: readonly (Expr | null)[];
      }
    /** User functions map, combine?, partition?, reduce, by operator id. */
    | {
        readonly kind: 'mapReduce';
        /** `key` and `value`: what `map` emits. */
        readonly pairs: Schema;
        /** What pairs of one call of `reduce` have in common, over `pairs`; the key unless it says else. */
        readonly group: readonly NamedExpr[];
        /** The order of the pairs of a partition, over `pairs`: of groups first, then within them. */
        readonly order: readonly ExprOrder[];
        readonly hasCombine: boolean;
        readonly hasPartition: boolean;
      }
    /** Pairs of rows of its two inputs, left and right. */
    | {
        readonly kind: 'join';
        readonly type: JoinType;
        /** Over the columns of pairs, each of one side alone. */
        readonly keys: readonly JoinKeyPair[];
        /** What must hold besides, over the columns of pairs. */
        readonly condition: Expr | null;
        /** How near in event time partners are; null where that does not matter. */
        readonly nearness: JoinNearness | null;
        /** How a job that streams keeps rows of both sides; null where one of them is read to its end. */
        readonly keep: KeptRows | null;
        /** The names of the right side's columns in pairs: unlike those of the left side's. */
        readonly rightNames: readonly string[];
        readonly buildSide: JoinSide;
        /** Whether the job says so, or whether to broadcast. */
        readonly hasHint: boolean;
        /** Whether every task gets all rows of the build side. */
        readonly isBroadcast: boolean;
      }
    /** The columns of the input, then those that a user function answers for a key. */
    | ({ readonly kind: 'lookup' } & LookupSpec)
    /** The rows of all its inputs, in any order. */
    | { readonly kind: 'union' }
    /** The rows of the left input that the right one has too, or has not: once, or as often as it is there. */
    | { readonly kind: 'intersect'; readonly isAll: boolean }
    | { readonly kind: 'except'; readonly isAll: boolean }
    /** What the source that it reads could not read, instead of its rows. */
    | { readonly kind: 'deadLetters' }
    /** The rows that the operator which it reads put aside, as they came into it: they were too late, or have no time. */
    | { readonly kind: 'aside' }
    | { readonly kind: 'sink'; readonly sink: SinkSpec }
  );

/** Whether results come at the end of the input, or as event time goes on. */
export type JobMode = 'batch' | 'streaming';

export interface LogicalGraph {
  readonly jobName: string;
  /** How the job runs unless it is asked to run otherwise. @defaultValue 'batch' */
  readonly mode?: JobMode;
  /** In an order where inputs come first. */
  readonly nodes: readonly LogicalNode[];
}
