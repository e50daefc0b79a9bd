/**
 * The user's functions of a job, by operator id. They cannot travel: every slot thread that needs
 * one loads the job's module, builds the same logical graph, and looks the function up here.
 */

/** A row as a user's function reads it: a getter per field, valid during the call only. */
export type RowView = Readonly<Record<string, unknown>>;

/** What a user's function gives out: one value per field of the output schema. */
export type RowValues = Readonly<Record<string, unknown>>;

export type Emit = (key: unknown, value: unknown) => void;

export interface FlatMapFunction {
  readonly kind: 'flatMap';
  readonly flatMap: (row: RowView) => Iterable<RowValues>;
}

export interface MapFunction {
  readonly kind: 'map';
  readonly map: (row: RowView) => RowValues;
}

export interface FilterFunction {
  readonly kind: 'filter';
  readonly filter: (row: RowView) => boolean;
}

/** Folds two rows of one key into one; `left` is a plain object that does not expire. */
export interface ReduceFunction {
  readonly kind: 'reduce';
  readonly reduce: (left: RowValues, right: RowView) => RowValues;
}

/** A small file that every task has read whole. */
export interface SideFile {
  readonly bytes: Uint8Array;
  /** Its bytes as UTF-8. */
  readonly text: string;
}

/** What functions of mapReduce are given besides rows. */
export interface FunctionContext {
  /**
   * Adds to a counter of the job, by 1 unless told otherwise; the summary has the sums over all tasks.
   *
   * @param by - A whole number, also below 0.
   */
  count(counter: string, by?: number): void;
  /** The file that `sideFiles` has by this name. @throws JOB_SIDE_FILE */
  sideFile(name: string): SideFile;
}

export interface MapReduceFunctions {
  readonly kind: 'mapReduce';
  readonly map: (row: RowView, emit: Emit, context: FunctionContext) => void;
  /** Folds values of one key that one task has seen; may run any number of times, or never. */
  readonly combine?: (key: unknown, values: Iterable<unknown>, context: FunctionContext) => unknown;
  /** The partition, in [0, partitionCount), that reduces this key. */
  readonly partition?: (key: unknown, partitionCount: number) => number;
  /** Name → path of the files that the functions may read. */
  readonly sideFiles: Readonly<Record<string, string>>;
  /** Called once per group, in the order of groups within a partition. */
  readonly reduce: (
    key: unknown,
    values: Iterable<unknown>,
    context: FunctionContext,
  ) => Iterable<RowValues>;
}

/** Functions of a reducing or an aggregating state; other kinds have none. */
export type StateFunctions =
  | { readonly reduce: (left: unknown, right: unknown) => unknown }
  | {
      readonly create: () => unknown;
      readonly add: (accumulator: unknown, input: unknown) => unknown;
      readonly result: (accumulator: unknown) => unknown;
    }
  | Record<string, never>;

/** How values of a state that has changed become what they are now. */
export interface ValueChange {
  /** Of fields that are new. */
  readonly defaults: Readonly<Record<string, unknown>>;
  /** Of a value as the job says it was. */
  readonly migrate: ((old: unknown) => unknown) | null;
}

/** What functions over keyed state are given besides rows. */
export type ProcessCall = Readonly<Record<string, unknown>>;

export interface ProcessFunctions {
  readonly kind: 'process';
  readonly onRow: (row: RowView, context: ProcessCall) => void;
  /** Null where the operator sets no timers. */
  readonly onTimer: ((timeMs: number, context: ProcessCall) => void) | null;
  /** Called for rows of the control stream. */
  readonly onControl: ((row: RowView, context: ProcessCall) => void) | null;
  /** By name of a state. */
  readonly states: Readonly<Record<string, StateFunctions>>;
  /** By name of a state, broadcast ones too: of those that say how they have changed. @defaultValue nothing is said */
  readonly changes?: Readonly<Record<string, ValueChange>>;
}

/** Called for each window and key with all of its rows. */
export interface WindowFunction {
  readonly kind: 'windowFunction';
  readonly process: (rows: Iterable<RowValues>, window: WindowCall) => Iterable<RowValues>;
}

/** What a function over windows is told of the one that it is called for. */
export interface WindowCall {
  readonly start: number;
  readonly end: number;
  readonly key: RowValues;
}

/** Rows of a match by the names of stages. */
export type MatchedRows = Readonly<Record<string, readonly RowValues[]>>;

/** What functions of a pattern are given besides rows. */
export interface MatchCall {
  readonly key: unknown;
  /** When the match was complete, or its time was over. */
  readonly timeMs: number;
}

export interface PatternFunctions {
  readonly kind: 'pattern';
  readonly select: (rows: MatchedRows, context: MatchCall) => RowValues;
  /** Null where what was not completed in time is dropped. */
  readonly timedOut: ((rows: MatchedRows, context: MatchCall) => RowValues) | null;
  /** By stage; null where its expression says all. */
  readonly tests: readonly (((row: RowValues, rows: MatchedRows) => boolean) | null)[];
}

/** Finds a row by a key, at once or later; null: there is none. */
export interface LookupFunction {
  readonly kind: 'lookup';
  readonly lookup: (key: unknown) => RowValues | null | Promise<RowValues | null>;
}

export type UserFunctions =
  | PatternFunctions
  | LookupFunction
  | WindowFunction
  | FlatMapFunction
  | MapFunction
  | FilterFunction
  | ReduceFunction
  | MapReduceFunctions
  | ProcessFunctions;

/** Functions of one kind. */
export type FunctionsOf<K extends UserFunctions['kind']> = Extract<
  UserFunctions,
  { readonly kind: K }
>;
