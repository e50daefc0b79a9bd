/**
 * Windows and event time: which column says when something happened, and how time is cut into pieces
 * that are grouped one by one.
 */
import { typedError } from '../../base/typed-error.ts';
import { becomesNull } from '../plan/join-type.ts';
import type { TumblingWindow } from '../plan/logical-graph.ts';
import type { NodeContent, NodeDraft } from '../plan/logical-node.ts';
import type { Schema } from '../schema/schema.ts';
import type { Column } from './column.ts';
import { callLambda, describe, expressionIn } from './row.ts';

/** A column that says when a row's event happened. */
export type TimeColumn = Column<'timestampMs' | 'timestampUs', unknown, boolean>;

/** How watermarks follow event time in an unbounded stream; over bounded input they change nothing. */
export interface EventTimeOptions {
  /**
   * How much later than newer rows a row may come and still be counted, in milliseconds.
   * @defaultValue 0
   */
  readonly outOfOrdernessMs?: number;
  /** After so many milliseconds without rows a part of the source no longer holds time back. @defaultValue never */
  readonly idleAfterMs?: number;
  /**
   * How far ahead of the wall clock a time may be, in milliseconds. Rows with later times are read like the
   * others, but watermarks do not follow them: one bad clock must not close all windows. @defaultValue a day
   */
  readonly futureLimitMs?: number;
}

const dayMs = 86_400_000;

/** Size and place of tumbling windows. */
export interface TumblingOptions {
  /** How long a window is, in milliseconds: 1 or more. */
  readonly sizeMs: number;
  /** Where windows begin, in milliseconds after multiples of their size; may be negative. @defaultValue 0 */
  readonly offsetMs?: number;
}

/** Windows side by side: each moment is in one of them. Made by `tumbling`. */
export interface Tumbling {
  readonly kind: 'millrace.tumbling';
  readonly sizeMs: number;
  readonly offsetMs: number;
}

/** What windows add to the rows of an aggregate. */
export interface WindowColumns {
  /** When the window begins; the moment is in it. */
  readonly windowStart: Column<'timestampMs', number, false, 'windowStart'>;
  /** When the window ends; the moment is not in it. */
  readonly windowEnd: Column<'timestampMs', number, false, 'windowEnd'>;
}

/**
 * Windows of a fixed size, one behind the other, in event time.
 *
 * @throws JOB_ARGUMENT_INVALID
 * @example
 * ```ts
 * import { tumbling } from 'millrace';
 *
 * tumbling({ sizeMs: 60_000 }).offsetMs; // => 0
 * ```
 */
export function tumbling({ sizeMs, offsetMs = 0 }: TumblingOptions): Tumbling {
  wholeMs('sizeMs of tumbling', sizeMs, 1);
  wholeMs('offsetMs of tumbling', offsetMs, Number.MIN_SAFE_INTEGER);
  return Object.freeze({ kind: 'millrace.tumbling', sizeMs, offsetMs });
}

/** The node of an `eventTime`. */
export function eventTimeContent(
  schema: Schema,
  time: (row: never) => unknown,
  { outOfOrdernessMs = 0, idleAfterMs, futureLimitMs = dayMs }: EventTimeOptions,
): NodeContent {
  const expr = expressionIn('eventTime', callLambda('eventTime', schema, time), 'a field');
  if (expr.kind !== 'column' || expr.type.kind !== 'timestamp') {
    const what =
      expr.kind === 'column' ? `"${expr.name}" is ${expr.type.kind}` : 'got an expression';
    throw typedError('EXPR_TYPE_MISMATCH', `eventTime needs a field with a timestamp, ${what}`, {
      hint: 'Make the field first: derive((row) => ({ at: … })).eventTime((row) => row.at).',
    });
  }
  wholeMs('outOfOrdernessMs of eventTime', outOfOrdernessMs, 0);
  if (idleAfterMs !== undefined) wholeMs('idleAfterMs of eventTime', idleAfterMs, 1);
  wholeMs('futureLimitMs of eventTime', futureLimitMs, 0);
  const late = { outOfOrdernessMs, idleAfterMs: idleAfterMs ?? null, futureLimitMs };
  return { kind: 'eventTime', column: expr.name, ...late, schema };
}

/** The window of an aggregate over rows of `node`. @throws PLAN_NO_EVENT_TIME */
export function windowOf(window: Tumbling, node: NodeDraft): TumblingWindow {
  if (window?.kind !== 'millrace.tumbling') {
    throw typedError('JOB_ARGUMENT_INVALID', `window needs a window, got ${describe(window)}`, {
      hint: 'Write window(tumbling({ sizeMs: 60_000 })).',
    });
  }
  const { sizeMs, offsetMs } = window;
  const column = eventTimeColumn(node);
  if (column !== null) return { column, sizeMs, offsetMs };
  throw typedError('PLAN_NO_EVENT_TIME', 'a window needs to know the event time of its rows', {
    hint: 'Say which field it is, behind the last verb that makes new rows: eventTime((row) => row.at).',
  });
}

/** Under what name a node's rows have their event time; null when they have none. */
export function eventTimeColumn({ content, inputs }: NodeDraft): string | null {
  if (content.kind === 'eventTime') return content.column;
  if (content.kind === 'join')
    return content.nearness?.kind === 'interval' ? leftTime(content) : null;
  const names = inputs.map(eventTimeColumn);
  const [name = null] = names;
  if (name === null || names.some((other) => other !== name)) return null;
  switch (content.kind) {
    case 'where':
    case 'filter':
    case 'distinct':
    case 'lookup':
    case 'orderBy':
    case 'analytic':
    case 'limit':
    case 'union':
    case 'intersect':
    case 'except':
      return name;
    case 'derive':
      // A column of the same name takes its place.
      return content.columns.some((column) => column.name === name) ? null : name;
    case 'select':
      return (
        content.columns.find(({ expr }) => expr.kind === 'column' && expr.name === name)?.name ??
        null
      );
    case 'explodeWords':
      return (
        content.carried.find(({ expr }) => expr.kind === 'column' && expr.name === name)?.name ??
        null
      );
    default:
      return null;
  }
}

/** The left time, where no row comes without it. */
function leftTime({ type, nearness }: NodeContent & { readonly kind: 'join' }): string | null {
  if (nearness?.kind !== 'interval' || becomesNull(type, 'left')) return null;
  return nearness.left;
}

/** @throws JOB_ARGUMENT_INVALID */
export function wholeMs(what: string, value: number, min: number): void {
  if (Number.isSafeInteger(value) && value >= min) return;
  const range = min < 0 ? '' : `, ${min} or more`;
  throw typedError('JOB_ARGUMENT_INVALID', `${what} is ${describe(value)}`, {
    hint: `Give whole milliseconds${range}.`,
  });
}
