/** Goal: the calendar in instructions is that of the reference, at every border of years and eras. */
import { test } from 'vitest';
import type { Expr } from '../../../../engine/expr/expr.ts';
import { callExpr, columnExpr } from '../../../../engine/expr/expr-factory.ts';
import { typedLiteral } from '../../../../engine/expr/literal.ts';
import {
  dateType,
  type FieldType,
  int64Type,
  utf8Type,
} from '../../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../../engine/schema/schema.ts';
import { expectSame } from '../../../support/compiled-exprs.ts';

const text = (value: string) => typedLiteral(value, utf8Type);
const parts = ['year', 'quarter', 'month', 'week', 'day', 'dayOfWeek', 'dayOfYear'] as const;
const daysUnits = ['year', 'quarter', 'month', 'week', 'day'];
const timeUnits = [...daysUnits, 'hour', 'minute', 'second'];

/** Days around the ends of months, leap years, centuries and eras, from year -801 to 2801. */
function borderDays(): number[] {
  const days = new Set<number>([0, -1, 1]);
  for (let year = -801; year <= 2801; year += year % 100 > 4 ? 23 : 1) {
    for (const [month, day] of [
      [0, 1],
      [1, 28],
      [1, 29],
      [2, 1],
      [11, 31],
    ] as const) {
      const date = new Date(0);
      date.setUTCFullYear(year, month, day);
      for (const shift of [-1, 0, 1]) days.add(Math.floor(date.getTime() / 86_400_000) + shift);
    }
  }
  return [...days];
}

/** Batches hold 8,192 rows. */
function inBatches(values: readonly unknown[], check: (rows: unknown[][]) => void): void {
  for (let from = 0; from < values.length; from += 8000) {
    check(values.slice(from, from + 8000).map((value) => [value]));
  }
}

test('parts and truncations of dates', () => {
  const schema = schemaOf(fieldOf('d', dateType));
  const d = columnExpr(fieldOf('d', dateType));
  const exprs = [
    ...parts.map((part) => callExpr(part, d)),
    ...daysUnits.map((unit) => callExpr('truncate', d, text(unit))),
  ];
  const days = borderDays().map((day) => new Date(day * 86_400_000));
  inBatches(days, (rows) => expectSame(exprs, schema, rows));
});

test.each([
  ['ms', 1n],
  ['us', 1000n],
] as const)('parts, truncations and epochs of timestamps in %s', (unit, perMs) => {
  const type: FieldType = { kind: 'timestamp', unit };
  const schema = schemaOf(fieldOf('t', type));
  const t = columnExpr(fieldOf('t', type));
  const exprs = [
    ...parts.map((part) => callExpr(part, t)),
    ...(['hour', 'minute', 'second'] as const).map((part) => callExpr(part, t)),
    ...timeUnits.map((one) => callExpr('truncate', t, text(one))),
    ...['second', 'ms'].map((one) => callExpr('epoch', t, text(one))),
  ];
  const perDay = 86_400_000n * perMs;
  const someDays = borderDays().filter((_, index) => index % 7 === 0);
  const values = someDays.flatMap((day) => [
    BigInt(day) * perDay,
    BigInt(day) * perDay - 1n,
    BigInt(day) * perDay + 3_661_001n * perMs,
  ]);
  inBatches(values, (rows) => expectSame(exprs, schema, rows));
});

const extremes = [-(2n ** 63n), -(2n ** 63n) + 1n, 2n ** 63n - 1n, 2n ** 62n, -(2n ** 62n)];

test.each(['ms', 'us'] as const)('timestamps in %s at their extremes, one by one', (unit) => {
  const type: FieldType = { kind: 'timestamp', unit };
  const schema = schemaOf(fieldOf('t', type));
  const t = columnExpr(fieldOf('t', type));
  const exprs = [
    ...parts.map((part) => callExpr(part, t)),
    ...timeUnits.map((one) => callExpr('truncate', t, text(one))),
    callExpr('epoch', t, text('us')),
  ];
  for (const expr of exprs) for (const value of extremes) expectSame([expr], schema, [[value]]);
});

test('units are added exactly, or there is an error', () => {
  const counts = [0n, 1n, -1n, 13n, 10n ** 10n, 10n ** 10n + 1n, -(10n ** 10n), ...extremes];
  for (const type of [
    dateType,
    { kind: 'timestamp', unit: 'ms' },
    { kind: 'timestamp', unit: 'us' },
  ] as const) {
    const fields = [fieldOf('t', type), fieldOf('n', int64Type)];
    const [t, n] = fields.map(columnExpr) as [Expr, Expr];
    const starts =
      type.kind === 'date'
        ? [0, 30, 59, -719_529, 100_000_000].map((day) => dateOf(day))
        : [0n, 86_400_000n * 30n, 951_782_400_000n, ...extremes];
    const units = type.kind === 'date' ? daysUnits : timeUnits;
    for (const unit of units) {
      const expr = callExpr('addUnits', t, text(unit), n);
      for (const start of starts) {
        for (const count of counts) expectSame([expr], schemaOf(...fields), [[start, count]]);
      }
    }
  }
});

/** A date as columns take it. */
function dateOf(day: number): Date {
  return new Date(day * 86_400_000);
}
