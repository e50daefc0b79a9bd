/** Goal: sizes are what kernels read, and types and schemas read as people write them. */
import { expect, test } from 'vitest';
import {
  bitmapSizeOf,
  boolType,
  float64Type,
  int32Type,
  int64Type,
  isSameType,
  typeText,
  utf8Type,
  valuesSizeOf,
} from '../../../engine/schema/field-type.ts';
import { fieldIndexOf, fieldOf, schemaOf, schemaText } from '../../../engine/schema/schema.ts';
import { allTypes } from '../../support/batches.ts';

test.each`
  rowCount | bitmapBytes
  ${0}     | ${0}
  ${1}     | ${8}
  ${64}    | ${8}
  ${65}    | ${16}
  ${8192}  | ${1024}
`('a bitmap of $rowCount bits takes $bitmapBytes bytes', ({ rowCount, bitmapBytes }) => {
  expect(bitmapSizeOf(rowCount)).toBe(bitmapBytes);
  expect(valuesSizeOf(boolType, rowCount)).toBe(bitmapBytes);
});

test('values take their width per row', () => {
  const timestamp = { kind: 'timestamp', unit: 'us' } as const;
  const types = [int32Type, int64Type, float64Type, timestamp, utf8Type];
  expect(types.map((type) => valuesSizeOf(type, 3))).toEqual([12, 24, 24, 24, 48]);
});

test('types are the same when their texts are: units count, how JavaScript reads them does not', () => {
  expect(allTypes.map(typeText)).toEqual([
    ...['bool', 'int32', 'int64', 'int64', 'float64', 'timestamp(ms)', 'timestamp(us)', 'utf8'],
  ]);
  expect(isSameType(int64Type, { kind: 'int64', js: 'number' })).toBe(true);
  expect(isSameType({ kind: 'timestamp', unit: 'ms' }, { kind: 'timestamp', unit: 'us' })).toBe(
    false,
  );
});

test('a schema reads on one line, and fields are found by name', () => {
  const schema = schemaOf(fieldOf('word', utf8Type), fieldOf('count', int64Type, true));
  expect(schemaText(schema)).toBe('word utf8, count int64?');
  expect(fieldIndexOf(schema, 'count')).toBe(1);
  expect(fieldIndexOf(schema, 'Count')).toBe(-1);
});
