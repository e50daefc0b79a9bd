/**
 * Joins of rows that are near in event time: within an interval, in the same window, or the last one before.
 *
 *     within { beforeMs: 5, afterMs: 60 }     left at 100 ── right from 95 to 160
 *     window tumbling({ sizeMs: 60 })         left at 100 ── right from 60 up to 120
 *     asOf {}                                 left at 100 ── the last right row up to 100
 *
 * A window is one more pair of keys: its start, computed from the time of either side. So a job that reads
 * all of its input joins rows in windows as it joins any others.
 */
import { typedError } from '../../base/typed-error.ts';
import type { Expr } from '../expr/expr.ts';
import {
  arithmeticExpr,
  castExpr,
  columnExpr,
  isNullExpr,
  whenExpr,
} from '../expr/expr-factory.ts';
import { literalOfType } from '../expr/literal.ts';
import { endingWindowsOf, windowCountOf } from '../plan/ending-windows.ts';
import { becomesNull, isOneSided, type JoinType } from '../plan/join-type.ts';
import type { JoinKeyPair, JoinNearness } from '../plan/logical-graph.ts';
import type { NodeDraft } from '../plan/logical-node.ts';
import type { WindowSpec } from '../plan/window-spec.ts';
import { int64Type } from '../schema/field-type.ts';
import { type Field, fieldIndexOf, fieldOf, freeName } from '../schema/schema.ts';
import { Column } from './column.ts';
import { describe } from './row.ts';
import { eventTimeColumn, type WindowColumns } from './window.ts';
import { type Window, wholeMs } from './windows.ts';

/** How far apart in event time partners may be, in whole milliseconds. */
export interface JoinInterval {
  /**
   * How much earlier than the left row the right one may be. Negative: how much later it is at least.
   * @defaultValue 0
   */
  readonly beforeMs?: number;
  /**
   * How much later than the left row the right one may be. Negative: how much earlier it is at least.
   * @defaultValue 0
   */
  readonly afterMs?: number;
}

/** Which version of a key is a row's partner. */
export interface JoinAsOf {
  /**
   * How much older than the left row its version may be, in whole milliseconds from 0 on.
   * @defaultValue as old as it likes
   */
  readonly toleranceMs?: number;
}

/** What `select` of a join in windows is given besides the two rows. */
export type JoinWindow = WindowColumns;

interface Near {
  readonly nearness: JoinNearness;
  /** Starts of windows; null for an interval. */
  readonly key: JoinKeyPair | null;
  /** Null for an interval. */
  readonly windows: JoinWindows | JoinEnds | null;
}

/** Of windows that overlap: the ends of those that rows of both sides are in. */
interface JoinEnds {
  readonly ends: { readonly left: Expr; readonly right: Expr };
  readonly sizeMs: number;
  readonly offsetMs: number;
  /** Else windows grow. */
  readonly isSliding: boolean;
}

/** The times of both sides, and where windows are. */
interface JoinWindows {
  readonly left: Time;
  readonly right: Time;
  readonly sizeMs: number;
  readonly offsetMs: number;
}

interface GivenNearness {
  readonly within?: unknown;
  readonly window?: unknown;
  readonly asOf?: unknown;
  readonly type: JoinType;
  readonly rightNames: readonly string[];
  /** Whether the join has an equality, and anything else. */
  readonly hasKeys: boolean;
  readonly hasCondition: boolean;
}

/**
 * What a join asks of times; null where that is nothing.
 *
 * @throws JOB_ARGUMENT_INVALID, PLAN_NO_EVENT_TIME
 */
export function nearnessOf(
  inputs: readonly [NodeDraft, NodeDraft],
  { type, rightNames, hasKeys, hasCondition, ...ways }: GivenNearness,
): Near | null {
  const { within, window, asOf } = ways;
  const given = Object.entries({ within, window, asOf }).filter(([, way]) => way !== undefined);
  const [first, second] = given.map(([name]) => name);
  if (first === undefined) return null;
  if (second !== undefined) {
    throw typedError('JOB_ARGUMENT_INVALID', `join has both "${first}" and "${second}"`, {
      hint: 'Give one of them: rows are near each other, in the same window, or as of a time.',
    });
  }
  if (!hasKeys) {
    throw typedError('JOB_ARGUMENT_INVALID', 'a join of rows that are near in time needs a key', {
      hint: 'Compare a column of the one with one of the other in "on": order.id.eq(payment.order).',
    });
  }
  const left = timeOf(inputs[0], 'left', null);
  const right = timeOf(inputs[1], 'right', rightNames);
  if (window !== undefined) {
    const names = [...inputs[0].content.schema.fields, ...inputs[1].content.schema.fields];
    const taken = new Set([...names.map(({ name }) => name), ...rightNames]);
    return windowNearness(window, left, right, taken);
  }
  if (asOf !== undefined) {
    const toleranceMs = toleranceIn(asOf, type, hasCondition);
    const nearness = { kind: 'asOf', left: left.name, right: right.name, toleranceMs } as const;
    return { nearness, key: null, windows: null };
  }
  const { beforeMs, afterMs } = intervalIn(within);
  return {
    nearness: { kind: 'interval', left: left.name, right: right.name, beforeMs, afterMs },
    key: null,
    windows: null,
  };
}

/** Start and end of the window of a pair, or of a row that comes without a partner. */
export function windowRowOf(near: Near | null, type: JoinType): JoinWindow {
  const windows = near?.windows ?? null;
  if (windows === null) return noWindow;
  if ('ends' in windows) return endRowOf(windows, type);
  const [left, right] = (['left', 'right'] as const).map((side) => {
    const time = windows[side];
    return windowStart({ ...time, nullable: time.nullable || becomesNull(type, side) }, windows);
  }) as [Expr, Expr];
  const start = becomesNull(type, 'left')
    ? whenExpr([{ condition: isNullExpr(left), value: right }], left)
    : left;
  const end = arithmeticExpr('add', start, literalOfType(windows.sizeMs, int64Type));
  const row = { windowStart: new Column(start), windowEnd: new Column(end) };
  return Object.freeze(row) as unknown as JoinWindow;
}

/** The columns with ends of windows, behind those of pairs. */
export function endFieldsOf(near: Near | null, type: JoinType): Field[] {
  const nearness = near?.nearness;
  const windows = near?.windows ?? null;
  if (nearness?.kind !== 'windows' || windows === null || !('ends' in windows)) return [];
  const names = { left: nearness.leftEnd, right: nearness.rightEnd };
  const sides = isOneSided(type) ? (['left'] as const) : (['left', 'right'] as const);
  return sides.map((side) => {
    const { type: endType, nullable } = windows.ends[side];
    return fieldOf(names[side], endType, nullable || becomesNull(type, side));
  });
}

function endRowOf({ ends, sizeMs, offsetMs, isSliding }: JoinEnds, type: JoinType): JoinWindow {
  const [left, right] = (['left', 'right'] as const).map((side): Expr => {
    const end = ends[side];
    return { ...end, nullable: end.nullable || becomesNull(type, side) };
  }) as [Expr, Expr];
  const end = becomesNull(type, 'left')
    ? whenExpr([{ condition: isNullExpr(left), value: right }], left)
    : left;
  const less = (ms: number) => arithmeticExpr('subtract', end, literalOfType(ms, int64Type));
  const start = isSliding ? less(sizeMs) : windowStart(less(1), { sizeMs, offsetMs });
  const row = { windowStart: new Column(start), windowEnd: new Column(end) };
  return Object.freeze(row) as unknown as JoinWindow;
}

const noWindow = new Proxy({} as JoinWindow, {
  get(_, name) {
    if (typeof name === 'symbol') return undefined;
    throw typedError(
      'JOB_ARGUMENT_INVALID',
      `select of join reads "${name}", but rows are in no windows`,
      {
        hint: 'Say which: window: tumbling({ sizeMs: 60_000 }).',
      },
    );
  },
});

type Time = Expr & { readonly kind: 'column' };

function timeOf(node: NodeDraft, side: string, names: readonly string[] | null): Time {
  const { schema } = node.content;
  const column = eventTimeColumn(node);
  const index = column === null ? -1 : fieldIndexOf(schema, column);
  const field = schema.fields[index];
  if (field === undefined) {
    const message = `a join of rows that are near in time needs to know the event time of its ${side} side`;
    throw typedError('PLAN_NO_EVENT_TIME', message, {
      hint: 'Say which field it is, behind the last verb that makes new rows: eventTime((row) => row.at).',
    });
  }
  return columnExpr({ ...field, name: names?.[index] ?? field.name }) as Time;
}

function intervalIn(within: unknown): { readonly beforeMs: number; readonly afterMs: number } {
  if (typeof within !== 'object' || within === null) {
    throw typedError('JOB_ARGUMENT_INVALID', `within of join is ${describe(within)}`, {
      hint: 'Write within: { beforeMs: 5_000, afterMs: 60_000 }.',
    });
  }
  const { beforeMs = 0, afterMs = 0 } = within as JoinInterval;
  wholeMs('beforeMs of join', beforeMs, Number.MIN_SAFE_INTEGER);
  wholeMs('afterMs of join', afterMs, Number.MIN_SAFE_INTEGER);
  if (beforeMs + afterMs >= 0) return { beforeMs, afterMs };
  const message = `within of join ends before it begins: from ${-beforeMs} ms to ${afterMs} ms`;
  throw typedError('JOB_ARGUMENT_INVALID', message, {
    hint: 'The right row is from beforeMs before the left one to afterMs behind it: their sum is 0 or more.',
  });
}

function toleranceIn(asOf: unknown, type: JoinType, hasCondition: boolean): number | null {
  if (type !== 'inner' && type !== 'left') {
    const message = `a ${type} join can't be as of a time: versions are looked up for rows of the left side`;
    throw typedError('JOB_ARGUMENT_INVALID', message, {
      hint: 'Give type: "inner" or "left".',
    });
  }
  if (hasCondition) {
    const message = 'a join as of a time has a condition beside its keys';
    throw typedError('JOB_ARGUMENT_INVALID', message, {
      hint: 'Leave equalities in "on", and put the rest into where: before the join it chooses versions, behind it rows.',
    });
  }
  if (typeof asOf !== 'object' || asOf === null) {
    throw typedError('JOB_ARGUMENT_INVALID', `asOf of join is ${describe(asOf)}`, {
      hint: 'Write asOf: {}, or asOf: { toleranceMs: 60_000 }.',
    });
  }
  const { toleranceMs } = asOf as JoinAsOf;
  if (toleranceMs === undefined) return null;
  wholeMs('toleranceMs of join', toleranceMs, 0);
  return toleranceMs;
}

function windowNearness(window: unknown, left: Time, right: Time, taken: Set<string>): Near {
  const { spec } = (window ?? {}) as Partial<Window<boolean>>;
  if ((spec?.kind === 'sliding' || spec?.kind === 'cumulating') && spec.timeZone === null) {
    return overlappingNearness(spec, left, right, taken);
  }
  if (spec?.kind !== 'tumbling' || spec.timeZone !== null) {
    throw typedError('JOB_ARGUMENT_INVALID', `window of join is ${describe(window)}`, {
      hint: 'Write window: tumbling({ sizeMs: 60_000 }); sliding and cumulating windows are joined as well, by the clock of UTC.',
    });
  }
  const { sizeMs, offsetMs } = spec;
  const startOf = (time: Time) => windowStart(time, { sizeMs, offsetMs });
  return {
    nearness: { kind: 'window', sizeMs },
    key: { left: startOf(left), right: startOf(right) },
    windows: { left, right, sizeMs, offsetMs },
  };
}

/** Of one row there are so many at most. */
const windowsMax = 1000;

function overlappingNearness(
  spec: WindowSpec & { readonly kind: 'sliding' | 'cumulating' },
  left: Time,
  right: Time,
  taken: Set<string>,
): Near {
  const { sizeMs, offsetMs, kind } = spec;
  const count = windowCountOf(spec);
  if (count > windowsMax) {
    const message = `a row would be in ${count} windows of a join, more than ${windowsMax}`;
    throw typedError('JOB_ARGUMENT_INVALID', message, {
      hint: 'Give a longer slide or step: a row is joined in each of its windows.',
    });
  }
  const [leftEnd = '', rightEnd = ''] = [left, right].map(() => freeName('windowEnd', taken));
  const endOf = (name: string, { nullable }: Time) =>
    columnExpr(fieldOf(name, { kind: 'timestamp', unit: 'ms' }, nullable));
  const ends = { left: endOf(leftEnd, left), right: endOf(rightEnd, right) };
  const names = { left: left.name, right: right.name, leftEnd, rightEnd };
  return {
    nearness: { kind: 'windows', ...names, windows: endingWindowsOf(spec) },
    key: null,
    windows: { ends, sizeMs, offsetMs, isSliding: kind === 'sliding' },
  };
}

/** The start of a moment's window, in milliseconds; also before 1970. */
function windowStart(
  time: Expr,
  size: { readonly sizeMs: number; readonly offsetMs: number },
): Expr {
  const isFine = time.type.kind === 'timestamp' && time.type.unit === 'us';
  const units = isFine ? 1000 : 1;
  const whole = (value: number) => literalOfType(value * units, int64Type);
  const offset = ((size.offsetMs % size.sizeMs) + size.sizeMs) % size.sizeMs;
  const shifted = arithmeticExpr('subtract', castExpr(time, int64Type, false), whole(offset));
  const rest = arithmeticExpr('modulo', shifted, whole(size.sizeMs));
  // The rest of a moment before 1970 is negative.
  const raised = arithmeticExpr('add', rest, whole(size.sizeMs));
  const past = arithmeticExpr('modulo', raised, whole(size.sizeMs));
  const start = arithmeticExpr('subtract', time, past);
  return isFine ? castExpr(start, { kind: 'timestamp', unit: 'ms' }, false) : start;
}
