/**
 * Event time: which column says when something happened, and how windows of it are told of their rows' time.
 * The windows themselves: engine/api/windows.ts.
 */
import { typedError } from '../../base/typed-error.ts';
import type { NamedExpr } from '../expr/expr.ts';
import { becomesNull, joinRowsOf } from '../plan/join-type.ts';
import type { AlignmentSpec } from '../plan/logical-graph.ts';
import type { NodeContent, NodeDraft } from '../plan/logical-node.ts';
import { type EventWindow, firesOnce, hasBounds } from '../plan/window-spec.ts';
import type { Schema } from '../schema/schema.ts';
import type { Column } from './column.ts';
import { type SinkOf, sinkIn } from './endpoints.ts';
import type { Grouping } from './grouping.ts';
import { callLambda, describe, expressionIn } from './row.ts';
import { firingOf, type WindowOptions } from './window-firing.ts';
import { type Window, wholeMs } from './windows.ts';

/** A column that says when a row's event happened. */
export type TimeColumn = Column<'timestampMs' | 'timestampUs', unknown, boolean>;

/** How watermarks follow event time in an unbounded stream; over bounded input they change nothing. */
export interface EventTimeOptions<C = unknown> {
  /**
   * What watermarks follow in place of the rows' times: a field with a timestamp that says how far time has come, or null
   * where a row does not say. For marks in the data, or a rule of one's own: derive it first.
   *
   * @defaultValue the event time itself: each row says it
   * @example `derive((row) => ({ mark: when(row.isMark, row.at).otherwise(null) })).eventTime((row) => row.at, { watermark: (row) => row.mark })`
   */
  readonly watermark?: (row: C) => TimeColumn;
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
  /**
   * Where rows go whose time is further ahead than `futureLimitMs`, or null: they are counted and written there as
   * they are, in streams and in batch, and are no part of the stream then. @defaultValue they stay in the stream
   */
  readonly untimely?: SinkOf;
  /**
   * Other sources that this one stays together with: all whose `eventTime` names the same group. @defaultValue each
   * source is read as fast as it can be
   */
  readonly alignment?: Alignment;
}

/**
 * Sources of a group are read about equally far in event time: one that is ahead of the last of them waits. So joins and
 * windows keep less of the one source for the other, where one has more rows or comes faster. A source that has ended, or
 * has been without rows for `idleAfterMs`, holds nobody; one without rows and without `idleAfterMs` holds all others.
 *
 * Over bounded input in batch it changes nothing. It has to be the first event time behind its source.
 *
 * @see Apache Flink, watermark alignment
 */
export interface Alignment {
  /** A name; sources whose names are equal stay together. */
  readonly group: string;
  /**
   * How far its watermark may be ahead of that of the last source of the group, in milliseconds, 0 or more; one batch of
   * rows may be further. Each source has its own.
   */
  readonly driftMs: number;
}

const dayMs = 86_400_000;

/** What windows add to the rows of an aggregate. */
export interface WindowColumns {
  /** When the window begins; the moment is in it. */
  readonly windowStart: Column<'timestampMs', number, false, 'windowStart'>;
  /** When the window ends; the moment is not in it. */
  readonly windowEnd: Column<'timestampMs', number, false, 'windowEnd'>;
}

/** What windows add where they have bounds. */
export type BoundsOf<Bounded extends boolean> = Bounded extends true ? WindowColumns : unknown;

/** The node of an `eventTime`. */
export function eventTimeContent(
  schema: Schema,
  time: (row: never) => unknown,
  options: EventTimeOptions<never>,
): NodeContent {
  const { outOfOrdernessMs = 0, idleAfterMs, futureLimitMs = dayMs, untimely } = options;
  const column = timeField('eventTime', schema, time);
  const { watermark } = options;
  const follows = watermark && {
    watermarkColumn: timeField('watermark of eventTime', schema, watermark),
  };
  wholeMs('outOfOrdernessMs of eventTime', outOfOrdernessMs, 0);
  if (idleAfterMs !== undefined) wholeMs('idleAfterMs of eventTime', idleAfterMs, 1);
  wholeMs('futureLimitMs of eventTime', futureLimitMs, 0);
  if (untimely !== undefined) sinkIn('untimely of eventTime', untimely);
  const late = { outOfOrdernessMs, idleAfterMs: idleAfterMs ?? null, futureLimitMs };
  const together = options.alignment && { alignment: alignmentIn(options.alignment) };
  const aside = untimely !== undefined && { putsAside: true as const };
  return { kind: 'eventTime', column, ...follows, ...late, ...together, ...aside, schema };
}

/** @throws JOB_ARGUMENT_INVALID */
function alignmentIn(given: Alignment): AlignmentSpec {
  const { group, driftMs } = given;
  if (typeof group !== 'string' || group === '') {
    const message = `alignment of eventTime needs a group, got ${describe(group)}`;
    throw typedError('JOB_ARGUMENT_INVALID', message, {
      hint: 'Name it: eventTime((row) => row.at, { alignment: { group: "events", driftMs: 60_000 } }).',
    });
  }
  wholeMs('driftMs of alignment', driftMs, 0);
  return { group, driftMs };
}

/** The name of a field with a timestamp. @throws EXPR_TYPE_MISMATCH */
function timeField(what: string, schema: Schema, time: (row: never) => unknown): string {
  const expr = expressionIn(what, callLambda(what, schema, time), 'a field');
  if (expr.kind === 'column' && expr.type.kind === 'timestamp') return expr.name;
  const got = expr.kind === 'column' ? `"${expr.name}" is ${expr.type.kind}` : 'got an expression';
  throw typedError('EXPR_TYPE_MISMATCH', `${what} needs a field with a timestamp, ${got}`, {
    hint: 'Make the field first: derive((row) => ({ at: … })).eventTime((row) => row.at).',
  });
}

/** What rows of `node` are grouped by in windows. @throws PLAN_NO_EVENT_TIME */
export function windowGrouping(
  keys: readonly NamedExpr[],
  window: Window<boolean>,
  node: NodeDraft,
  options: WindowOptions = {},
): Grouping {
  return { keys, window: windowOf(window, node, options), late: options.late };
}

function windowOf(window: Window<boolean>, node: NodeDraft, options: WindowOptions): EventWindow {
  if (window?.kind !== 'millrace.window') {
    throw typedError('JOB_ARGUMENT_INVALID', `window needs a window, got ${describe(window)}`, {
      hint: 'Write window(tumbling({ sizeMs: 60_000 })).',
    });
  }
  const { spec } = window;
  const firing = firingOf(spec, options);
  const column = eventTimeColumn(node);
  const isOfTime = spec.kind !== 'count' && spec.kind !== 'global';
  const aside = options.late !== undefined && { putsAside: true as const };
  if (column !== null || !(isOfTime || firing.everyEventTimeMs !== null)) {
    return { column: isOfTime ? column : null, spec, firing, ...aside };
  }
  throw typedError('PLAN_NO_EVENT_TIME', 'a window needs to know the event time of its rows', {
    hint: 'Say which field it is, behind the last verb that makes new rows: eventTime((row) => row.at).',
  });
}

/** Under what name a node's rows have their event time; null when they have none. */
export function eventTimeColumn(node: NodeDraft): string | null {
  return columnBehind(node, timeIn);
}

/**
 * Of rows that are results of windows, grouped by the end of their window: such groups are complete when event
 * time has come to that end. Null where no key is the end of a window.
 */
export function windowOfRows(keys: readonly NamedExpr[], node: NodeDraft): EventWindow | null {
  const column = columnBehind(node, windowEndIn);
  const isKey = keys.some(({ expr }) => expr.kind === 'column' && expr.name === column);
  return isKey ? { column, spec: { kind: 'until' }, firing: firesOnce } : null;
}

/** The column that a node makes, by its name there; undefined when it hands on what it reads. */
type ColumnIn = (content: NodeContent) => string | null | undefined;

const timeIn: ColumnIn = (content) => {
  if (content.kind === 'eventTime' || content.kind === 'ingestionTime') return content.column;
  return content.kind === 'join' && content.nearness !== null ? leftTime(content) : undefined;
};

const windowEndIn: ColumnIn = (content) => {
  const isGrouped = content.kind === 'aggregate' || content.kind === 'orderedAggregate';
  if (!isGrouped || content.window === null) return undefined;
  const { spec, column } = content.window;
  if (hasBounds(spec)) return 'windowEnd';
  const isEnd = ({ expr }: NamedExpr) => expr.kind === 'column' && expr.name === column;
  return spec.kind === 'until' ? (content.keys.find(isEnd)?.name ?? null) : null;
};

/** Under what name a node's rows have a column that one before it makes; null when they have none. */
function columnBehind({ content, inputs }: NodeDraft, columnIn: ColumnIn): string | null {
  const made = columnIn(content);
  if (made !== undefined) return made;
  const [first] = inputs;
  if (content.kind === 'join') {
    return first !== undefined && isSideInput(content) ? columnBehind(first, columnIn) : null;
  }
  const names = inputs.map((input) => columnBehind(input, columnIn));
  const [name = null] = names;
  if (name === null || names.some((other) => other !== name)) return null;
  switch (content.kind) {
    case 'where':
    case 'filter':
    case 'eventTime':
    case 'ingestionTime':
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
      return nameOf(content.columns, name);
    case 'explodeWords':
      return nameOf(content.carried, name);
    default:
      return null;
  }
}

/** Whether rows of the left side go past the right one, which is there before the first of them. */
function isSideInput({
  type,
  nearness,
  keep,
  buildSide,
  hasHint,
}: NodeContent & { readonly kind: 'join' }): boolean {
  const isBuilt = nearness === null && keep === null && hasHint && buildSide === 'right';
  return isBuilt && joinRowsOf(type, buildSide).build === 'none';
}

/** The left time, where no row comes without it. */
function leftTime({ type, nearness }: NodeContent & { readonly kind: 'join' }): string | null {
  if (
    nearness === null ||
    nearness.kind === 'window' ||
    nearness.kind === 'windows' ||
    becomesNull(type, 'left')
  )
    return null;
  return nearness.left;
}

/** What a column is called among others that are made of it. */
function nameOf(columns: readonly NamedExpr[], name: string): string | null {
  return columns.find(({ expr }) => expr.kind === 'column' && expr.name === name)?.name ?? null;
}
