/** Keys as people write them: texts for one column, JSON lists for several; what they can't be is said with the key. */
import { expect, test } from 'vitest';
import { readRow } from '../../../../engine/batch/row-reader.ts';
import { askedKey } from '../../../../engine/operators/key-state/asked-key.ts';
import { shownTime, shownValue } from '../../../../engine/operators/key-state/shown-value.ts';
import { boolType, dateType, float64Type, utf8Type } from '../../../../engine/schema/field-type.ts';
import { fieldOf } from '../../../../engine/schema/schema.ts';
import { newContext } from '../../../support/operator-harness.ts';
import { typedErrorOf } from '../../../support/typed-error-of.ts';

const int64 = { kind: 'int64', js: 'bigint' } as const;
const decimal = { kind: 'decimal', precision: 10, scale: 2 } as const;
const timestamp = { kind: 'timestamp', unit: 'ms' } as const;

test.each([
  [[fieldOf('a', int64)], '-42', { a: -42n }],
  [[fieldOf('a', int64)], '9007199254740993', { a: 9007199254740993n }],
  [[fieldOf('a', int64, true)], '[null]', { a: null }],
  [[fieldOf('a', utf8Type)], 'a text, as it is ', { a: 'a text, as it is ' }],
  [[fieldOf('a', utf8Type)], '', { a: '' }],
  [[fieldOf('a', utf8Type)], '[no list', { a: '[no list' }],
  [[fieldOf('a', utf8Type)], '["x", "y"]', { a: '["x", "y"]' }],
  [[fieldOf('a', utf8Type)], '["[\\"x\\"]"]', { a: '["x"]' }],
  [[fieldOf('a', boolType)], 'true', { a: true }],
  [[fieldOf('a', float64Type)], '1.5', { a: 1.5 }],
  [[fieldOf('a', dateType)], '2026-11-26', { a: '2026-11-26' }],
  [[fieldOf('a', decimal)], '12.5', { a: '12.50' }],
  [[fieldOf('a', timestamp)], '1970-01-01T00:00:01Z', { a: 1000n }],
  [[fieldOf('a', utf8Type), fieldOf('b', int64)], '["DE", 42]', { a: 'DE', b: 42n }],
  [[fieldOf('a', utf8Type), fieldOf('b', int64)], ' ["DE", "42"]', { a: 'DE', b: 42n }],
])('%j from %s', (fields, text, row) => {
  const { context, memory } = newContext('limits');
  const batch = askedKey(context, fields, text);
  expect(readRow(batch, 0)).toEqual(row);
  batch.release();
  memory.assertEmpty();
});

test.each([
  [[fieldOf('a', int64)], 'x', 'has "x" for "a", which is no int64'],
  [[fieldOf('a', int64)], '1.5', 'has "1.5" for "a", which is no int64'],
  [[fieldOf('a', int64)], '[null]', 'has a null for "a", which is never null'],
  [[fieldOf('a', decimal)], '1e99', 'has "1e99" for "a", which is no decimal'],
  [[fieldOf('a', utf8Type)], '[1]', 'has 1 for "a", which is no utf8'],
  [[fieldOf('a', utf8Type), fieldOf('b', int64)], 'DE', 'is no JSON list of 2 values: "a", "b"'],
  [
    [fieldOf('a', utf8Type), fieldOf('b', int64)],
    '["DE"]',
    'is no JSON list of 2 values: "a", "b"',
  ],
  [
    [fieldOf('a', utf8Type), fieldOf('b', int64)],
    '["DE", {}]',
    'has {} for "b", which is no int64',
  ],
])('no key of %j is %s', (fields, text, message) => {
  const { context, memory } = newContext('limits');
  const error = typedErrorOf(() => askedKey(context, fields, text));
  expect(error?.info.code).toBe('STATE_KEY_INVALID');
  expect(error?.message).toBe(`key ${text} of operator "limits" ${message}`);
  memory.assertEmpty();
});

test('values that JSON has no form for are texts', () => {
  const value = {
    ...{ big: 2n ** 60n, small: 7n, none: null, not: Number.NaN, at: new Date(0) },
    bytes: new Uint8Array([0, 255]),
    list: [1n, [true]],
  };
  expect(shownValue(value)).toEqual({
    ...{ big: '1152921504606846976', small: 7, none: null, not: 'NaN' },
    ...{ at: '1970-01-01T00:00:00.000Z', bytes: '00ff', list: [1, [true]] },
  });
  expect([0, Number.POSITIVE_INFINITY].map(shownTime)).toEqual(['1970-01-01T00:00:00.000Z', null]);
});
