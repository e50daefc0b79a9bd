/**
 * The calendar in instructions: dates of day counts and back, in 64 bits, so that any timestamp has
 * its date. All divisors are constants, which V8 turns into multiplications.
 *
 * @see Howard Hinnant, "chrono-compatible low-level date algorithms"
 */
import type { CodeBuilder, Local } from '../wasm/code-builder.ts';

export interface Civil {
  readonly year: Local;
  readonly month: Local;
  readonly day: Local;
}

/** Whole steps of `divisor`, downwards, so that a rest is never negative. */
export function floorDivide(code: CodeBuilder, value: Local, divisor: bigint): Local {
  // A rest below 0 (all bits of its sign are 1) takes one from the quotient.
  code.get(value).i64(divisor).op('i64.div_s');
  code.get(value).i64(divisor).op('i64.rem_s').i64(63n).op('i64.shr_s', 'i64.add');
  return code.keep('i64');
}

/** What is left of whole steps: 0 to `divisor` - 1. */
export function floorRest(code: CodeBuilder, value: Local, divisor: bigint): Local {
  const rest = code.get(value).i64(divisor).op('i64.rem_s').keep('i64');
  code.get(rest).get(rest).i64(63n).op('i64.shr_s').i64(divisor).op('i64.and', 'i64.add');
  return code.keep('i64');
}

/** The date of a count of days since 1970. */
export function civilOf(code: CodeBuilder, days: Local): Civil {
  const divided = (value: Local, divisor: bigint) =>
    code.get(value).i64(divisor).op('i64.div_u').keep('i64');
  // Years begin in March here, so that the leap day is a year's last; 400 of them are an era.
  const shifted = code.get(days).i64(719_468n).op('i64.add').keep('i64');
  const era = floorDivide(code, shifted, 146_097n);
  const dayOfEra = code.get(shifted).get(era).i64(146_097n).op('i64.mul', 'i64.sub').keep('i64');
  code.get(dayOfEra).get(divided(dayOfEra, 1460n)).op('i64.sub');
  code.get(divided(dayOfEra, 36_524n)).op('i64.add');
  code.get(divided(dayOfEra, 146_096n)).op('i64.sub').i64(365n).op('i64.div_u');
  const yearOfEra = code.keep('i64');
  code.get(dayOfEra).get(yearOfEra).i64(365n).op('i64.mul', 'i64.sub');
  code.get(divided(yearOfEra, 4n)).op('i64.sub').get(divided(yearOfEra, 100n)).op('i64.add');
  const dayOfYear = code.keep('i64');
  code.get(dayOfYear).i64(5n).op('i64.mul').i64(2n).op('i64.add').i64(153n).op('i64.div_u');
  const monthFromMarch = code.keep('i64');
  code.get(dayOfYear).get(daysBefore(code, monthFromMarch)).op('i64.sub').i64(1n).op('i64.add');
  const day = code.keep('i64');
  code.get(monthFromMarch).i64(3n).op('i64.add').get(monthFromMarch).i64(9n).op('i64.sub');
  code.get(monthFromMarch).i64(10n).op('i64.lt_s', 'select');
  const month = code.keep('i64');
  code.get(era).i64(400n).op('i64.mul').get(yearOfEra).op('i64.add');
  code.get(month).i64(2n).op('i64.le_s', 'i64.extend_i32_u', 'i64.add');
  return { year: code.keep('i64'), month, day };
}

/** Days since 1970 of a date; `day` may be past the end of the month. */
export function daysOf(code: CodeBuilder, { year, month, day }: Civil): Local {
  const isEarly = code.get(month).i64(2n).op('i64.le_s', 'i64.extend_i32_u').keep('i64');
  const yearFromMarch = code.get(year).get(isEarly).op('i64.sub').keep('i64');
  const era = floorDivide(code, yearFromMarch, 400n);
  const yearOfEra = floorRest(code, yearFromMarch, 400n);
  code.get(month).i64(3n).op('i64.sub').get(isEarly).i64(12n).op('i64.mul', 'i64.add');
  const monthFromMarch = code.keep('i64');
  code.get(era).i64(146_097n).op('i64.mul').i64(719_469n).op('i64.sub');
  code.get(yearOfEra).i64(365n).op('i64.mul', 'i64.add');
  code.get(yearOfEra).i64(4n).op('i64.div_u', 'i64.add');
  code.get(yearOfEra).i64(100n).op('i64.div_u', 'i64.sub');
  code.get(daysBefore(code, monthFromMarch)).op('i64.add').get(day).op('i64.add');
  return code.keep('i64');
}

/** Days of a year that begins in March, before its n-th month. */
function daysBefore(code: CodeBuilder, monthFromMarch: Local): Local {
  code.get(monthFromMarch).i64(153n).op('i64.mul').i64(2n).op('i64.add').i64(5n).op('i64.div_u');
  return code.keep('i64');
}

/** Monday 1 to Sunday 7. */
export function dayOfWeek(code: CodeBuilder, days: Local): Local {
  const fromMonday = floorRest(code, code.get(days).i64(3n).op('i64.add').keep('i64'), 7n);
  return code.get(fromMonday).i64(1n).op('i64.add').keep('i64');
}

/** 1 to 366. */
export function dayOfYear(code: CodeBuilder, days: Local): Local {
  const first = firstOfYear(code, civilOf(code, days).year);
  return code.get(days).get(first).op('i64.sub').i64(1n).op('i64.add').keep('i64');
}

function firstOfYear(code: CodeBuilder, year: Local): Local {
  const one = code.i64(1n).keep('i64');
  return daysOf(code, { year, month: one, day: one });
}
