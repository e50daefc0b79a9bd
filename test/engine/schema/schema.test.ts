/** Goal: sizes are what kernels read, and types and schemas read as people write them. */
import { expect, test } from 'vitest';
import {
  bitmapSizeOf,
  boolType,
  dateType,
  type FieldType,
  float64Type,
  int8Type,
  int32Type,
  int64Type,
  isSameType,
  layoutOf,
  typeText,
  uint16Type,
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
  const small = [
    int8Type,
    uint16Type,
    dateType,
    { kind: 'decimal', precision: 9, scale: 2 },
  ] as const;
  expect(small.map((type) => valuesSizeOf(type, 3))).toEqual([3, 6, 12, 48]);
});

test.each`
  type                                                                                   | layout     | text
  ${boolType}                                                                            | ${'bits'}  | ${'bool'}
  ${{ kind: 'decimal', precision: 12, scale: 2 }}                                        | ${'fixed'} | ${'decimal(12,2)'}
  ${{ kind: 'list', item: { type: int64Type, nullable: true } }}                         | ${'view'}  | ${'list<int64?>'}
  ${{ kind: 'struct', fields: [fieldOf('a', int32Type), fieldOf('b', utf8Type, true)] }} | ${'view'}  | ${'struct<a int32, b utf8?>'}
  ${{ kind: 'utf8', isDictionary: true }}                                                | ${'view'}  | ${'dictionary<utf8>'}
`('$text has the layout $layout', ({ type, layout, text }) => {
  expect(layoutOf(type)).toBe(layout);
  expect(typeText(type)).toBe(text);
});

test('inner types count for being the same, dictionaries do not', () => {
  const dictionary: FieldType = { kind: 'utf8', isDictionary: true };
  const listOf = (type: FieldType, nullable = false): FieldType => ({
    kind: 'list',
    item: { type, nullable },
  });
  const structOf = (name: string, type: FieldType): FieldType => ({
    kind: 'struct',
    fields: [fieldOf(name, type)],
  });
  expect(isSameType(dictionary, utf8Type)).toBe(true);
  expect(isSameType(listOf(dictionary), listOf(utf8Type))).toBe(true);
  expect(isSameType(listOf(utf8Type, true), listOf(utf8Type))).toBe(false);
  expect(isSameType(structOf('a', dictionary), structOf('a', utf8Type))).toBe(true);
  expect(isSameType(structOf('a', utf8Type), structOf('b', utf8Type))).toBe(false);
  expect(isSameType(structOf('a', int32Type), structOf('a', int64Type))).toBe(false);
});

test('types are the same when their texts are: units count, how JavaScript reads them does not', () => {
  expect(allTypes.map(typeText)).toEqual([
    ...['bool', 'int32', 'int64', 'int64', 'float64', 'timestamp(ms)', 'timestamp(us)', 'utf8'],
    ...['int8', 'int16', 'uint8', 'uint16', 'uint32', 'float32', 'dictionary<utf8>', 'binary'],
    ...['date', 'decimal(9,2)', 'decimal(38,10)', 'list<int32?>', 'list<utf8>'],
    'struct<n int64, tags list<utf8?>?>',
    'list<struct<at timestamp(ms), price decimal(12,4)?, flags list<bool?>, day date, ' +
      'raw binary?, rate float32?, small int8>?>',
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
