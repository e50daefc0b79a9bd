/** Goal: whatever a row is, its text in an error is short and never fails. */
import { expect, test } from 'vitest';
import { codeOf, typedError } from '../../../base/typed-error.ts';
import { rowText, userFunctionFailed, valueText } from '../../../engine/compile/user-error.ts';

const cyclic: Record<string, unknown> = {};
cyclic.self = cyclic;

test.each([
  [{ n: 3n, text: 'a"b' }, '{"n":"3","text":"a\\"b"}'],
  [undefined, 'undefined'],
  [null, 'null'],
  [cyclic, '(a row that cannot be shown)'],
])('%s', (row, text) => {
  expect(rowText(row)).toBe(text);
});

test('a long text is cut', () => {
  expect(rowText({ text: 'x'.repeat(60_000_000) }).length).toBe(501);
});

test.each([
  [5n, '5n'],
  ['a', '"a"'],
  [null, 'null'],
  [[1], 'an array'],
  [{}, 'an object'],
  [() => 1, 'a function'],
])('%s as a value', (value, text) => {
  expect(valueText(value)).toBe(text);
});

test('an error of the engine inside a user function stays what it is', () => {
  const name = { operator: 'o', function: 'map' };
  const inner = typedError('MEMORY_EXHAUSTED', 'no room');
  expect(userFunctionFailed(name, inner, {})).toBe(inner);
  expect(codeOf(userFunctionFailed(name, 'thrown text', {}))).toBe('USER_FUNCTION_FAILED');
});

test('a frozen error keeps its stack', () => {
  const frozen = Object.freeze(new Error('no luck'));
  const error = userFunctionFailed({ operator: 'o', function: 'map' }, frozen, {});
  expect(error.cause).toBe(frozen);
});
