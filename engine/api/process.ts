/** The options of `process`, their types, and their logical node. */
import { typedError } from '../../base/typed-error.ts';
import type { NamedExpr } from '../expr/expr.ts';
import type { NodeContent, NodeDraft } from '../plan/logical-node.ts';
import type { BroadcastSpec } from '../plan/state-spec.ts';
import type { ProcessFunctions } from '../plan/user-functions.ts';
import type { ControlledOf } from './broadcast.ts';
import { describe, type RowInputOf, type RowOf, type ValuesOf } from './row.ts';
import { type HandlesOf, type StateDeclarations, statesIn } from './state.ts';
import { Stream } from './stream.ts';
import { type ColumnsOf, StructType } from './value-type.ts';
import { eventTimeColumn } from './window.ts';

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

/** What a call of `onControl` may use, until it returns. No key is under way, and no row can be given out. */
export interface ControlContext<S> {
  /** The broadcast states. */
  readonly state: ControlledOf<S>;
  /** The event time of the control row, where its stream has one and the row too. */
  readonly timeMs: number | null;
  /** As of `ProcessContext`. */
  readonly watermarkMs: number;
  /** As of `ProcessContext`. */
  readonly nowMs: number;
}

/** A process over rows with columns C, the columns Key as key, and control rows with columns D. */
export interface ProcessOptions<C, Key, S, F, D = never> {
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
  /**
   * A second stream, each row of which goes to every task, in one order for all: rules, prices, switches. Where it has an
   * end, all of it comes before the first row, in order of its event time where it has one; else rows of both come as they
   * come. With an event time it has a say in how far time has come, until it is idle or has ended.
   *
   * @defaultValue there is none
   */
  readonly control?: Stream<D>;
  /** Called in every task for each control row: writes broadcast states. An error ends the job. */
  readonly onControl?: (row: RowOf<D>, context: ControlContext<S>) => void;
}

interface ProcessParts {
  readonly content: NodeContent;
  readonly functions: ProcessFunctions;
  /** The control stream, if there is one. */
  readonly others: readonly NodeDraft[];
}

/** @param timeColumn - Under what name rows have their event time, or null. @throws JOB_ARGUMENT_INVALID */
export function processParts<C, Key, S extends StateDeclarations, F, D>(
  keys: readonly NamedExpr[],
  timeColumn: string | null,
  options: ProcessOptions<C, Key, S, F, D>,
): ProcessParts {
  const { output, onRow, onTimer, onControl } = options ?? {};
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
  const { specs, broadcast, functions, changes } = statesIn(options.state);
  const control = controlIn(options, broadcast);
  const content: NodeContent = {
    kind: 'process',
    keys,
    states: specs,
    control: control && { states: broadcast, timeColumn: eventTimeColumn(control) },
    hasTimers: onTimer !== undefined,
    timeColumn,
    schema: output.schema,
  };
  return {
    content,
    others: control === null ? [] : [control],
    functions: {
      kind: 'process',
      onRow: onRow as never,
      onTimer: (onTimer ?? null) as never,
      onControl: (onControl ?? null) as never,
      states: functions,
      changes,
    },
  };
}

/** The control stream, which comes with a function and the states that it writes; null where there is none of these. */
function controlIn(
  { control, onControl }: { readonly control?: unknown; readonly onControl?: unknown },
  broadcast: readonly BroadcastSpec[],
): NodeDraft | null {
  const [first] = broadcast;
  if (control === undefined && onControl === undefined && first === undefined) return null;
  const hint =
    'Write process({ state: { rules: state.broadcast(t.utf8(), t.int64()) }, control: rules, onControl: (rule, { state: { rules } }) => rules.set(rule.id, rule.limit), … }).';
  if (typeof onControl === 'function' && control !== undefined && first !== undefined) {
    return Stream.nodeIn('process', control);
  }
  const missing =
    first === undefined
      ? 'a control stream and no state.broadcast that it changes'
      : `the broadcast state "${first.name}" and no ${control === undefined ? 'control stream' : 'onControl'} that changes it`;
  throw typedError('JOB_ARGUMENT_INVALID', `process has ${missing}`, { hint });
}
