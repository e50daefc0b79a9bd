/** Goal: parameter values reach other threads unchanged, whatever their type. */
import { expect, test } from 'vitest';
import { decodeParams, encodeParams } from '../../../engine/api/param-wire.ts';

test('values survive JSON, int64 beyond 2^53 included', () => {
  const params = { text: 'a', flag: false, count: 3, ratio: 0.5, big: 2n ** 63n - 1n };
  const travelled = JSON.parse(JSON.stringify(encodeParams(params)));
  expect(decodeParams(travelled)).toEqual(params);
});

test('an optional parameter that was not given stays absent', () => {
  expect(encodeParams({ top: undefined })).toEqual({});
});
