/** Rules of functions on dates and timestamps. */

import type { DateFunction } from '../../expr/function-name.ts';
import type { FieldType } from '../../schema/field-type.ts';
import type { CodeBuilder, Local } from '../wasm/code-builder.ts';
import {
  type Civil,
  civilOf,
  dayOfWeek,
  dayOfYear,
  daysOf,
  floorDivide,
  floorRest,
} from './calendar-steps.ts';
import { argOf, type CallExpr, type CallRule, constantOf, kept } from './call-rule.ts';
import { add128, constant128, multiply128, widened128 } from './int128.ts';
import { pushAs } from './number-forms.ts';
import { NoRule, type RuleContext } from './rule-context.ts';
import { allValid, failedWhere, formOf, partOf, type Value } from './value.ts';

const secondsOf = { day: 86_400n, hour: 3600n, minute: 60n, second: 1n } as const;
const monthsOf = { year: 12n, quarter: 3n, month: 1n } as const;

export const dateRules: Readonly<Record<DateFunction, CallRule>> = {
  year: datePart((code, days) => civilOf(code, days).year),
  quarter: datePart((code, days) => {
    const { month } = civilOf(code, days);
    return code.get(month).i64(2n).op('i64.add').i64(3n).op('i64.div_u').keep('i64');
  }),
  month: datePart((code, days) => civilOf(code, days).month),
  week: datePart((code, days) => {
    // The week of a day is that of its Thursday.
    const weekday = dayOfWeek(code, days);
    const thursday = code.get(days).get(weekday).op('i64.sub').i64(4n).op('i64.add').keep('i64');
    code.get(dayOfYear(code, thursday)).i64(1n).op('i64.sub').i64(7n).op('i64.div_u');
    return code.i64(1n).op('i64.add').keep('i64');
  }),
  day: datePart((code, days) => civilOf(code, days).day),
  dayOfWeek: datePart(dayOfWeek),
  dayOfYear: datePart(dayOfYear),
  hour: timePart('hour', null),
  minute: timePart('minute', 60n),
  second: timePart('second', 60n),
  epoch: epochRule,
  truncate: truncateRule,
  addUnits: addUnitsRule,
};

/** Units of a type in a second. */
function perSecond(type: FieldType): bigint {
  return type.kind === 'timestamp' && type.unit === 'us' ? 1_000_000n : 1000n;
}

function perDay(type: FieldType): bigint {
  return perSecond(type) * secondsOf.day;
}

/** The days of a date or a timestamp, as an i64. */
function daysIn(code: CodeBuilder, input: Value): Local {
  if (input.type.kind === 'date') return pushAs(code, input, 'i64').keep('i64');
  return floorDivide(code, partOf(input), perDay(input.type));
}

function datePart(compute: (code: CodeBuilder, days: Local) => Local): CallRule {
  return (context, call) => {
    const { code } = context;
    const input = context.value(argOf(call, 0));
    code.get(compute(code, daysIn(code, input))).op('i32.wrap_i64');
    return kept(context, call, { form: 'i32', inputs: [input] });
  };
}

/** Whole units of the day, or of the next larger unit. */
function timePart(unit: 'hour' | 'minute' | 'second', modulus: bigint | null): CallRule {
  return (context, call) => {
    const { code } = context;
    const input = context.value(argOf(call, 0));
    const { type } = input;
    code.get(floorRest(code, partOf(input), perDay(type)));
    code.i64(secondsOf[unit] * perSecond(type)).op('i64.div_u');
    if (modulus !== null) code.i64(modulus).op('i64.rem_u');
    code.op('i32.wrap_i64');
    return kept(context, call, { form: 'i32', inputs: [input] });
  };
}

/** Units since 1970: coarser ones downwards, finer ones only where they fit. */
function epochRule(context: RuleContext, call: CallExpr): Value {
  const { code } = context;
  const input = context.value(argOf(call, 0));
  const own = perSecond(input.type);
  const wanted = { second: 1n, ms: 1000n, us: 1_000_000n }[String(constantOf(call, 1))];
  if (wanted === undefined) throw new NoRule('epoch of an unknown unit');
  if (wanted <= own) {
    code.get(floorDivide(code, partOf(input), own / wanted));
    return kept(context, call, { form: 'i64', inputs: [input] });
  }
  const factor = wanted / own;
  const product = code.get(partOf(input)).i64(factor).op('i64.mul').keep('i64');
  code.get(product).i64(factor).op('i64.div_s').get(partOf(input)).op('i64.ne');
  const { valid } = input;
  const failed = failedWhere(code, [input], valid);
  return { type: call.type, form: 'i64', parts: [product], valid, failed };
}

function truncateRule(context: RuleContext, call: CallExpr): Value {
  const { code } = context;
  const { type } = call;
  const input = context.value(argOf(call, 0));
  const unit = String(constantOf(call, 1));
  const days = daysIn(code, input);
  const first = firstDay(code, unit, days);
  if (type.kind === 'date') {
    const result = first ?? days;
    code.get(result).get(result).op('i64.extend32_s', 'i64.ne');
    const failed = failedWhere(code, [input], input.valid);
    const part = code.get(result).op('i32.wrap_i64').keep('i32');
    return { type, form: 'i32', parts: [part], valid: input.valid, failed };
  }
  const value = partOf(input);
  // What is taken off is never negative: a result above the value has gone round.
  code.get(value);
  if (first === null) {
    const seconds = secondsOf[unit as keyof typeof secondsOf];
    code.get(floorRest(code, value, seconds * perSecond(type))).op('i64.sub');
  } else {
    code.get(floorRest(code, value, perDay(type))).op('i64.sub');
    code.get(days).get(first).op('i64.sub').i64(perDay(type)).op('i64.mul', 'i64.sub');
  }
  const result = code.keep('i64');
  code.get(result).get(value).op('i64.gt_s');
  const failed = failedWhere(code, [input], input.valid);
  return { type, form: 'i64', parts: [result], valid: input.valid, failed };
}

/** The first day of the unit that a day lies in; null for units below a day. */
function firstDay(code: CodeBuilder, unit: string, days: Local): Local | null {
  if (unit === 'week') {
    code.get(days).get(dayOfWeek(code, days)).op('i64.sub').i64(1n).op('i64.add');
    return code.keep('i64');
  }
  if (!isMonths(unit)) return null;
  const { year, month } = civilOf(code, days);
  code.get(month);
  code.get(month).i64(1n).op('i64.sub').i64(monthsOf[unit]).op('i64.rem_u', 'i64.sub');
  const firstMonth = code.keep('i64');
  return daysOf(code, { year, month: firstMonth, day: code.i64(1n).keep('i64') });
}

function isMonths(unit: string): unit is keyof typeof monthsOf {
  return unit in monthsOf;
}

function addUnitsRule(context: RuleContext, call: CallExpr): Value {
  const { code } = context;
  const { type } = call;
  const input = context.value(argOf(call, 0));
  const unit = String(constantOf(call, 1));
  const countValue = context.value(argOf(call, 2));
  const count = pushAs(code, countValue, 'i64').keep('i64');
  const inputs = [input, countValue];
  const valid = allValid(code, inputs);
  const result = isMonths(unit)
    ? addMonths(code, input, { count, months: monthsOf[unit] })
    : addSteps(code, input, { count, step: stepOf(unit, type) });
  const failed = failedWhere(code, inputs, valid);
  const form = formOf(type) as 'i32' | 'i64';
  const part = form === 'i32' ? code.get(result).op('i32.wrap_i64').keep('i32') : result;
  return { type, form, parts: [part], valid, failed };
}

/** A fixed unit in the units of a type. */
function stepOf(unit: string, type: FieldType): bigint {
  const seconds = unit === 'week' ? 7n * secondsOf.day : secondsOf[unit as keyof typeof secondsOf];
  return type.kind === 'timestamp' ? seconds * perSecond(type) : seconds / secondsOf.day;
}

/** Counts beyond this go past every date and timestamp; within it nothing below overflows. */
const countMax = 10_000_000_000n;

/** Answers the sum, and leaves on the stack whether it does not fit. */
function addSteps(
  code: CodeBuilder,
  input: Value,
  { count, step }: { count: Local; step: bigint },
): Local {
  const value = widened128(code, pushAs(code, input, 'i64').keep('i64'));
  // In 128 bits: a product beyond int64 may come back into it by the sum.
  const product = multiply128(code, widened128(code, count), constant128(code, step));
  const { low, high } = add128(code, value, product);
  code.get(low).i64(63n).op('i64.shr_s').get(high).op('i64.ne');
  if (input.type.kind === 'date') pushIsWide(code, low).op('i32.or');
  return low;
}

/** Whether a date's days do not fit 32 bits. */
function pushIsWide(code: CodeBuilder, days: Local): CodeBuilder {
  return code.get(days).get(days).op('i64.extend32_s', 'i64.ne');
}

/** Some months later; a day that the month lacks becomes its last. Leaves whether it does not fit. */
function addMonths(
  code: CodeBuilder,
  input: Value,
  { count, months }: { count: Local; months: bigint },
): Local {
  const { type } = input;
  const isFar = code
    .get(count)
    .i64(countMax)
    .op('i64.add')
    .i64(2n * countMax)
    .op('i64.gt_u')
    .keep('i32');
  const near = code.i64(0n).get(count).get(isFar).op('select').keep('i64');
  const days = daysIn(code, input);
  const later = monthsLater(code, civilOf(code, days), { count: near, months });
  if (type.kind === 'date') {
    pushIsWide(code, later).get(isFar).op('i32.or');
    return later;
  }
  const units = perDay(type);
  code
    .get(later)
    .i64(units)
    .op('i64.mul')
    .get(floorRest(code, partOf(input), units))
    .op('i64.add');
  const sum = code.keep('i64');
  // A sum that went round has other days.
  code
    .get(floorDivide(code, sum, units))
    .get(later)
    .op('i64.ne');
  code.get(isFar).op('i32.or');
  return sum;
}

function monthsLater(
  code: CodeBuilder,
  { year, month, day }: Civil,
  { count, months }: { count: Local; months: bigint },
): Local {
  code.get(year).i64(12n).op('i64.mul').get(month).op('i64.add').i64(1n).op('i64.sub');
  code.get(count).i64(months).op('i64.mul', 'i64.add');
  const index = code.keep('i64');
  const laterYear = floorDivide(code, index, 12n);
  const monthIndex = floorRest(code, index, 12n);
  const laterMonth = code.get(monthIndex).i64(1n).op('i64.add').keep('i64');
  const one = code.i64(1n).keep('i64');
  const first = daysOf(code, { year: laterYear, month: laterMonth, day: one });
  // The next month begins within 31 days: the 32nd day from `first` on lies in it.
  const nextMonth = civilOf(code, code.get(first).i64(31n).op('i64.add').keep('i64'));
  code.get(first).i64(31n).op('i64.add').get(nextMonth.day).op('i64.sub');
  // The last day, as a count of days since 1970: the day before the next month's first.
  const last = code.keep('i64');
  const wanted = code.get(first).get(day).op('i64.add').i64(1n).op('i64.sub').keep('i64');
  code.get(last).get(wanted).get(last).get(wanted).op('i64.lt_s', 'select');
  return code.keep('i64');
}
