/** Goal: choices have one type, which numbers take from the columns beside them. */
import { type Column, coalesce, concat, greatest, least, lit, t, when } from 'millrace';
import { expect, expectTypeOf, test } from 'vitest';
import { Column as ColumnClass } from '../../../engine/api/column.ts';
import { exprText } from '../../../engine/expr/expr-text.ts';
import { typeText } from '../../../engine/schema/field-type.ts';
import { errorOf } from '../../support/expressions.ts';

const count = lit(7, t.int32());
const maybe = lit(null, t.int32());
const big = lit(7n);
const safe = lit(7, t.int64({ js: 'number' }));
const name = lit('ada');
const isMany = count.gt(5);

function shown(column: unknown): string {
  const expr = ColumnClass.exprIn(column);
  if (expr === null) return 'no column';
  return `${exprText(expr)}: ${typeText(expr.type)}${expr.nullable ? '?' : ''}`;
}

test('when has the type of its values', () => {
  const texts = when(isMany, 'many').when(count.gt(1), 'some').otherwise('few');
  expect(shown(texts)).toBe(
    'case when 7 > 5 then "many" when 7 > 1 then "some" else "few" end: utf8',
  );
  expectTypeOf(texts).toExtend<Column<'utf8', string, false>>();
  const orNull = when(isMany, name).otherwise(null);
  expect(shown(orNull)).toBe('case when 7 > 5 then "ada" else null end: utf8?');
  expectTypeOf(orNull).toExtend<Column<'utf8', string, true>>();
});

test('numbers take the type of the columns, or are float64 and int64 alone', () => {
  const ints = when(isMany, 0).otherwise(count);
  expect(shown(ints)).toContain(': int32');
  expectTypeOf(ints).toExtend<Column<'int32', number, false>>();
  const bigs = when(isMany, count).when(isMany, 1).otherwise(big);
  expect(shown(bigs)).toContain(': int64');
  expectTypeOf(bigs).toExtend<Column<'int64', bigint, false>>();
  const safes = when(isMany, count).otherwise(safe);
  expectTypeOf(safes).toExtend<Column<'int64', number, false>>();
  const floats = when(isMany, 1).otherwise(2);
  expect(shown(floats)).toContain(': float64');
  expectTypeOf(floats).toExtend<Column<'float64', number, false>>();
  const bigints = when(isMany, 1n).otherwise(2n);
  expect(shown(bigints)).toContain(': int64');
  expectTypeOf(bigints).toExtend<Column<'int64', bigint, false>>();
  expect(shown(when(isMany, 1.5).otherwise(count.div(2)))).toContain(': float64');
});

test('coalesce, least and greatest are null only where all are', () => {
  const filled = coalesce(maybe, 0);
  expect(shown(filled)).toBe('coalesce(null, 0): int32');
  expectTypeOf(filled).toExtend<Column<'int32', number, false>>();
  const open = coalesce(maybe, null);
  expect(shown(open)).toBe('coalesce(null, null): int32?');
  expectTypeOf(open).toExtend<Column<'int32', number, true>>();
  expectTypeOf(least(maybe, big)).toExtend<Column<'int64', bigint, false>>();
  expect(shown(greatest(count, big, 9))).toBe('greatest(7, 7, 9): int64');
  expectTypeOf(greatest(lit(1), maybe)).toExtend<Column<'float64', number, false>>();
});

test('concat is null where one is', () => {
  const note = lit(null, t.utf8());
  expect(shown(concat('a', name, note))).toBe('concat("a", "ada", null): utf8?');
  expectTypeOf(concat('a', name, note)).toExtend<Column<'utf8', string, true>>();
  expectTypeOf(concat('a', name)).toExtend<Column<'utf8', string, false>>();
});

test('literals have the type that is meant', () => {
  expectTypeOf(lit('2026-01-01', t.date())).toExtend<Column<'date', string, false>>();
  expectTypeOf(lit(null, t.int64())).toExtend<Column<'int64', bigint, true>>();
  expectTypeOf(lit(new Date(0))).toExtend<Column<'timestampMs', number, false>>();
  expectTypeOf(lit(true)).toExtend<Column<'bool', boolean, false>>();
  expect(shown(lit('12.5', t.decimal(6, 2)))).toBe('12.50: decimal(6,2)');
  expect(shown(lit(0, t.decimal(6, 2)))).toBe('0.00: decimal(6,2)');
  expect(shown(lit(0.1, t.float32()))).toBe('0.10000000149011612: float32');
  expect(shown(lit(new Uint8Array([1, 255])))).toBe("x'01ff': binary");
  expect(shown(lit(255, t.uint8()))).toBe('255: uint8');
  expect(errorOf(() => lit(256, t.uint8()))).toBe('EXPR_TYPE_MISMATCH: 256 is no uint8');
  expect(errorOf(() => lit('1.234', t.decimal(6, 2)))).toBe(
    'EXPR_TYPE_MISMATCH: "1.234" is no decimal(6,2)',
  );
});

test('what has no common type is refused by the compiler and at run time', () => {
  const refusals: [() => unknown, string][] = [
    // @ts-expect-error a text and a number
    [() => when(isMany, 'a').otherwise(1), 'when does not take "a" (utf8) and 1 (float64)'],
    [
      // @ts-expect-error a number and a text
      () => when(isMany, count).otherwise(name),
      'when does not take 7 (int32) and "ada" (utf8)',
    ],
    // @ts-expect-error a condition is a bool
    [() => when(count, 1).otherwise(2), 'when needs a condition, 7 is int32'],
    // @ts-expect-error no condition at all
    [() => when(true, 1).otherwise(2), 'when needs a condition'],
    // @ts-expect-error a text and a number
    [() => coalesce(name, 1), `1 can't stand beside a value of type utf8`],
    // @ts-expect-error a number and a text
    [() => least(count, name), 'least does not take 7 (int32) and "ada" (utf8)'],
    // @ts-expect-error concat takes texts
    [() => concat(name, count), 'concat takes a text, 7 is int32'],
    // @ts-expect-error no type
    [() => coalesce(null), 'coalesce has no value whose type is known'],
    [() => coalesce(count, {} as never), 'coalesce was given an object'],
    [() => coalesce(count, 0.5), `0.5 can't be calculated with a value of type int32`],
  ];
  for (const [run, message] of refusals) {
    expect(errorOf(run), message).toContain(`EXPR_TYPE_MISMATCH: ${message}`);
  }
});
