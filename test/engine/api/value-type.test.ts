/**
 * Goal: every type of `t` is the field type that it says, and functions read and give what it says.
 * Much of this file is checked by tsc: a wrong line that is accepted makes its `@ts-expect-error` an
 * error.
 */
import { defineJob, type RowInputOf, type RowOf, type SourceOf, t } from 'millrace';
import { expect, expectTypeOf, test } from 'vitest';
import { codeOf } from '../../../base/typed-error.ts';
import { buildJob } from '../../../engine/api/build-job.ts';
import type { ColumnsOf } from '../../../engine/api/value-type.ts';
import { typeText } from '../../../engine/schema/field-type.ts';
import { schemaText } from '../../../engine/schema/schema.ts';

const Order = t.struct({
  tiny: t.int8(),
  small: t.int16(),
  flags: t.uint8(),
  port: t.uint16(),
  size: t.uint32(),
  id: t.int64(),
  count: t.int64({ js: 'number' }),
  ratio: t.float32(),
  price: t.decimal(12, 2),
  day: t.date().nullable(),
  raw: t.binary(),
  country: t.utf8({ dictionary: true }),
  codes: t.list(t.int64()),
  weights: t.list(t.float32()).nullable(),
  notes: t.list(t.utf8().nullable()),
  items: t.list(t.struct({ name: t.utf8(), at: t.timestampMs().nullable() })),
  address: t.struct({ city: t.utf8(), zip: t.int32().nullable() }).nullable(),
});
type OrderColumns = ColumnsOf<typeof Order.fields>;

test('types are field types', () => {
  expect(schemaText(Order.schema)).toBe(
    'tiny int8, small int16, flags uint8, port uint16, size uint32, id int64, count int64, ' +
      'ratio float32, price decimal(12,2), day date?, raw binary, country dictionary<utf8>, ' +
      'codes list<int64>, weights list<float32>?, notes list<utf8?>, ' +
      'items list<struct<name utf8, at timestamp(ms)?>>, address struct<city utf8, zip int32?>?',
  );
  const { type } = t.list(t.int64({ js: 'number' }));
  expect(type).toEqual({
    kind: 'list',
    item: { type: { kind: 'int64', js: 'number' }, nullable: false },
  });
});

test('functions read what JavaScript has for a type', () => {
  type Row = RowOf<OrderColumns>;
  expectTypeOf<Row['tiny']>().toEqualTypeOf<number>();
  expectTypeOf<Row['size']>().toEqualTypeOf<number>();
  expectTypeOf<Row['id']>().toEqualTypeOf<bigint>();
  expectTypeOf<Row['count']>().toEqualTypeOf<number>();
  expectTypeOf<Row['ratio']>().toEqualTypeOf<number>();
  expectTypeOf<Row['price']>().toEqualTypeOf<string>();
  expectTypeOf<Row['day']>().toEqualTypeOf<string | null>();
  expectTypeOf<Row['raw']>().toEqualTypeOf<Uint8Array>();
  expectTypeOf<Row['country']>().toEqualTypeOf<string>();
  expectTypeOf<Row['codes']>().toEqualTypeOf<readonly bigint[]>();
  expectTypeOf<Row['weights']>().toEqualTypeOf<readonly number[] | null>();
  expectTypeOf<Row['notes']>().toEqualTypeOf<readonly (string | null)[]>();
  expectTypeOf<Row['items']>().toEqualTypeOf<
    readonly { readonly name: string; readonly at: number | null }[]
  >();
  expectTypeOf<Row['address']>().toEqualTypeOf<{
    readonly city: string;
    readonly zip: number | null;
  } | null>();
});

test('functions give what fits without loss', () => {
  type Input = RowInputOf<OrderColumns>;
  expectTypeOf<string | number | bigint>().toEqualTypeOf<Input['price']>();
  expectTypeOf<string | Date | null>().toEqualTypeOf<Input['day']>();
  expectTypeOf<number | bigint>().toEqualTypeOf<Input['id']>();
  expectTypeOf<readonly (number | bigint)[]>().toExtend<Input['codes']>();
  expectTypeOf<Float32Array | null>().toExtend<Input['weights']>();
  expectTypeOf<{ city: string; zip: null }>().toExtend<Input['address']>();
  expectTypeOf<{ name: string; at: Date }[]>().toExtend<Input['items']>();
  // @ts-expect-error a text is no list of texts
  expectTypeOf<string>().toExtend<Input['notes']>();
  // @ts-expect-error an item that may be null needs t.utf8().nullable()
  expectTypeOf<(bigint | null)[]>().toExtend<Input['codes']>();
  // @ts-expect-error a struct has all its fields
  expectTypeOf<{ city: string }>().toExtend<Input['address']>();
  expect(Order.fields.codes.type.kind).toBe('list');
});

test.each`
  precision | scale
  ${0}      | ${0}
  ${39}     | ${0}
  ${1.5}    | ${0}
  ${12}     | ${13}
  ${12}     | ${-1}
  ${'12'}   | ${0}
`('there is no decimal($precision, $scale)', ({ precision, scale }) => {
  let error: unknown;
  try {
    t.decimal(precision, scale);
  } catch (caught) {
    error = caught;
  }
  expect(codeOf(error)).toBe('JOB_ARGUMENT_INVALID');
  expect(String(error)).toContain(`decimal(${precision},${scale})`);
});

test('a decimal has no digits behind the point by default', () => {
  const { type } = t.decimal(9);
  expect(type.kind === 'path' ? type.kind : typeText(type)).toBe('decimal(9,0)');
});

test('what is no type of fields is refused where it is written', () => {
  // @ts-expect-error a path is for parameters
  expect(() => t.struct({ file: t.path() })).toThrow('"file" has no type that a field can have');
  // @ts-expect-error a function is no type
  expect(() => t.struct({ file: t.utf8 })).toThrow('"file" has no type that a field can have');
  // @ts-expect-error an item needs a type
  expect(() => t.list()).toThrow('"item" has no type that a field can have');
  expect(() => t.struct({})).toThrow('a struct has no fields');
});

test('lists and structs have no order', () => {
  const source = { connector: 'orders', options: {}, schema: Order.schema };
  const sink = { connector: 'none', options: {}, isParallel: true };
  const job = defineJob({
    name: 'orders',
    build: ({ read }) =>
      read(source as SourceOf<OrderColumns>)
        .orderBy((order) => order.codes.asc())
        .writeTo(sink),
  });
  expect(() => buildJob(job, {})).toThrow('"codes" is a list, which has no order');
});

test('types are frozen', () => {
  for (const type of [t.utf8(), t.list(t.utf8()), t.struct({ a: t.utf8() })]) {
    expect(Object.isFrozen(type)).toBe(true);
  }
});
