/**
 * Timestamps as ISO 8601 texts: `2026-11-26T10:30:00.000Z` (six digits for microseconds). Years
 * beyond 0 to 9999 have a sign and six digits or more. Dates: engine/schema/date-text.ts.
 */
import { daysOf, daysOfMonth } from '../schema/calendar.ts';
import { isoDateOfDays } from '../schema/date-text.ts';

type Unit = 'ms' | 'us';

const unitsPerDay = { ms: 86_400_000, us: 86_400_000_000 } as const;

/** The day of a timestamp, and its units since midnight. */
export function splitTime(value: bigint, unit: Unit): { days: number; ofDay: number } {
  const perDay = BigInt(unitsPerDay[unit]);
  const rest = ((value % perDay) + perDay) % perDay;
  return { days: Number((value - rest) / perDay), ofDay: Number(rest) };
}

export function joinTime(days: number, ofDay: number, unit: Unit): bigint {
  return BigInt(days) * BigInt(unitsPerDay[unit]) + BigInt(ofDay);
}

export function timestampText(value: bigint, unit: Unit): string {
  const { days, ofDay } = splitTime(value, unit);
  const perSecond = unit === 'ms' ? 1000 : 1_000_000;
  const seconds = Math.floor(ofDay / perSecond);
  const [hour, minute, second] = [
    Math.floor(seconds / 3600),
    Math.floor(seconds / 60) % 60,
    seconds % 60,
  ];
  const fraction = String(ofDay % perSecond).padStart(unit === 'ms' ? 3 : 6, '0');
  return `${isoDateOfDays(days)}T${twoDigits(hour)}:${twoDigits(minute)}:${twoDigits(second)}.${fraction}Z`;
}

const dateForm = /^([+-]\d{6,9}|\d{4})-(\d\d)-(\d\d)/;
const timeForm = /^[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:?\d\d)?$/;

/**
 * The timestamp of a date, alone or with a time: hours and minutes, seconds, up to nine digits of
 * fraction (cut to the unit) and a zone; without one it is UTC. Null for anything else.
 */
export function parseTimestamp(text: string, unit: Unit): bigint | null {
  const date = dateForm.exec(text);
  const days = date === null ? null : daysIn(date);
  if (date === null || days === null) return null;
  if (date[0].length === text.length) return joinTime(days, 0, unit);
  const time = timeForm.exec(text.slice(date[0].length));
  if (time === null) return null;
  const [, hours = '', minutes = '', seconds = '0', fraction = '', zone = 'Z'] = time;
  const isTime = Number(hours) < 24 && Number(minutes) < 60 && Number(seconds) < 60;
  const offset = offsetMinutesOf(zone);
  if (!isTime || offset === null) return null;
  const secondOfDay = (Number(hours) * 60 + Number(minutes) - offset) * 60 + Number(seconds);
  const [perSecond, digits] = unit === 'ms' ? [1000, 3] : [1_000_000, 6];
  const units = Number(fraction.padEnd(digits, '0').slice(0, digits));
  return joinTime(days, secondOfDay * perSecond + units, unit);
}

function daysIn([, year = '', month = '', day = '']: RegExpExecArray): number | null {
  const date = { year: Number(year), month: Number(month), day: Number(day) };
  if (date.month < 1 || date.month > 12 || date.day < 1) return null;
  return date.day <= daysOfMonth(date.year, date.month) ? daysOf(date) : null;
}

function offsetMinutesOf(zone: string): number | null {
  if (zone === 'Z') return 0;
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(-2))];
  if (hours > 23 || minutes > 59) return null;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes);
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}
