/** Goal: parts of lists and structs are values like others, also decimals, dates and exact integers. */
import { expect, test } from 'vitest';
import { callExpr } from '../../../../engine/expr/expr-factory.ts';
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
