/**
 * Dates as ISO 8601 texts and as days since 1970-01-01, by the calendar that is used today, also for
 * the time before it (proleptic Gregorian, as in SQL and Arrow).
 *
 *     2026-11-26   20783        years 0 to 9999 have four digits; before and after, a sign and at
 *     -000001-01-01             least six, as in JavaScript's `Date`
 *
 * An int32 of days reaches further than `Date` does (5.9 million years), hence calendar.ts.
 */
import { civilOf, daysOf } from './calendar.ts';

const isoDate = /^(\d{4}|[+-]\d{6,7})-(\d\d)-(\d\d)$/;
const int32Max = 2 ** 31 - 1;
const dayMs = 86_400_000;

/** Days of an ISO date; null when the text is none, the day does not exist, or is out of range. */
export function daysOfIsoDate(text: string): number | null {
  const match = isoDate.exec(text);
  if (match === null) return null;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  // "-000000" would be a second text of year 0.
  if (Object.is(year, -0) || month < 1 || month > 12 || day < 1) return null;
  const days = daysOf({ year, month, day });
  return isoDateOfDays(days).endsWith(text.slice(-5)) && fitsInt32(days) ? days : null;
}

/** Days of a moment at midnight UTC; null when it is another time of day, or no moment. */
export function daysOfMidnight(moment: Date): number | null {
  const days = moment.getTime() / dayMs;
  // -0 for 0 would be no other day.
  return Number.isInteger(days) ? days + 0 : null;
}

/** The ISO text of a day, given as an int32. */
export function isoDateOfDays(days: number): string {
  const { year, month, day } = civilOf(days);
  return `${yearText(year)}-${twoDigits(month)}-${twoDigits(day)}`;
}

function fitsInt32(days: number): boolean {
  return days >= -int32Max - 1 && days <= int32Max;
}

function yearText(year: number): string {
  if (year >= 0 && year <= 9999) return String(year).padStart(4, '0');
  return `${year < 0 ? '-' : '+'}${String(Math.abs(year)).padStart(6, '0')}`;
}

function twoDigits(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}
