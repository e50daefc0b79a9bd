/** Methods of columns of dates and timestamps, in UTC. */
import { typedError } from '../../base/typed-error.ts';
import { castExpr } from '../expr/expr-factory.ts';
import type { DateFunction } from '../expr/function-name.ts';
import type { DateUnit } from '../expr/functions/date.ts';
import { literalAlone } from '../expr/literal.ts';
import { dateType, type FieldType } from '../schema/field-type.ts';
import { callColumn, type Method, wholeArgument } from './call-column.ts';
import { type AnyColumn, Column, type ColumnOf, exprOf, type NullableWith } from './column.ts';
import type { ColumnKind, TimestampKind } from './column-kind.ts';
import type { WholeOperand } from './column-text.ts';

type MomentKind = TimestampKind | 'date';
type Int32<N extends boolean> = Column<'int32', number, N, 'key'>;
type Later<K extends ColumnKind, V, N extends boolean, O> = Column<K, V, NullableWith<N, O>, 'key'>;

/** What a date or timestamp can be cut to; a date not below the day. */
export type TruncateUnit<K> = K extends 'date'
  ? Exclude<DateUnit, 'hour' | 'minute' | 'second'>
  : DateUnit;

/**
 * What columns of dates and timestamps can do, in UTC. Weeks are ISO 8601's: they begin on Monday,
 * and the first of a year is the one with its first Thursday.
 */
export interface DateMethods {
  /**
   * The year.
   *
   * @example `lit('2026-11-26', t.date()).year()` is `2026`
   */
  year<N extends boolean>(this: ColumnOf<MomentKind, unknown, N>): Int32<N>;

  /**
   * The quarter, 1 to 4.
   *
   * @example `lit('2026-11-26', t.date()).quarter()` is `4`
   */
  quarter<N extends boolean>(this: ColumnOf<MomentKind, unknown, N>): Int32<N>;

  /**
   * The month, 1 to 12.
   *
   * @example `lit('2026-11-26', t.date()).month()` is `11`
   */
  month<N extends boolean>(this: ColumnOf<MomentKind, unknown, N>): Int32<N>;

  /**
   * The week of the year, 1 to 53.
   *
   * @example `lit('2026-11-26', t.date()).week()` is `48`
   */
  week<N extends boolean>(this: ColumnOf<MomentKind, unknown, N>): Int32<N>;

  /**
   * The day of the month, 1 to 31.
   *
   * @example `lit('2026-11-26', t.date()).day()` is `26`
   */
  day<N extends boolean>(this: ColumnOf<MomentKind, unknown, N>): Int32<N>;

  /**
   * The day of the week: Monday 1 to Sunday 7.
   *
   * @example `lit('2026-11-26', t.date()).dayOfWeek()` is `4`
   */
  dayOfWeek<N extends boolean>(this: ColumnOf<MomentKind, unknown, N>): Int32<N>;

  /**
   * The day of the year, 1 to 366.
   *
   * @example `lit('2026-11-26', t.date()).dayOfYear()` is `330`
   */
  dayOfYear<N extends boolean>(this: ColumnOf<MomentKind, unknown, N>): Int32<N>;

  /**
   * The hour of the day, 0 to 23.
   *
   * @example `lit(new Date('2026-11-26T10:30:45Z')).hour()` is `10`
   */
  hour<N extends boolean>(this: ColumnOf<TimestampKind, unknown, N>): Int32<N>;

  /**
   * The minute of the hour, 0 to 59.
   *
   * @example `lit(new Date('2026-11-26T10:30:45Z')).minute()` is `30`
   */
  minute<N extends boolean>(this: ColumnOf<TimestampKind, unknown, N>): Int32<N>;

  /**
   * The second of the minute, 0 to 59.
   *
   * @example `lit(new Date('2026-11-26T10:30:45Z')).second()` is `45`
   */
  second<N extends boolean>(this: ColumnOf<TimestampKind, unknown, N>): Int32<N>;

  /**
   * The beginning of the unit that the date or timestamp lies in.
   *
   * @example `lit('2026-11-26', t.date()).truncate('month')` is `'2026-11-01'`
   */
  truncate<K extends MomentKind, V, N extends boolean>(
    this: ColumnOf<K, V, N>,
    unit: TruncateUnit<K>,
  ): Column<K, V, N, 'key'>;

  /**
   * Years later, or earlier if negative; a 29th of February may become a 28th.
   *
   * @example `lit('2024-02-29', t.date()).addYears(1)` is `'2025-02-28'`
   */
  addYears<K extends MomentKind, V, N extends boolean, const O extends WholeOperand>(
    this: ColumnOf<K, V, N>,
    count: O,
  ): Later<K, V, N, O>;

  /**
   * Months later; a day that the month lacks becomes its last.
   *
   * @example `lit('2026-01-31', t.date()).addMonths(1)` is `'2026-02-28'`
   */
  addMonths<K extends MomentKind, V, N extends boolean, const O extends WholeOperand>(
    this: ColumnOf<K, V, N>,
    count: O,
  ): Later<K, V, N, O>;

  /**
   * Days later.
   *
   * @example `lit('2026-11-26', t.date()).addDays(-30)` is `'2026-10-27'`
   */
  addDays<K extends MomentKind, V, N extends boolean, const O extends WholeOperand>(
    this: ColumnOf<K, V, N>,
    count: O,
  ): Later<K, V, N, O>;

  /**
   * Hours later.
   *
   * @example `lit(new Date(0)).addHours(1).epochMs()` is `3_600_000`
   */
  addHours<K extends TimestampKind, V, N extends boolean, const O extends WholeOperand>(
    this: ColumnOf<K, V, N>,
    count: O,
  ): Later<K, V, N, O>;

  /**
   * Minutes later.
   *
   * @example `lit(new Date(0)).addMinutes(90).hour()` is `1`
   */
  addMinutes<K extends TimestampKind, V, N extends boolean, const O extends WholeOperand>(
    this: ColumnOf<K, V, N>,
    count: O,
  ): Later<K, V, N, O>;

  /**
   * Seconds later.
   *
   * @example `lit(new Date(0)).addSeconds(-1).second()` is `59`
   */
  addSeconds<K extends TimestampKind, V, N extends boolean, const O extends WholeOperand>(
    this: ColumnOf<K, V, N>,
    count: O,
  ): Later<K, V, N, O>;

  /**
   * The day of a timestamp.
   *
   * @example `lit(new Date('2026-11-26T10:30:45Z')).toDate()` is `'2026-11-26'`
   */
  toDate<N extends boolean>(
    this: ColumnOf<MomentKind, unknown, N>,
  ): Column<'date', string, N, 'key'>;

  /**
   * A timestamp in milliseconds: of a date its midnight, of microseconds without what is below.
   *
   * @example `lit('1970-01-02', t.date()).toTimestampMs().epochMs()` is `86_400_000`
   */
  toTimestampMs<N extends boolean>(
    this: ColumnOf<MomentKind, unknown, N>,
  ): Column<'timestampMs', number, N, 'key'>;

  /**
   * A timestamp in microseconds.
   *
   * @example `lit(new Date(5)).toTimestampUs().epochUs()` is `5000n`
   */
  toTimestampUs<N extends boolean>(
    this: ColumnOf<MomentKind, unknown, N>,
  ): Column<'timestampUs', bigint, N, 'key'>;

  /**
   * Whole seconds since 1970, an int64 read as a number.
   *
   * @example `lit(new Date(1500)).epochSeconds()` is `1`
   */
  epochSeconds<N extends boolean>(
    this: ColumnOf<TimestampKind, unknown, N>,
  ): Column<'int64', number, N, 'key'>;

  /**
   * Whole milliseconds since 1970, an int64 read as a number.
   *
   * @example `lit(new Date(1500)).epochMs()` is `1500`
   */
  epochMs<N extends boolean>(
    this: ColumnOf<TimestampKind, unknown, N>,
  ): Column<'int64', number, N, 'key'>;

  /**
   * Microseconds since 1970, an int64.
   *
   * @example `lit(new Date(1500)).epochUs()` is `1_500_000n`
   */
  epochUs<N extends boolean>(
    this: ColumnOf<TimestampKind, unknown, N>,
  ): Column<'int64', bigint, N, 'key'>;
}

declare module './column.ts' {
  interface Column<out K extends ColumnKind, out V, out N extends boolean, out Name extends string>
    extends DateMethods {}
}

/** The functions of `DateMethods`. */
export const dateMethods = {
  year: part('year'),
  quarter: part('quarter'),
  month: part('month'),
  week: part('week'),
  day: part('day'),
  dayOfWeek: part('dayOfWeek'),
  dayOfYear: part('dayOfYear'),
  hour: part('hour'),
  minute: part('minute'),
  second: part('second'),
  truncate(unit: unknown) {
    if (typeof unit !== 'string' || !units.includes(unit)) {
      throw typedError('JOB_ARGUMENT_INVALID', `truncate knows no unit ${JSON.stringify(unit)}`, {
        hint: `The units are ${units.join(', ')}.`,
      });
    }
    return callColumn('truncate', this, literalAlone(unit));
  },
  addYears: add('year'),
  addMonths: add('month'),
  addDays: add('day'),
  addHours: add('hour'),
  addMinutes: add('minute'),
  addSeconds: add('second'),
  toDate: cast(dateType),
  toTimestampMs: cast({ kind: 'timestamp', unit: 'ms' }),
  toTimestampUs: cast({ kind: 'timestamp', unit: 'us' }),
  epochSeconds: epoch('second'),
  epochMs: epoch('ms'),
  epochUs: epoch('us'),
} satisfies Record<keyof DateMethods, Method>;

const units = ['year', 'quarter', 'month', 'week', 'day', 'hour', 'minute', 'second'];

function part(name: DateFunction) {
  return function (this: AnyColumn) {
    return callColumn(name, this);
  };
}

function add(unit: DateUnit) {
  return function (this: AnyColumn, count: unknown) {
    return callColumn('addUnits', this, literalAlone(unit), wholeArgument(count));
  };
}

function cast(type: FieldType) {
  return function (this: AnyColumn) {
    return new Column(castExpr(exprOf(this), type, false));
  };
}

function epoch(unit: 'second' | 'ms' | 'us') {
  return function (this: AnyColumn) {
    return callColumn('epoch', this, literalAlone(unit));
  };
}
