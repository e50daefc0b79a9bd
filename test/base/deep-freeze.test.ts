/** Goal: frozen data is frozen all the way down. */
import { expect, test } from 'vitest';
import { deepFreeze } from '../../base/deep-freeze.ts';

test('objects and arrays inside are frozen, and the value is the same', () => {
  const value = { list: [{ n: 1 }], text: 'a', nothing: null };
  expect(deepFreeze(value)).toBe(value);
  expect([value, value.list, value.list[0]].every((part) => Object.isFrozen(part))).toBe(true);
});

test('bytes stay as they are, for nothing can freeze them', () => {
  const bytes = Uint8Array.of(1, 2);
  const value = deepFreeze({ bytes });
  expect(value.bytes).toBe(bytes);
  expect(Object.isFrozen(value)).toBe(true);
});
