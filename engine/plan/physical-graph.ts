/**
 * The physical graph: vertices, each an operator chain run by `parallelism` tasks, and the exchanges
 * between them. Plain data, made by `coordinator/planner`, carried out by workers.
 */
import type { SinkSpec, SourceSpec } from '../contracts/connector.ts';
import type { Expr, NamedExpr } from '../expr/expr.ts';
import type { Schema } from '../schema/schema.ts';
import type { AggregateFunction } from './aggregate-functions.ts';
import type { AnalyticColumn, RankFunction } from './analytic-functions.ts';
import type { AsOfSpec } from './as-of-spec.ts';
import type { EndingWindows } from './ending-windows.ts';
import type { JoinSide, JoinType } from './join-type.ts';
import type { EventTimeSpec, JoinedTexts, SortKey } from './logical-graph.ts';
import type { LookupSpec } from './lookup-spec.ts';
import type { AdaptedReads } from './map-output-read.ts';
import type { PatternSpec } from './pattern-spec.ts';
import type { ControlSpec, ProcessKey, StateSpec } from './state-spec.ts';
import type { TimeWindowSpec, WindowFiring, WindowSpec } from './window-spec.ts';

/** One aggregate over columns of the operator's input. */
export interface AggregateColumn {
  readonly name: string;
  readonly function: AggregateFunction;
  /** The values: one column, none to count rows; in the final phase the parts of the partial results. */
  readonly columns: readonly string[];
  /** Of `approxQuantile`: which one, from 0 to 1. Its columns are means and weights of centroids, where rows are sorted. */
  readonly quantile?: number;
}

/** The same of rows in an order. */
export type OrderedAggregateColumn = AggregateColumn | JoinedTexts<string>;

/** A dynamic filter: once the build side of a join is complete, its source leaves out rows without a partner. */
export interface SourceFilter {
  /** Id of the join's operator. */
  readonly join: string;
  /** Columns of the source, as many as the join has keys and in their order. */
  readonly columns: readonly string[];
}

/** A least or largest value of rows that go again: of all values of a column that are there. */
export interface RunningExtreme {
  /** Of the result; the aggregate of that name only carries it. */
  readonly name: string;
  readonly function: 'min' | 'max';
  readonly column: string;
}

export interface RunningAggregateSpec {
  /** Whether rows are values (`whole`), or parts of results that are merged: where they are taken back, negative ones. */
  readonly phase: 'whole' | 'final';
  readonly keys: readonly string[];
  readonly aggregates: readonly AggregateColumn[];
  /** Those of aggregates whose values have to be kept; none where rows do not go. */
  readonly extremes: readonly RunningExtreme[];
  /** The column that says how many rows an input row stands for; null: each is one. */
  readonly weight: string | null;
  /** Of the output, behind keys and results: the row kind. */
  readonly kindColumn: string;
  /** Whether a row that changes comes out as it was, too. */
  readonly givesBefore: boolean;
  /** For how long changes of a key are gathered into one, in milliseconds. */
  readonly everyMs: number;
  /** How long a key is kept after its last row, in milliseconds of the clock; null: for ever. */
  readonly ttlMs: number | null;
}

/** What all operators have. */
export interface CommonSpec {
  /** Id of the logical operator that this one carries out. */
  readonly id: string;
  readonly name: string;
  readonly output: Schema;
  /** Its late rows are those of another operator, which counts them. @defaultValue it counts them */
  readonly isLateElsewhere?: true;
}

export type OperatorSpec = CommonSpec &
  (
    | {
        readonly kind: 'source';
        readonly source: SourceSpec;
        /** Whether only some rows are wanted, from all over the input: what the boundaries of ranges come from. */
        readonly isSample?: true;
        /** Whether splits are read in the order of time, several beside each other: in streams. */
        readonly isOrdered?: true;
        /** Joins of the chain whose keys a row must have, or it comes to nothing. @defaultValue none */
        readonly filters?: readonly SourceFilter[];
      }
    /** Puts rows aside (`vertexOutputs.aside`) whose time is too far ahead of the wall clock, or missing. */
    | { readonly kind: 'checkTimes'; readonly column: string; readonly futureLimitMs: number }
    /** Makes watermarks of a column; rows pass as they are. */
    | ({ readonly kind: 'eventTime' } & EventTimeSpec)
    /** The time of the clock behind the columns of the input; watermarks follow it in a stream. */
    | {
        readonly kind: 'ingestionTime';
        readonly column: string;
        readonly makesWatermarks: boolean;
      }
    | { readonly kind: 'filter'; readonly predicate: Expr }
    | { readonly kind: 'project'; readonly columns: readonly NamedExpr[] }
    | {
        readonly kind: 'explodeWords';
        readonly column: string;
        readonly as: string;
        readonly carried: readonly string[];
      }
    /** User functions over rows; `id` finds them. */
    | { readonly kind: 'filterRows' | 'mapRows' | 'flatMap' }
    /** Folds the rows of each key; the keys are columns of the input, maybe behind those of the output. */
    | {
        readonly kind: 'fold';
        readonly phase: 'partial' | 'final';
        readonly keys: readonly string[];
      }
    /** Puts the start of each row's window in front of the `carried` columns, as the column `as`. */
    | {
        readonly kind: 'assignWindows';
        readonly column: string;
        readonly as: string;
        readonly sizeMs: number;
        readonly offsetMs: number;
        readonly carried: readonly string[];
      }
    /** Each row once for each window that it is in, whose end is put in front of the `carried` columns as `as`. */
    | ({
        readonly kind: 'eachWindow';
        readonly column: string;
        readonly as: string;
        readonly carried: readonly string[];
      } & EndingWindows)
    /** Puts the register of the column's value, and its share, in front of the `carried` columns. */
    | { readonly kind: 'registers'; readonly column: string; readonly carried: readonly string[] }
    /** A digest of the column's values by keys: rows of keys, a mean (null for nulls alone) and a weight. */
    | { readonly kind: 'digest'; readonly keys: readonly string[]; readonly column: string }
    /** Groups by key columns. `partial` gives the parts of results, which `final` merges. */
    | {
        readonly kind: 'aggregate';
        readonly phase: 'partial' | 'final' | 'whole';
        readonly keys: readonly string[];
        readonly aggregates: readonly AggregateColumn[];
      }
    /** Groups by key columns, whose results come out again when they have changed. */
    | ({ readonly kind: 'runningAggregate' } & RunningAggregateSpec)
    /**
     * The first rows of an order, or of each partition with their ranks, and what changes of them; the last column of the input has how often a row comes, or
     * goes, the last of the output the row kind.
     */
    | {
        readonly kind: 'runningTop';
        readonly order: readonly SortKey[];
        readonly count: number;
        /** Null: of all rows, without a rank. */
        readonly ranks: {
          readonly partition: readonly string[];
          readonly function: RankFunction;
        } | null;
        /** Whether rows go. */
        readonly isOfChanges: boolean;
        readonly everyMs: number;
      }
    /** Of rows with equal keys the first; all columns come out as they came in. */
    | { readonly kind: 'firstRows'; readonly keys: readonly string[] }
    /** Groups by windows and key columns. `partial` gives the parts of panes, which `final` merges. */
    | {
        readonly kind: 'windowAggregate';
        readonly phase: 'partial' | 'final' | 'whole';
        readonly window: WindowSpec;
        readonly firing: WindowFiring;
        /** The time of a row, in the final phase its pane; null where nothing depends on it. */
        readonly column: string | null;
        /** Of sessions in the final phase: the time of a part's last row. */
        readonly lastColumn?: string;
        readonly keys: readonly string[];
        readonly aggregates: readonly AggregateColumn[];
      }
    /** The same of rows that it sorts by keys and `order`. */
    | {
        readonly kind: 'orderedAggregate';
        readonly keys: readonly string[];
        readonly order: readonly SortKey[];
        readonly aggregates: readonly OrderedAggregateColumn[];
      }
    /** The same by windows that come once, with their bounds in front where they have some. */
    | {
        readonly kind: 'orderedWindow';
        readonly window: TimeWindowSpec;
        readonly column: string | null;
        readonly missing: WindowFiring['missing'];
        readonly keys: readonly string[];
        readonly order: readonly SortKey[];
        readonly aggregates: readonly OrderedAggregateColumn[];
      }
    /** What goes through the chain is its probe side; the columns of its two inputs have different names. */
    | {
        readonly kind: 'join';
        readonly type: JoinType;
        readonly buildSide: JoinSide;
        /** Whether the job says how its sides are used. */
        readonly hasHint: boolean;
        /** Columns of either input; as many, and of the same types. */
        readonly probeKeys: readonly string[];
        readonly buildKeys: readonly string[];
        /** What must hold besides, over the columns of both. */
        readonly condition: Expr | null;
        /** Whether the probe side is taken in while the build side is not complete. */
        readonly isProbeBuffered: boolean;
      }
    /**
     * Two streams, left and right, whose partners have equal keys and times that are near: from `left - beforeMs` to
     * `left + afterMs`. Their columns have different names.
     */
    | {
        readonly kind: 'intervalJoin';
        readonly type: JoinType;
        readonly leftKeys: readonly string[];
        readonly rightKeys: readonly string[];
        readonly leftTime: string;
        readonly rightTime: string;
        readonly beforeMs: number;
        readonly afterMs: number;
        /** How far these times may be behind the watermark; and which are kept together. */
        readonly lagMs: number;
        readonly sliceMs: number;
        readonly condition: Expr | null;
      }
    /** Two streams, left and right, whose rows are partners whenever they come. Their columns have different names. */
    | {
        readonly kind: 'regularJoin';
        readonly type: JoinType;
        readonly leftKeys: readonly string[];
        readonly rightKeys: readonly string[];
        /** How long rows are kept after they have come; null: for ever. */
        readonly ttlMs: number | null;
        readonly condition: Expr | null;
        /** The last column of the output, with the kinds of rows; null: rows are only added. */
        readonly kindColumn: string | null;
        /** Whether a side has that column too: whether its rows go again. */
        readonly takesChanges: { readonly left: boolean; readonly right: boolean };
      }
    /** Two streams, left and right, whose rows come in any turn. */
    | ({ readonly kind: 'asOfJoin' } & AsOfSpec)
    /** The same with the right side as its build side. */
    | ({ readonly kind: 'asOfProbe'; readonly isProbeBuffered: boolean } & AsOfSpec)
    /** The columns of the input, then those of answers; `id` finds the user's function. */
    | ({ readonly kind: 'lookup' } & LookupSpec)
    /** Each row as often as `column` says, which is not in the output. */
    | { readonly kind: 'repeat'; readonly column: string }
    | { readonly kind: 'sort'; readonly order: readonly SortKey[] }
    | { readonly kind: 'top'; readonly order: readonly SortKey[]; readonly count: number }
    /** `isLocal`: one of several in front of the one that counts all rows. */
    | { readonly kind: 'limit'; readonly count: number; readonly isLocal?: true }
    /** Columns of the input, and functions of other rows of a partition. Rows of a partition are in one task. */
    | {
        readonly kind: 'analytic';
        readonly partition: readonly string[];
        readonly order: readonly SortKey[];
        readonly functions: readonly AnalyticColumn[];
      }
    /** Rows of which it drops some that are not among the first of their partition, by one of the ranks. */
    | {
        readonly kind: 'partitionTop';
        readonly partition: readonly string[];
        readonly order: readonly SortKey[];
        readonly function: RankFunction;
        readonly count: number;
      }
    /** The rows of a sample that divide it into ranges of the same size. */
    | {
        readonly kind: 'boundaries';
        readonly order: readonly SortKey[];
        readonly rangeCount: number;
      }
    /** The last before a range exchange; boundaries come in at its build side. */
    | { readonly kind: 'range'; readonly order: readonly SortKey[] }
    /** The three parts of mapReduce; `id` finds the user's functions. */
    | { readonly kind: 'map' }
    | { readonly kind: 'combine' }
    | {
        readonly kind: 'reduce';
        /** Columns of the input that pairs of one call have in common. */
        readonly group: readonly string[];
        /** First those of `group`. */
        readonly order: readonly SortKey[];
      }
    /** User functions over state of a key; `id` finds them. Behind the `fieldCount` fields that they see may be keys. */
    | {
        readonly kind: 'process';
        readonly keys: readonly ProcessKey[];
        readonly states: readonly StateSpec[];
        readonly timeColumn: string | null;
        readonly fieldCount: number;
        /** Its control stream: the build side where it `isFirst`, else a second stream; null where it has none. */
        readonly control: (ControlSpec & { readonly isFirst: boolean }) | null;
        /** Whether rows are taken in while a control stream that is first is not complete. */
        readonly isProbeBuffered: boolean;
      }
    /** A user function over all rows of a window and key; `id` finds it. The rows are as of `process`. */
    | {
        readonly kind: 'windowFunction';
        readonly window: TimeWindowSpec;
        readonly column: string | null;
        readonly missing: WindowFiring['missing'];
        readonly keys: readonly ProcessKey[];
        readonly fieldCount: number;
      }
    /** Sequences of rows of a key; `id` finds its functions. Behind the `fieldCount` fields are keys and conditions. */
    | {
        readonly kind: 'pattern';
        readonly keys: readonly ProcessKey[];
        readonly timeColumn: string;
        readonly pattern: PatternSpec;
        /** By stage, the column that says whether a row is one; null where any row may be. */
        readonly conditions: readonly (string | null)[];
        readonly fieldCount: number;
        /** Whether rows come in the order of their times. */
        readonly isSorted: boolean;
      }
    | { readonly kind: 'sink'; readonly sink: SinkSpec }
  );

/** Whether the operator gathers rows, or groups of rows, until its input has ended. */
export function gathersRows({ kind }: OperatorSpec): boolean {
  return gatheringKinds.has(kind);
}

/** Whether the operator has a second input, which it is given to the end before the first row goes through it. */
export function hasBuildSide(spec: OperatorSpec): boolean {
  return spec.kind === 'process' ? spec.control?.isFirst === true : buildingKinds.has(spec.kind);
}

const buildingKinds: ReadonlySet<OperatorSpec['kind']> = new Set(['join', 'asOfProbe', 'range']);

/**
 * Whether the operator reads two streams side by side, at `vertexPorts.rows` and `vertexPorts.right`. It is the
 * first of its chain, which has no operators with build sides.
 */
export function hasSecondStream(spec: OperatorSpec): boolean {
  return spec.kind === 'process' ? spec.control?.isFirst === false : twoStreamKinds.has(spec.kind);
}

const twoStreamKinds: ReadonlySet<OperatorSpec['kind']> = new Set([
  ...(['intervalJoin', 'asOfJoin', 'regularJoin'] as const),
]);

/** Kinds of those. */
export const gatheringKinds: ReadonlySet<OperatorSpec['kind']> = new Set([
  ...([
    'aggregate',
    'runningAggregate',
    'firstRows',
    'runningTop',
    'fold',
    'join',
    'intervalJoin',
    'asOfJoin',
    'asOfProbe',
    'regularJoin',
    'sort',
    'top',
    'combine',
    'reduce',
    'analytic',
    'partitionTop',
    'orderedAggregate',
    'orderedWindow',
    'digest',
    'process',
    'windowFunction',
    'pattern',
    'windowAggregate',
  ] as const),
]);

export type Exchange =
  /** Rows of one key group go to one task. */
  | { readonly kind: 'hash'; readonly columns: readonly string[] }
  /** The user's `partition` function of operator `id` chooses by key. */
  | { readonly kind: 'partition'; readonly id: string; readonly column: string }
  /** Each task gets a range of the order, and those of lower numbers come before it. */
  | { readonly kind: 'range'; readonly order: readonly SortKey[] }
  | { readonly kind: 'rebalance' }
  /** Every row to every task. */
  | { readonly kind: 'broadcast' }
  /** Rows of a task go to the task of the same index; both vertices have as many. */
  | { readonly kind: 'forward' }
  /** All rows to the one task of the next vertex. */
  | { readonly kind: 'gather' }
  /** The same, from sorted inputs to one sorted input. */
  | { readonly kind: 'merge'; readonly order: readonly SortKey[] };

export interface Vertex {
  readonly id: string;
  readonly name: string;
  readonly parallelism: number;
  /** First the source, where there is one; last the sink, where there is one. */
  readonly chain: readonly OperatorSpec[];
}

/** Outputs of a vertex, as edges name them. */
export const vertexOutputs = {
  /** What the last operator of the chain gives out. */
  rows: 0,
  /** What the source could not read. */
  deadLetters: 1,
  /** What the first operator of the chain puts aside, as it came in; that of the next one is the output after it. */
  aside: 2,
} as const;

/** The place in a chain of the operator that puts aside what an output has; null for one of other rows. */
export function asidePlaceOf(output: number): number | null {
  return output < vertexOutputs.aside ? null : output - vertexOutputs.aside;
}

/** Inputs of a vertex, as edges name them. */
export const vertexPorts = {
  /** What goes through the chain; a chain that begins with a source has none. */
  rows: 0,
  /** The build side of the chain's first operator that has one; that of the next one is the port after it. */
  build: 1,
  /** The second stream of a chain's first operator, where that has two. */
  right: 1,
} as const;

export interface Edge {
  readonly id: string;
  readonly from: string;
  /** One of `vertexOutputs`, or one after those. Every edge of an output gets all of its rows. */
  readonly output: number;
  readonly to: string;
  /** `vertexPorts.rows`, or the build side of one of the chain's operators. */
  readonly port: number;
  readonly exchange: Exchange;
  /** Whether rows go through files that are complete before a reader starts, and not through rings. */
  readonly isBlocking: boolean;
  /** What travels: those columns of the output that the reader needs. */
  readonly schema: Schema;
  /** Of a blocking edge: what its readers read, where that was chosen at run time. @defaultValue their own partition */
  readonly adapted?: AdaptedReads;
}

export interface PhysicalGraph {
  readonly jobName: string;
  readonly parallelism: number;
  /**
   * In an order where inputs come first. A vertex has any number of edges in and out; one with a source
   * has none into its rows. Several edges into one port are a union: they carry the same columns.
   */
  readonly vertices: readonly Vertex[];
  readonly edges: readonly Edge[];
  /** Of a stream: milliseconds between the latency marks of a source. @defaultValue latency is not measured */
  readonly latencyIntervalMs?: number;
}
