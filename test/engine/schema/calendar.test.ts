/** Goal: the calendar agrees with Date where that reaches, and goes on beyond. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  addMonths,
  civilOf,
  dayOfWeek,
  dayOfYear,
  daysOf,
  daysOfMonth,
  weekOfYear,
} from '../../../engine/schema/calendar.ts';

const daysWithin = (limit: number) => fc.integer({ min: -limit, max: limit });

test('dates and days are two forms of the same', () => {
  fc.assert(
    fc.property(daysWithin(99_000_000), (days) => {
      const date = new Date(days * 86_400_000);
      const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()];
      expect(civilOf(days)).toEqual({ year, month, day });
      expect(daysOf({ year, month, day })).toBe(days);
      expect(dayOfWeek(days)).toBe(date.getUTCDay() || 7);
      expect(dayOfYear(days)).toBe(days - Date.UTC(2000, 0, 1) / 86_400_000 - yearStart(year) + 1);
    }),
  );
});

/** Days from 2000 to the year; its own way, with a Date that may have any year. */
function yearStart(year: number): number {
  const start = new Date(Date.UTC(2000, 0, 1));
  start.setUTCFullYear(year);
  return (start.getTime() - Date.UTC(2000, 0, 1)) / 86_400_000;
}

test('days of any timestamp have a date', () => {
  fc.assert(
    fc.property(daysWithin(106_751_991_167), (days) => {
      expect(daysOf(civilOf(days))).toBe(days);
    }),
  );
});

test.each`
  date                                  | week
  ${{ year: 2026, month: 1, day: 1 }}   | ${1}
  ${{ year: 2027, month: 1, day: 1 }}   | ${53}
  ${{ year: 2024, month: 12, day: 29 }} | ${52}
  ${{ year: 2024, month: 12, day: 30 }} | ${1}
  ${{ year: 2016, month: 1, day: 3 }}   | ${53}
  ${{ year: 2016, month: 1, day: 4 }}   | ${1}
`('$date is in week $week', ({ date, week }) => {
  expect(weekOfYear(daysOf(date))).toBe(week);
});

test('months later is the same day, or the last one', () => {
  fc.assert(
    fc.property(daysWithin(1_000_000), fc.integer({ min: -5000, max: 5000 }), (days, months) => {
      const [from, to] = [civilOf(days), civilOf(addMonths(days, months))];
      expect(to.year * 12 + to.month).toBe(from.year * 12 + from.month + months);
      expect(to.day).toBe(Math.min(from.day, daysOfMonth(to.year, to.month)));
    }),
  );
});
