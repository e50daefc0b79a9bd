/** The options of `process`, their types, and their logical node. */
import { typedError } from '../../base/typed-error.ts';
import type { NamedExpr } from '../expr/expr.ts';
import type { NodeContent } from '../plan/logical-node.ts';
import type { ProcessFunctions } from '../plan/user-functions.ts';
import { describe, type RowInputOf, type RowOf, type ValuesOf } from './row.ts';
import { type HandlesOf, type StateDeclarations, statesIn } from './state.ts';
import { type ColumnsOf, StructType } from './value-type.ts';

/** Timers of the key that a call belongs to: one per time; to set it again changes nothing. */
export interface Timers {
  /** Calls `onTimer` when the watermark has come to `timeMs`: no row with a time before it follows. */
  eventTime(timeMs: number): void;
  /** Calls `onTimer` when the host's clock has come to `timeMs`, or the input has ended. */
  processingTime(timeMs: number): void;
  /** False when no such timer was set. */
  cancelEventTime(timeMs: number): boolean;
  /** False when no such timer was set. */
  cancelProcessingTime(timeMs: number): boolean;
}

/** What a call of `onRow` or `onTimer` may use, until it returns. */
export interface ProcessContext<Key, S, F> {
  /** The key: a value for each of its columns. */
  readonly key: ValuesOf<Key>;
  /** The states of the key. */
  readonly state: HandlesOf<S>;
  readonly timers: Timers;
  /** Gives out a row. */
  emit(row: RowInputOf<ColumnsOf<F>>): void;
  /** The event time of the row, where the stream has one and the row too; the time of the timer. */
  readonly timeMs: number | null;
  /** No row with a time before it follows; minus infinity at first, infinity when the input has ended. */
  readonly watermarkMs: number;
  /** The host's clock, in milliseconds since 1970, as it was at the beginning of the batch. */
  readonly nowMs: number;
}

/** A process over rows with columns C and the columns Key as key. */
export interface ProcessOptions<C, Key, S, F> {
  /**
   * What is kept for each key, by name.
   *
   * @defaultValue nothing: timers only
   */
  readonly state?: S;
  /** The fields of the rows that are given out. */
  readonly output: StructType<F>;
  /** Called for each row. The row and the context are valid during the call. */
  readonly onRow: (row: RowOf<C>, context: ProcessContext<Key, S, F>) => void;
  /** Called when the time of a timer has come, in order of time, then of key. */
  readonly onTimer?: (timeMs: number, context: ProcessContext<Key, S, F>) => void;
}

/** @param timeColumn - Under what name rows have their event time, or null. @throws JOB_ARGUMENT_INVALID */
export function processParts<C, Key, S extends StateDeclarations, F>(
  keys: readonly NamedExpr[],
  timeColumn: string | null,
  options: ProcessOptions<C, Key, S, F>,
): { content: NodeContent; functions: ProcessFunctions } {
  const { output, onRow, onTimer } = options ?? {};
  if (!(output instanceof StructType) || typeof onRow !== 'function') {
    throw typedError('JOB_ARGUMENT_INVALID', 'process needs an output struct and onRow', {
      hint: 'Write process({ output: t.struct({ … }), onRow: (row, ctx) => { … } }).',
    });
  }
  if (onTimer !== undefined && typeof onTimer !== 'function') {
    throw typedError('JOB_ARGUMENT_INVALID', `onTimer of process is ${describe(onTimer)}`, {
      hint: 'Give a function: onTimer: (timeMs, ctx) => { … }; or leave it out.',
    });
  }
  const { specs, functions } = statesIn(options.state);
  const content: NodeContent = {
    kind: 'process',
    keys,
    states: specs,
    hasTimers: onTimer !== undefined,
    timeColumn,
    schema: output.schema,
  };
  return {
    content,
    functions: {
      kind: 'process',
      onRow: onRow as never,
      onTimer: (onTimer ?? null) as never,
      onControl: null,
      states: functions,
    },
  };
}
