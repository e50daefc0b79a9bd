/**
 * Functions on dates and timestamps, in UTC. Weeks are ISO 8601's: they begin on Monday, and a
 * year's first is the one with its first Thursday.
 */

import {
  addMonths,
  civilOf,
  dayOfWeek,
  dayOfYear,
  daysOf,
  weekOfYear,
} from '../../schema/calendar.ts';
import { dateType, type FieldType, int32Type, int64Type } from '../../schema/field-type.ts';
import { joinTime, splitTime } from '../date-text.ts';
import type { Expr } from '../expr.ts';
import type { DateFunction } from '../function-name.ts';
import { overflow, type Value } from '../value.ts';
import {
  type CallExpr,
  type Compute,
  type FunctionRule,
  integer,
  literalIn,
  literalText,
  type Parameter,
} from './function-rule.ts';

const secondsOf = { day: 86_400, hour: 3600, minute: 60, second: 1 } as const;
const monthsOf = { year: 12, quarter: 3, month: 1 } as const;

/** What `truncate` cuts to and `add…` counts in. */
export type DateUnit = keyof typeof secondsOf | keyof typeof monthsOf | 'week';

const dateOrTime: Parameter = {
  needs: 'a date or a timestamp',
  takes: ({ kind }) => kind === 'date' || kind === 'timestamp',
};
const time: Parameter = { needs: 'a timestamp', takes: ({ kind }) => kind === 'timestamp' };

export const dateFunctions: Readonly<Record<DateFunction, FunctionRule>> = {
  /** (date or timestamp, unit, count); a day that a month lacks becomes its last. */
  addUnits: {
    parameters: [dateOrTime, literalText, integer],
    resultType: ([input, unit]) => (isUnitOf(input, unit) ? (input?.type ?? null) : null),
    text: ([input, unit, count]) => `addUnits(${input}, ${JSON.parse(unit ?? '""')}, ${count})`,
    prepare: prepareAdd,
  },
  day: datePart((days) => civilOf(days).day),
  /** Monday 1 to Sunday 7. */
  dayOfWeek: datePart(dayOfWeek),
  /** From 1. */
  dayOfYear: datePart(dayOfYear),
  /** Since 1970, in a unit: (timestamp, second or ms or us). */
  epoch: {
    parameters: [time, literalText],
    resultType: ([, unit]) => (isLiteral(unit, 'us') ? int64Type : { kind: 'int64', js: 'number' }),
    text: ([input, unit]) => `epoch(${input}, ${JSON.parse(unit ?? '""')})`,
    prepare: prepareEpoch,
  },
  hour: timePart((second) => Math.floor(second / 3600)),
  minute: timePart((second) => Math.floor(second / 60) % 60),
  month: datePart((days) => civilOf(days).month),
  quarter: datePart((days) => Math.ceil(civilOf(days).month / 3)),
  second: timePart((second) => second % 60),
  /** The beginning of the unit that a date or timestamp lies in: (date or timestamp, unit). */
  truncate: {
    parameters: [dateOrTime, literalText],
    resultType: ([input, unit]) => (isUnitOf(input, unit) ? (input?.type ?? null) : null),
    text: ([input, unit]) => `truncate(${input}, ${JSON.parse(unit ?? '""')})`,
    prepare: prepareTruncate,
  },
  week: datePart(weekOfYear),
  year: datePart((days) => civilOf(days).year),
};

function datePart(compute: (days: number) => number): FunctionRule {
  return {
    parameters: [dateOrTime],
    resultType: () => int32Type,
    prepare: (call) => {
      const split = splitterOf(inputTypeOf(call));
      return (value: Value) => compute(split(value).days);
    },
  };
}

function timePart(compute: (secondOfDay: number) => number): FunctionRule {
  return {
    parameters: [time],
    resultType: () => int32Type,
    prepare: (call) => {
      const type = inputTypeOf(call);
      const split = splitterOf(type);
      const perSecond = unitsPerSecondOf(type);
      return (value: Value) => compute(Math.floor(split(value).ofDay / perSecond));
    },
  };
}

function inputTypeOf({ args: [input] }: CallExpr): FieldType {
  return input?.type ?? dateType;
}

function unitsPerSecondOf(type: FieldType): number {
  return type.kind === 'timestamp' && type.unit === 'us' ? 1_000_000 : 1000;
}

/** The day, and what is left of it in the type's unit: nothing of a date. */
function splitterOf(type: FieldType): (value: Value) => { days: number; ofDay: number } {
  if (type.kind !== 'timestamp') return (value) => ({ days: value as number, ofDay: 0 });
  return (value) => splitTime(value as bigint, type.unit);
}

/** A value of the type, from day and rest; overflow where it does not fit. */
function joinerOf(type: FieldType): (days: number, ofDay: number) => Value | typeof overflow {
  if (type.kind !== 'timestamp') return (days) => ((days | 0) === days ? days : overflow);
  return (days, ofDay) => {
    const value = joinTime(days, ofDay, type.unit);
    return BigInt.asIntN(64, value) === value ? value : overflow;
  };
}

function prepareAdd(call: CallExpr): Compute {
  const type = inputTypeOf(call);
  const [split, join] = [splitterOf(type), joinerOf(type)];
  const unit = String(literalIn(call, 1)) as DateUnit;
  if (unit in monthsOf) {
    const months = monthsOf[unit as keyof typeof monthsOf];
    return (value: Value, _unit: string, count: number | bigint) => {
      // Beyond a million years there is nothing that fits, and numbers stay exact below.
      if (Math.abs(Number(count)) > 1e10) return overflow;
      const { days, ofDay } = split(value);
      return join(addMonths(days, Number(count) * months), ofDay);
    };
  }
  const seconds = unit === 'week' ? 7 * secondsOf.day : secondsOf[unit as keyof typeof secondsOf];
  if (type.kind !== 'timestamp') {
    const days = seconds / secondsOf.day;
    return (value: number, _unit: string, count: number | bigint) =>
      join(value + Number(count) * days, 0);
  }
  const step = BigInt(seconds * unitsPerSecondOf(type));
  return (value: bigint, _unit: string, count: number | bigint) => {
    const sum = value + BigInt(count) * step;
    return BigInt.asIntN(64, sum) === sum ? sum : overflow;
  };
}

function prepareTruncate(call: CallExpr): Compute {
  const type = inputTypeOf(call);
  const [split, join] = [splitterOf(type), joinerOf(type)];
  const unit = String(literalIn(call, 1)) as DateUnit;
  return (value: Value) => {
    const { days, ofDay } = split(value);
    switch (unit) {
      case 'year':
      case 'quarter':
      case 'month': {
        const { year, month } = civilOf(days);
        const months = monthsOf[unit];
        const first = month - ((month - 1) % months);
        return join(daysOf({ year, month: first, day: 1 }), 0);
      }
      case 'week':
        return join(days - dayOfWeek(days) + 1, 0);
      default: {
        const units = secondsOf[unit] * unitsPerSecondOf(type);
        return join(days, ofDay - (ofDay % units));
      }
    }
  };
}

function prepareEpoch(call: CallExpr): Compute {
  const type = inputTypeOf(call);
  const split = splitterOf(type);
  const perSecond = unitsPerSecondOf(type);
  const wanted = { second: 1, ms: 1000, us: 1_000_000 }[String(literalIn(call, 1))] ?? 1;
  return (value: bigint) => {
    const { days, ofDay } = split(value);
    const units = Math.floor((ofDay * wanted) / perSecond);
    const sum = BigInt(days) * BigInt(wanted * secondsOf.day) + BigInt(units);
    return BigInt.asIntN(64, sum) === sum ? sum : overflow;
  };
}

function isLiteral(arg: Expr | undefined, value: string): boolean {
  return arg?.kind === 'literal' && arg.value === value;
}

/** Dates have no part below a day. */
function isUnitOf(input: Expr | undefined, unit: Expr | undefined): boolean {
  const name = unit?.kind === 'literal' ? String(unit.value) : '';
  const isLong = name in monthsOf || name === 'week' || name === 'day';
  return isLong || (input?.type.kind === 'timestamp' && name in secondsOf);
}
