/** Goal: parts, units and beginnings of dates and timestamps are the calendar's, before 1970 as well. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseTimestamp, timestampText } from '../../../../engine/expr/date-text.ts';
import type { FunctionName } from '../../../../engine/expr/function-name.ts';
import { daysOfIsoDate } from '../../../../engine/schema/date-text.ts';
import { dateType, type FieldType } from '../../../../engine/schema/field-type.ts';
import { callOn, errorOf } from '../../../support/expressions.ts';

const ms: FieldType = { kind: 'timestamp', unit: 'ms' };
const us: FieldType = { kind: 'timestamp', unit: 'us' };
const at = (text: string, unit: 'ms' | 'us' = 'ms') => parseTimestamp(text, unit) ?? 0n;
const shown = (value: unknown, unit: 'ms' | 'us') =>
  typeof value === 'bigint' ? timestampText(value, unit) : value;

test.each<[string, Partial<Record<FunctionName, number>>]>([
  [
    '2026-11-26T10:30:45.999',
    {
      ...{ year: 2026, quarter: 4, month: 11, day: 26, hour: 10, minute: 30, second: 45 },
      ...{ dayOfWeek: 4, dayOfYear: 330, week: 48 },
    },
  ],
  ['1969-12-31T23:59:59.999', { year: 1969, day: 31, hour: 23, second: 59, dayOfWeek: 3, week: 1 }],
  ['2024-02-29', { month: 2, day: 29, dayOfYear: 60, quarter: 1, hour: 0 }],
  ['2021-01-03', { dayOfWeek: 7, week: 53, dayOfYear: 3 }],
  ['2024-12-30', { dayOfWeek: 1, week: 1 }],
  ['-000001-12-31', { year: -1, month: 12 }],
])('the parts of %s', (text, parts) => {
  for (const [name, part] of Object.entries(parts)) {
    expect(callOn(name as FunctionName, [ms, at(text)]), name).toBe(part);
    expect(callOn(name as FunctionName, [us, at(text, 'us') + 1n]), name).toBe(part);
  }
  const day = [dateType, daysOfIsoDate(text.slice(0, text.lastIndexOf('-') + 3))] as const;
  expect(callOn('day', day)).toBe(callOn('day', [ms, at(text)]));
});

test('parts are those of Date, wherever that reaches', () => {
  fc.assert(
    fc.property(fc.date({ noInvalidDate: true }), (date) => {
      const value = BigInt(date.getTime());
      const parts = (['year', 'month', 'day', 'hour', 'minute', 'second'] as const).map((name) =>
        callOn(name, [ms, value]),
      );
      expect(parts).toEqual([
        ...[date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()],
        ...[date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()],
      ]);
      expect(callOn('dayOfWeek', [ms, value])).toBe(date.getUTCDay() || 7);
    }),
  );
});

test.each`
  unit         | begin
  ${'year'}    | ${'2026-01-01T00:00:00.000Z'}
  ${'quarter'} | ${'2026-10-01T00:00:00.000Z'}
  ${'month'}   | ${'2026-11-01T00:00:00.000Z'}
  ${'week'}    | ${'2026-11-23T00:00:00.000Z'}
  ${'day'}     | ${'2026-11-26T00:00:00.000Z'}
  ${'hour'}    | ${'2026-11-26T10:00:00.000Z'}
  ${'minute'}  | ${'2026-11-26T10:30:00.000Z'}
  ${'second'}  | ${'2026-11-26T10:30:45.000Z'}
`('the $unit of 2026-11-26T10:30:45.678 begins at $begin', ({ unit, begin }) => {
  expect(shown(callOn('truncate', [ms, at('2026-11-26T10:30:45.678')], unit), 'ms')).toBe(begin);
  const exact = at('2026-11-26T10:30:45.678901', 'us');
  expect(callOn('truncate', [us, exact], unit)).toBe(at(begin, 'us'));
});

test('beginnings lie before, also before 1970 and for dates', () => {
  expect(shown(callOn('truncate', [ms, -1n], 'hour'), 'ms')).toBe('1969-12-31T23:00:00.000Z');
  expect(callOn('truncate', [dateType, -1], 'week')).toBe(daysOfIsoDate('1969-12-29'));
  expect(callOn('truncate', [dateType, -(2 ** 31)], 'year')).toBe('EXPR_OVERFLOW');
  expect(callOn('truncate', [ms, -(2n ** 63n)], 'day')).toBe('EXPR_OVERFLOW');
});

test.each`
  text            | unit         | count  | sum
  ${'2024-01-31'} | ${'month'}   | ${1}   | ${'2024-02-29T00:00:00.000Z'}
  ${'2023-01-31'} | ${'month'}   | ${1}   | ${'2023-02-28T00:00:00.000Z'}
  ${'2024-02-29'} | ${'year'}    | ${-1}  | ${'2023-02-28T00:00:00.000Z'}
  ${'2024-01-31'} | ${'month'}   | ${-14} | ${'2022-11-30T00:00:00.000Z'}
  ${'2024-01-31'} | ${'quarter'} | ${1}   | ${'2024-04-30T00:00:00.000Z'}
  ${'2024-02-28'} | ${'day'}     | ${2}   | ${'2024-03-01T00:00:00.000Z'}
  ${'2024-02-28'} | ${'week'}    | ${1}   | ${'2024-03-06T00:00:00.000Z'}
  ${'1970-01-01'} | ${'hour'}    | ${-1}  | ${'1969-12-31T23:00:00.000Z'}
  ${'1970-01-01'} | ${'minute'}  | ${90}  | ${'1970-01-01T01:30:00.000Z'}
  ${'1970-01-01'} | ${'second'}  | ${-1}  | ${'1969-12-31T23:59:59.000Z'}
  ${'1970-01-01'} | ${'year'}    | ${1e9} | ${'EXPR_OVERFLOW'}
`('$text and $count × $unit is $sum', ({ text, unit, count, sum }) => {
  expect(shown(callOn('addUnits', [ms, at(text)], unit, count), 'ms')).toBe(sum);
});

test('dates count in whole days, and their sums may not fit', () => {
  const day = daysOfIsoDate('2024-01-31');
  expect(callOn('addUnits', [dateType, day], 'month', 1)).toBe(daysOfIsoDate('2024-02-29'));
  expect(callOn('addUnits', [dateType, day], 'week', -1)).toBe(daysOfIsoDate('2024-01-24'));
  expect(callOn('addUnits', [dateType, 2 ** 31 - 1], 'day', 1)).toBe('EXPR_OVERFLOW');
  expect(callOn('addUnits', [ms, 2n ** 63n - 1n], 'second', 1)).toBe('EXPR_OVERFLOW');
  expect(errorOf(() => callOn('addUnits', [dateType, day], 'hour', 1))).toContain(
    'EXPR_TYPE_MISMATCH: addUnits does not take "c0" (date)',
  );
  expect(errorOf(() => callOn('truncate', [ms, 0n], 'fortnight'))).toContain('EXPR_TYPE_MISMATCH');
});

test('a timestamp counts since 1970 in any unit, downwards', () => {
  expect(callOn('epoch', [ms, 1500n], 'second')).toBe(1n);
  expect(callOn('epoch', [ms, -1500n], 'second')).toBe(-2n);
  expect(callOn('epoch', [us, -1n], 'ms')).toBe(-1n);
  expect(callOn('epoch', [ms, -1500n], 'us')).toBe(-1_500_000n);
  expect(callOn('epoch', [ms, 2n ** 62n], 'us')).toBe('EXPR_OVERFLOW');
  expect(callOn('epoch', [ms, null], 'us')).toBe(null);
});
