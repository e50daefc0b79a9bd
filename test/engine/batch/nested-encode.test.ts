/** Goal: lists and structs have the bytes that the layout says, and equal values have equal ones. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { codeOf } from '../../../base/typed-error.ts';
import { nestedDecoderOf } from '../../../engine/batch/nested-decode.ts';
import { NestedBuffer, nestedEncoderOf } from '../../../engine/batch/nested-encode.ts';
import { listLayoutOf, structLayoutOf } from '../../../engine/batch/nested-layout.ts';
import { readRows } from '../../../engine/batch/row-reader.ts';
import {
  boolType,
  type FieldType,
  float64Type,
  int8Type,
  int32Type,
  utf8Type,
} from '../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../engine/schema/schema.ts';
import { allTypes, makeBatch, valuesOf, withMemory } from '../../support/batches.ts';

const listOf = (type: FieldType, nullable = false): FieldType => ({
  kind: 'list',
  item: { type, nullable },
});

function bytesOf(type: FieldType, value: unknown): number[] {
  const buffer = new NestedBuffer();
  nestedEncoderOf(fieldOf('a', type))(buffer, value);
  return [...buffer.written];
}

const word = (value: number) => [value, 0, 0, 0];
const person: FieldType = {
  kind: 'struct',
  fields: [
    fieldOf('name', utf8Type),
    fieldOf('age', int8Type, true),
    fieldOf('tags', listOf(utf8Type), true),
  ],
};

test.each<{ type: FieldType; value: unknown; bytes: number[] }>([
  { type: listOf(int8Type), value: [], bytes: word(0) },
  { type: listOf(int8Type), value: [1, -1], bytes: [...word(2), 1, 255] },
  { type: listOf(boolType, true), value: [true, null], bytes: [...word(2), 1, 1, 0] },
  {
    type: listOf(utf8Type, true),
    value: ['ab', null],
    bytes: [...word(2), 1, ...word(2), ...word(2), 97, 98],
  },
  {
    type: person,
    value: { name: 'Eva', age: null, tags: ['x'] },
    bytes: [5, ...word(3), 0, ...word(12), 69, 118, 97, ...word(1), ...word(1), 120],
  },
  {
    type: person,
    value: { name: '', age: 7, tags: null },
    bytes: [3, ...word(0), 7, ...word(0)],
  },
])('$value has the bytes of the layout', ({ type, value, bytes }) => {
  expect(bytesOf(type, value)).toEqual(bytes);
});

test('where parts are follows from the type, and for lists from the count', () => {
  expect(listLayoutOf(int32Type, true, 9)).toEqual({
    bits: 4,
    slots: 6,
    slotSize: 4,
    variable: 42,
  });
  expect(listLayoutOf(utf8Type, false, 9)).toEqual({
    bits: 0,
    slots: 4,
    slotSize: 4,
    variable: 40,
  });
  const { fields } = person as FieldType & { kind: 'struct' };
  const expected = { bitsBytes: 1, slots: [1, 5, 6], previousEnds: [-1, 1, 1], variable: 10 };
  expect(structLayoutOf(fields)).toEqual(expected);
});

test('numbers that are equal have equal bytes', () => {
  const odd = new Float64Array(new BigInt64Array([0x7ff8000000000001n, -1n]).buffer);
  const type = listOf(float64Type);
  expect(bytesOf(type, [-0, ...odd])).toEqual(bytesOf(type, [0, Number.NaN, Number.NaN]));
});

const nested = allTypes.filter(({ kind }) => kind === 'list' || kind === 'struct');

test('values of one encoder, one after the other, read as they were', () => {
  const cases = fc
    .constantFrom(...nested)
    .chain((type) => fc.record({ type: fc.constant(type), values: fc.array(valuesOf(type)) }));
  fc.assert(
    fc.property(cases, ({ type, values }) =>
      withMemory(({ scope }) => {
        const schema = schemaOf(fieldOf('a', type));
        const rows = values.map((value) => [value]);
        const batch = makeBatch(scope, { schema, rows, selected: null });
        expect(readRows(batch)).toEqual(values.map((a) => ({ a })));
        batch.release();
      }),
    ),
    { numRuns: 200 },
  );
});

test('a field may be called as what objects inherit', () => {
  const fields = [fieldOf('__proto__', int32Type, true), fieldOf('constructor', int32Type, true)];
  const value = JSON.parse('{"__proto__": 1, "constructor": 2}');
  withMemory(({ scope }) => {
    const schema = schemaOf(fieldOf('a', { kind: 'struct', fields }));
    const batch = makeBatch(scope, { schema, rows: [[value]], selected: null });
    const read = readRows(batch)[0]?.a as object;
    expect(Object.entries(read)).toEqual(Object.entries(value));
    batch.release();
  });
});

test('an int64 inside that is no safe number is told with its way', () => {
  const item: FieldType = {
    kind: 'struct',
    fields: [fieldOf('n', { kind: 'int64', js: 'number' })],
  };
  withMemory(({ scope, memory }) => {
    const schema = schemaOf(fieldOf('a', listOf(item)));
    const rows = [[[{ n: 1n }, { n: 2n ** 53n }]]];
    const batch = makeBatch(scope, { schema, rows, selected: null });
    const told: string[] = [];
    const notSafe = (name: string, value: bigint): never => {
      told.push(`${name} ${value}`);
      throw new Error('not safe');
    };
    const decode = nestedDecoderOf(listOf(item), { memory, name: 'a', notSafe });
    expect(() => decode(batch.columns[0]?.values ?? 0)).toThrow('not safe');
    expect(told).toEqual(['a[].n 9007199254740992']);
    let code: unknown;
    try {
      readRows(batch);
    } catch (error) {
      code = codeOf(error);
    }
    expect(code).toBe('VALUE_OUT_OF_RANGE');
    batch.release();
  });
});
