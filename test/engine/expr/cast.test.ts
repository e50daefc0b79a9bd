/** Goal: a cast gives the same value in another type, or nothing; texts are read as they are written. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { castOf } from '../../../engine/expr/cast.ts';
import { evaluatorOf } from '../../../engine/expr/evaluator.ts';
import { castExpr } from '../../../engine/expr/expr-factory.ts';
import { Failure } from '../../../engine/expr/failure.ts';
import type { Value } from '../../../engine/expr/value.ts';
import {
  binaryType,
  boolType,
  dateType,
  type FieldType,
  float32Type,
  float64Type,
  int8Type,
  int16Type,
  int32Type,
  int64Type,
  uint8Type,
  uint32Type,
  utf8Type,
} from '../../../engine/schema/field-type.ts';
import { fieldOf } from '../../../engine/schema/schema.ts';
import { column, valueOfExpr } from '../../support/expressions.ts';

const decimal = (precision: number, scale: number): FieldType => ({
  kind: 'decimal',
  precision,
  scale,
});
const ms: FieldType = { kind: 'timestamp', unit: 'ms' };
const us: FieldType = { kind: 'timestamp', unit: 'us' };
const bytes = (...values: number[]) => Uint8Array.from(values);
const listOf = (type: FieldType, nullable = false): FieldType => ({
  kind: 'list',
  item: { type, nullable },
});
const list = listOf(int32Type);
const pair: FieldType = {
  kind: 'struct',
  fields: [fieldOf('a', int32Type), fieldOf('b', utf8Type, true)],
};
const otherPair: FieldType = {
  kind: 'struct',
  fields: [fieldOf('first', int64Type), fieldOf('second', dateType, true)],
};

test.each<[FieldType, Value, FieldType, Value | undefined]>([
  [int32Type, 127, int8Type, 127],
  [int32Type, 128, int8Type, undefined],
  [int32Type, -1, uint8Type, undefined],
  [int64Type, 2n ** 32n - 1n, uint32Type, 2 ** 32 - 1],
  [int64Type, 2n ** 31n, int32Type, undefined],
  [int32Type, -5, int64Type, -5n],
  [int64Type, 2n ** 53n + 1n, float64Type, 2 ** 53],
  [float64Type, 2.9, int32Type, 2],
  [float64Type, -2.9, int64Type, -2n],
  [float64Type, -0.5, int16Type, 0],
  [float64Type, Number.NaN, int32Type, undefined],
  [float64Type, 1 / 0, int64Type, undefined],
  [float64Type, 2 ** 63, int64Type, undefined],
  [float64Type, -(2 ** 63), int64Type, -(2n ** 63n)],
  [float64Type, 0.1, float32Type, Math.fround(0.1)],
  [float64Type, 1e300, float32Type, 1 / 0],
  [float64Type, 0.125, decimal(4, 2), 13n],
  [float64Type, 1.005, decimal(4, 2), 100n],
  [float64Type, -0.125, decimal(4, 2), -13n],
  [float64Type, 1e20, decimal(4, 2), undefined],
  [float64Type, Number.NaN, decimal(4, 2), undefined],
  [float64Type, 5e-324, decimal(4, 2), 0n],
  [int32Type, 12, decimal(4, 2), 1200n],
  [int32Type, 123, decimal(4, 2), undefined],
  [decimal(4, 2), 1299n, int32Type, 12],
  [decimal(4, 2), -1299n, int64Type, -12n],
  [decimal(38, 0), 10n ** 30n, int64Type, undefined],
  [decimal(4, 2), 1255n, decimal(4, 1), 126n],
  [decimal(4, 2), 1255n, decimal(4, 3), undefined],
  [decimal(4, 2), 1250n, float64Type, 12.5],
  [boolType, true, int32Type, 1],
  [boolType, false, int64Type, 0n],
  [boolType, true, float32Type, 1],
  [boolType, false, decimal(4, 2), 0n],
  [boolType, true, decimal(4, 2), 100n],
  [boolType, true, decimal(2, 2), undefined],
  [int64Type, 1n, boolType, true],
  [float64Type, -0, boolType, false],
  [float64Type, 0.5, boolType, undefined],
  [decimal(4, 2), 100n, boolType, true],
  [decimal(4, 2), 1n, boolType, undefined],
  [int32Type, 2, boolType, undefined],
  [dateType, -1, ms, -86_400_000n],
  [dateType, 2 ** 31 - 1, us, undefined],
  [ms, -1n, dateType, -1],
  [ms, 2n ** 62n, dateType, undefined],
  [us, -1n, ms, -1n],
  [ms, 5n, us, 5000n],
  [ms, 2n ** 62n, us, undefined],
  [us, 7n, int64Type, 7n],
  [int64Type, 7n, us, 7n],
  [dateType, 7, int32Type, 7],
  [int32Type, 7, dateType, 7],
  [int32Type, -7, utf8Type, '-7'],
  [float64Type, 1e21, utf8Type, '1e+21'],
  [float64Type, -0, utf8Type, '-0'],
  [float64Type, -1 / 0, utf8Type, '-Infinity'],
  [boolType, true, utf8Type, 'true'],
  [decimal(4, 2), -5n, utf8Type, '-0.05'],
  [decimal(4, 0), 12n, utf8Type, '12'],
  [dateType, 20_783, utf8Type, '2026-11-26'],
  [ms, -1n, utf8Type, '1969-12-31T23:59:59.999Z'],
  [us, 1n, utf8Type, '1970-01-01T00:00:00.000001Z'],
  [binaryType, bytes(0xc3, 0xa9), utf8Type, 'é'],
  [binaryType, bytes(0xff), utf8Type, undefined],
  [utf8Type, 'é', binaryType, bytes(0xc3, 0xa9)],
  [utf8Type, 'x', utf8Type, 'x'],
  [list, [1, -2], list, [1, -2]],
  [list, [1, -2], listOf(utf8Type), ['1', '-2']],
  [list, [1, -2], listOf(decimal(4, 2), true), ['1.00', '-2.00']],
  [listOf(decimal(4, 2)), ['1.50'], listOf(utf8Type), ['1.50']],
  [list, [1, 128], listOf(int8Type), undefined],
  [listOf(int32Type, true), [1, null], listOf(int64Type, true), [1n, null]],
  [listOf(int32Type, true), [1, null], list, undefined],
  [listOf(list), [[1], []], listOf(listOf(int64Type)), [[1n], []]],
  [pair, { a: 1, b: null }, otherPair, { first: 1n, second: null }],
  [pair, { a: 1, b: 'x' }, otherPair, undefined],
])('%o %o as %o is %o', (from, value, to, expected) => {
  expect(castOf(from, to)?.(value)).toEqual(expected);
});

test.each<[string, FieldType, Value | undefined]>([
  ['+7', int32Type, 7],
  ['-9223372036854775808', int64Type, -(2n ** 63n)],
  ['9223372036854775808', int64Type, undefined],
  ['007', int8Type, 7],
  ['128', int8Type, undefined],
  ['', int32Type, undefined],
  [' 7', int32Type, undefined],
  ['7.0', int32Type, undefined],
  ['1e3', int32Type, undefined],
  ['1e3', float64Type, 1000],
  ['.5', float64Type, 0.5],
  ['5.', float64Type, 5],
  ['-0', float64Type, -0],
  ['-Infinity', float64Type, -1 / 0],
  ['NaN', float32Type, Number.NaN],
  ['0x10', float64Type, undefined],
  ['1_000', float64Type, undefined],
  ['', float64Type, undefined],
  ['0.1', float32Type, Math.fround(0.1)],
  ['12.345', decimal(5, 2), 1235n],
  ['-1.5e2', decimal(5, 2), -15_000n],
  ['1e-3', decimal(5, 2), 0n],
  ['1000', decimal(5, 2), undefined],
  ['.', decimal(5, 2), undefined],
  ['True', boolType, true],
  ['false', boolType, false],
  ['yes', boolType, undefined],
  ['2024-02-29', dateType, 19_782],
  ['2023-02-29', dateType, undefined],
  ['2024-13-01', dateType, undefined],
  ['2024-1-01', dateType, undefined],
  ['2024-02-29T00:00', dateType, undefined],
  ['-000001-01-01', dateType, -719_893],
  ['2024-02-29', ms, 1_709_164_800_000n],
  ['2024-02-29T12:30', ms, 1_709_209_800_000n],
  ['2024-02-29 12:30:05.5Z', ms, 1_709_209_805_500n],
  ['2024-02-29T12:30:05.123456789+02:00', us, 1_709_202_605_123_456n],
  ['2024-02-29T24:00', ms, undefined],
  ['2024-02-29T12', ms, undefined],
  ['2024-02-29T12:30+25:00', ms, undefined],
  ['12:30', ms, undefined],
])('the text "%s" as %o is %o', (value, to, expected) => {
  expect(castOf(utf8Type, to)?.(value)).toEqual(expected);
});

test('whatever is written is read as the same value', () => {
  const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
  const cases: [FieldType, fc.Arbitrary<Value>][] = [
    [int32Type, fc.integer()],
    [int64Type, int64],
    [float64Type, fc.double()],
    [boolType, fc.boolean()],
    [dateType, fc.integer()],
    [ms, int64],
    [us, int64],
    [decimal(38, 17), fc.bigInt({ min: -(10n ** 38n) + 1n, max: 10n ** 38n - 1n })],
  ];
  for (const [type, values] of cases) {
    fc.assert(
      fc.property(values, (value) => {
        const text = castOf(type, utf8Type)?.(value) ?? null;
        expect(castOf(utf8Type, type)?.(text)).toBe(value);
      }),
    );
  }
});

test.each<[FieldType, FieldType]>([
  [boolType, dateType],
  [dateType, int64Type],
  [ms, int32Type],
  [binaryType, int32Type],
  [list, utf8Type],
  [utf8Type, list],
  [list, listOf(binaryType)],
  [pair, { kind: 'struct', fields: [fieldOf('a', int64Type)] }],
])('%o never becomes %o', (from, to) => {
  expect(castOf(from, to)).toBe(null);
});

test('what can not be cast is an error with value, column and type, or null', () => {
  const text = column('price', utf8Type);
  const run = (row: number, value: Value) => {
    const found = evaluatorOf(castExpr(text, int32Type, false), () => () => value)(row);
    return found instanceof Failure ? found.errorIn(row) : found;
  };
  expect(run(4, 'abc')).toMatchObject({
    name: 'EXPR_CAST',
    message: `"abc" of "price" can't be cast to int32 in row 4 of the batch`,
    info: { details: { expression: 'cast(price as int32)', row: 4 } },
  });
  expect(run(4, 'x'.repeat(99))).toMatchObject({ message: expect.stringContaining('xxx..." of') });
  expect(valueOfExpr(castExpr(text, int32Type, true), { price: 'abc' })).toBe(null);
  expect(valueOfExpr(castExpr(text, int32Type, false), { price: null })).toBe(null);
  const day = castExpr(column('at', ms), dateType, false);
  expect(evaluatorOf(day, () => () => 2n ** 62n)(0)).toMatchObject({
    what: `"+146140482-04-24T15:36:27.904Z" of "at" can't be cast to date`
      .replaceAll('"+', '+')
      .replace('Z"', 'Z'),
  });
});
