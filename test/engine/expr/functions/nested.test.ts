/** Goal: parts of lists and structs are values like others, also decimals, dates and exact integers. */
import { expect, test } from 'vitest';
import { callExpr, compareExpr } from '../../../../engine/expr/expr-factory.ts';
import { exprText } from '../../../../engine/expr/expr-text.ts';
import { literalAlone, literalBeside } from '../../../../engine/expr/literal.ts';
import type { Value } from '../../../../engine/expr/value.ts';
import {
  dateType,
  type FieldType,
  float64Type,
  int32Type,
  int64Type,
  typeText,
  utf8Type,
} from '../../../../engine/schema/field-type.ts';
import { fieldOf } from '../../../../engine/schema/schema.ts';
import { callOn, column, errorOf, valueOfExpr } from '../../../support/expressions.ts';

const listOf = (type: FieldType, nullable = false): FieldType => ({
  kind: 'list',
  item: { type, nullable },
});
const decimal: FieldType = { kind: 'decimal', precision: 6, scale: 2 };
const address: FieldType = {
  kind: 'struct',
  fields: [
    fieldOf('city', utf8Type),
    fieldOf('since', dateType, true),
    fieldOf('fee', decimal),
    fieldOf('place', { kind: 'struct', fields: [fieldOf('x', int64Type)] }),
  ],
};
const home = { city: 'Ulm', since: null, fee: '-12.50', place: { x: 7n } };

test.each<[FieldType, Value, number, Value]>([
  [listOf(utf8Type), ['a', 'b'], 0, 'a'],
  [listOf(utf8Type), ['a', 'b'], -1, 'b'],
  [listOf(utf8Type), ['a', 'b'], 2, null],
  [listOf(utf8Type), ['a', 'b'], -3, null],
  [listOf(utf8Type), [], 0, null],
  [listOf(int32Type, true), [null], 0, null],
  [listOf(decimal), ['12.50'], 0, 1250n],
  [listOf(utf8Type), null, 0, null],
])('%o %o at %i is %o', (type, value, index, expected) => {
  expect(callOn('at', [type, value], index)).toBe(expected);
});

test('fields are read by name, through structs in structs', () => {
  const column0 = column('home', address, false);
  const get = (name: string) => callExpr('field', column0, literalAlone(name));
  expect(valueOfExpr(get('city'), { home })).toBe('Ulm');
  expect(valueOfExpr(get('since'), { home })).toBe(null);
  expect(valueOfExpr(get('fee'), { home })).toBe(-1250n);
  const x = callExpr('field', get('place'), literalAlone('x'));
  expect(valueOfExpr(x, { home })).toBe(7n);
  expect(exprText(x)).toBe('home.place.x');
  expect([get('city').nullable, get('since').nullable]).toEqual([false, true]);
  expect(callExpr('field', column('home', address), literalAlone('city')).nullable).toBe(true);
  expect(errorOf(() => get('town'))).toContain('EXPR_TYPE_MISMATCH: field does not take "home"');
});

test.each<[FieldType, Value, FieldType, Value, Value]>([
  [listOf(utf8Type), ['a', 'b'], utf8Type, 'b', true],
  [listOf(utf8Type, true), [null, 'a'], utf8Type, 'b', false],
  [listOf(int64Type), [7n], int32Type, 7, true],
  [listOf(float64Type), [Number.NaN], float64Type, Number.NaN, false],
  [listOf(decimal), ['12.50'], decimal, 1250n, true],
  [listOf(utf8Type), [], utf8Type, 'a', false],
  [listOf(utf8Type), ['a'], utf8Type, null, null],
  [listOf(utf8Type), null, utf8Type, 'a', null],
])('%o %o contains %o %o: %o', (type, value, searchedType, searched, expected) => {
  expect(callOn('listContains', [type, value], [searchedType, searched])).toBe(expected);
});

test('texts are split into lists, whose length counts items', () => {
  const parts = callExpr('split', column('s', utf8Type), literalAlone(','));
  expect(typeText(parts.type)).toBe('list<utf8>');
  expect(valueOfExpr(parts, { s: 'a,,b' })).toEqual(['a', '', 'b']);
  expect(valueOfExpr(parts, { s: '' })).toEqual(['']);
  expect(callOn('split', [utf8Type, 'a😀'], '')).toEqual(['a', '😀']);
  expect(valueOfExpr(callExpr('length', parts), { s: 'a,,b' })).toBe(3);
  const second = callExpr('at', parts, literalBeside(1, int32Type));
  expect(exprText(second)).toBe('split(s, ",")[1]');
  expect(valueOfExpr(second, { s: 'a,b' })).toBe('b');
});

test.each<[FieldType, Value, Value[], Value]>([
  [listOf(utf8Type), ['a', 'b', 'c'], [1], ['b', 'c']],
  [listOf(utf8Type), ['a', 'b', 'c'], [-2, -1], ['b']],
  [listOf(utf8Type), ['a', 'b', 'c'], [2, 1], []],
  [listOf(decimal, true), ['1.50', null], [0, 9], ['1.50', null]],
  [listOf(utf8Type), null, [0], null],
])('slice of %o %o at %o is %o', (type, value, places, expected) => {
  const literals = places.map((place) => literalBeside(place, int32Type));
  const slice = callExpr('listSlice', column('v', type), ...literals);
  expect(slice.type).toEqual(type);
  expect(valueOfExpr(slice, { v: value })).toEqual(expected);
});

test('lists of one type are put together', () => {
  const [a, b] = [column('a', listOf(int64Type, true)), column('b', listOf(int64Type, true))];
  const both = callExpr('listConcat', a, b, a);
  expect(exprText(both)).toBe('concat(a, b, a)');
  expect(valueOfExpr(both, { a: [1n, null], b: [] })).toEqual([1n, null, 1n, null]);
  expect(valueOfExpr(both, { a: [1n], b: null })).toBe(null);
  const other = column('c', listOf(utf8Type));
  expect(errorOf(() => callExpr('listConcat', a, other))).toContain('listConcat does not take "a"');
});

test('texts of a list are joined, those that are null left out', () => {
  const type = listOf(utf8Type, true);
  expect(callOn('listJoin', [type, ['a', null, '', 'b']], '-')).toBe('a--b');
  expect(callOn('listJoin', [type, []], '-')).toBe('');
  expect(callOn('listJoin', [type, null], '-')).toBe(null);
});

test.each<[FieldType, Value, Value, boolean | null]>([
  [listOf(utf8Type), ['a', 'b'], ['a', 'b'], true],
  [listOf(utf8Type), ['a', 'b'], ['a'], false],
  [listOf(utf8Type), ['a', 'b'], ['b', 'a'], false],
  [listOf(int64Type, true), [1n, null], [1n, null], true],
  [listOf(int64Type, true), [1n, null], [1n, 0n], false],
  [listOf(float64Type), [Number.NaN], [Number.NaN], true],
  [listOf(listOf(utf8Type)), [['a'], []], [['a'], []], true],
  [listOf(listOf(utf8Type)), [['a'], []], [['a']], false],
  [address, home, { ...home }, true],
  [address, home, { ...home, place: { x: 8n } }, false],
  [address, home, null, null],
])('%o: %o equals %o: %o', (type, left, right, expected) => {
  const sides = [column('a', type), column('b', type)] as const;
  const values = { a: left, b: right };
  expect(valueOfExpr(compareExpr('eq', ...sides), values)).toBe(expected);
  const opposite = expected === null ? null : !expected;
  expect(valueOfExpr(compareExpr('ne', ...sides), values)).toBe(opposite);
});

test('lists and structs have no order, and are equal to their own type only', () => {
  const list = column('a', listOf(utf8Type));
  expect(errorOf(() => compareExpr('lt', list, list))).toContain('lt does not take "a"');
  const nullable = column('b', listOf(utf8Type, true));
  expect(errorOf(() => compareExpr('eq', list, nullable))).toContain('eq does not take "a"');
});
