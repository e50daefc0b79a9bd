/** Goal: days and ISO dates are each other's inverse, also where JavaScript's `Date` ends. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { daysOfIsoDate, daysOfMidnight, isoDateOfDays } from '../../../engine/schema/date-text.ts';

const dayMs = 86_400_000;

test.each`
  text                | days
  ${'1970-01-01'}     | ${0}
  ${'1969-12-31'}     | ${-1}
  ${'2026-11-26'}     | ${20_783}
  ${'2000-02-29'}     | ${11_016}
  ${'0000-01-01'}     | ${-719_528}
  ${'-000001-12-31'}  | ${-719_529}
  ${'+010000-01-01'}  | ${2_932_897}
  ${'+5881580-07-11'} | ${2 ** 31 - 1}
  ${'-5877641-06-23'} | ${-(2 ** 31)}
`('$text is day $days', ({ text, days }) => {
  expect(daysOfIsoDate(text)).toBe(days);
  expect(isoDateOfDays(days)).toBe(text);
});

test.each([
  ...['2026-02-29', '1900-02-29', '2026-13-01', '2026-00-10', '2026-01-00', '2026-04-31'],
  ...['2026-1-1', '2026-11-26T00:00', ' 2026-11-26', '26-11-26', '', '-000000-01-01'],
  ...['+5881580-07-12', '-5877641-06-22', '+9999999-01-01'],
])('"%s" is no date', (text) => {
  expect(daysOfIsoDate(text)).toBeNull();
});

test('every day has a text that reads as the day, and as in JavaScript where that has one', () => {
  fc.assert(
    fc.property(fc.integer(), (days) => {
      const text = isoDateOfDays(days);
      expect(daysOfIsoDate(text)).toBe(days);
      if (Math.abs(days) <= 100_000_000) {
        expect(text).toBe(new Date(days * dayMs).toISOString().slice(0, -14));
      }
    }),
  );
});

test('only midnight UTC is a day', () => {
  expect(daysOfMidnight(new Date('2026-11-26'))).toBe(20_783);
  expect(daysOfMidnight(new Date('1969-12-31T00:00:00Z'))).toBe(-1);
  expect(daysOfMidnight(new Date(-0))).toBe(0);
  expect(daysOfMidnight(new Date('2026-11-26T00:00:00.001Z'))).toBeNull();
  expect(daysOfMidnight(new Date('no date'))).toBeNull();
});
