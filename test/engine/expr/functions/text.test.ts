/** Goal: functions on text count code points, follow Unicode, and give null for null. */
import { expect, test } from 'vitest';
import type { FunctionName } from '../../../../engine/expr/function-name.ts';
import type { Value } from '../../../../engine/expr/value.ts';
import {
  binaryType,
  type FieldType,
  int32Type,
  int64Type,
  utf8Type,
} from '../../../../engine/schema/field-type.ts';
import { callOn, errorOf } from '../../../support/expressions.ts';

const typeOf = (value: unknown): FieldType =>
  value instanceof Uint8Array ? binaryType : typeof value === 'number' ? int32Type : utf8Type;
const valuesAs = (values: readonly Value[]) =>
  values.map((value) => [typeof value === 'bigint' ? int64Type : typeOf(value), value] as const);

test.each<[FunctionName, Value[], Value]>([
  ['concat', ['a', '', 'é😀'], 'aé😀'],
  ['concat', ['a'], 'a'],
  ['concat', ['a', null], null],
  ['contains', ['banana', 'nan'], true],
  ['contains', ['banana', ''], true],
  ['contains', ['', 'a'], false],
  ['contains', [null, 'a'], null],
  ['endsWith', ['a😀', '😀'], true],
  ['endsWith', ['a', 'ba'], false],
  ['startsWith', ['éa', 'é'], true],
  ['startsWith', ['e', 'é'], false],
  ['indexOf', ['a😀b', 'b'], 2],
  ['indexOf', ['abc', ''], 0],
  ['indexOf', ['abc', 'd'], -1],
  ['length', [''], 0],
  ['length', ['a😀é'], 3],
  ['length', [new Uint8Array([1, 2, 3, 0])], 4],
  ['length', [null], null],
  ['lower', ['ÀÉ İ Σ'], 'àé i̇ σ'],
  ['upper', ['straße ǆ'], 'STRASSE Ǆ'],
  ['padStart', ['7', 3, '0'], '007'],
  ['padStart', ['😀', 4, 'ab'], 'aba😀'],
  ['padStart', ['abc', 2, '0'], 'abc'],
  ['padStart', ['abc', 5, ''], 'abc'],
  ['padStart', ['a', 2 ** 30, 'x'], 'EXPR_OVERFLOW'],
  ['padEnd', ['7', 3n, '0'], '700'],
  ['padEnd', ['a', -5, '0'], 'a'],
  ['repeat', ['ab', 3], 'ababab'],
  ['repeat', ['ab', 0], ''],
  ['repeat', ['ab', -1], ''],
  ['repeat', ['', 2 ** 31 - 1], ''],
  ['repeat', ['ab', 2n ** 62n], 'EXPR_OVERFLOW'],
  ['replace', ['a.b.c', '.', '$&'], 'a$&b$&c'],
  ['replace', ['abc', '', 'x'], 'abc'],
  ['replace', ['aaa', 'aa', 'b'], 'ba'],
  ['replace', ['abc', 'b', null], null],
  ['reverse', ['a😀é'], 'é😀a'],
  ['substring', ['a😀bc', 1, 3], '😀b'],
  ['substring', ['abc', 1], 'bc'],
  ['substring', ['abc', 2, 1], ''],
  ['substring', ['abc', -2, 99], 'abc'],
  ['substring', ['a😀bc', 0n, 2n ** 40n], 'a😀bc'],
  ['trim', ['\u00a0\ufeff\t a b \n\u2028'], 'a b'],
  ['trimStart', [' a '], 'a '],
  ['trimEnd', [' a '], ' a'],
])('%s of %o is %o', (name, values, expected) => {
  expect(callOn(name, ...valuesAs(values))).toBe(expected);
});

const input = (value: Value) => [utf8Type, value] as const;

test('a null place makes the result null', () => {
  expect(callOn('substring', input('abc'), [int32Type, null])).toBe(null);
});

test('patterns find anywhere, and groups are taken out', () => {
  expect(callOn('matches', input('see /a/17'), '/\\d+$', '')).toBe(true);
  expect(callOn('matches', input('SEE'), 'see', 'i')).toBe(true);
  expect(callOn('matches', input(null), 'see', '')).toBe(null);
  expect(callOn('extract', input('id=17;id=18'), 'id=(\\d+)', '', 1)).toBe('17');
  expect(callOn('extract', input('id=17'), 'id=(\\d+)', '', 0)).toBe('id=17');
  expect(callOn('extract', input('x'), 'id=(\\d+)', '', 1)).toBe(null);
  expect(callOn('extract', input('b'), '(a)|b', '', 1)).toBe(null);
});

test('a mistake in a pattern is found when the plan is made', () => {
  expect(errorOf(() => callOn('matches', input('a'), '(a', ''))).toBe(
    'EXPR_REGEX: the regular expression /(a/ has a "(" without a ")" at position 0',
  );
});
