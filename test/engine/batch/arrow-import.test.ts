/** Goal: every type of Arrow's is read without loss or refused by name, however its arrays are cut. */
import { readFileSync } from 'node:fs';
import * as arrow from 'apache-arrow';
import { expect, test } from 'vitest';
import { codeOf } from '../../../base/typed-error.ts';
import { fromArrowSchema } from '../../../engine/batch/arrow-schema.ts';
import { fromIpc, fromRecordBatch } from '../../../engine/batch/ipc.ts';
import { readRows } from '../../../engine/batch/row-reader.ts';
import { instantiateKernels } from '../../../engine/kernels/kernels.ts';
import { schemaText } from '../../../engine/schema/schema.ts';
import { withMemory } from '../../support/batches.ts';
import { plainRow } from '../../support/plain-values.ts';

const fixtures = new URL('../../fixtures/arrow-types/', import.meta.url);

/** Runs with what importing needs; all memory must be free afterwards. */
function withTarget<T>(run: (target: Parameters<typeof fromIpc>[0]) => T): T {
  return withMemory(({ scope, memory }) =>
    run({ scope, kernels: instantiateKernels(memory.memory) }),
  );
}

/** The rows of record batches, each cut to a slice. */
function rowsOf(table: arrow.Table, start = 0, end = table.numRows): Record<string, unknown>[] {
  return withTarget((target) =>
    table.slice(start, end).batches.flatMap((source) => {
      const batches = fromRecordBatch(target, source);
      const { schema } = source;
      const rows = batches.flatMap(readRows).map((row) => plainRow(fromArrowSchema(schema), row));
      for (const batch of batches) batch.release();
      return rows;
    }),
  );
}

/** A table with one column. */
function tableOf(data: arrow.Data, nullable = true): arrow.Table {
  const schema = new arrow.Schema([new arrow.Field('a', data.type, nullable)]);
  const type = new arrow.Struct(schema.fields);
  const struct = arrow.makeData({ type, length: data.length, nullCount: 0, children: [data] });
  return new arrow.Table([new arrow.RecordBatch(schema, struct)]);
}

function codeFrom(run: () => unknown): { code: string | null; text: string } {
  try {
    run();
    return { code: 'none', text: '' };
  } catch (error) {
    return { code: codeOf(error), text: String(error) };
  }
}

test.each(['arrow', 'arrows'])('every type that pyarrow wrote is read: every-type.%s', (ending) => {
  const bytes = readFileSync(new URL(`every-type.${ending}`, fixtures));
  const expected = JSON.parse(readFileSync(new URL('rows.json', fixtures), 'utf8'));
  withTarget((target) => {
    const { schema, batches } = fromIpc(target, bytes);
    expect(schemaText(schema)).toBe(
      'bool bool?, int8 int8, int16 int16?, int32 int32, int64 int64?, uint8 uint8, ' +
        'uint16 uint16?, uint32 uint32, float16 float32?, float32 float32, float64 float64?, ' +
        'decimal decimal(12,2)?, wide decimal(38,10), date32 date?, date64 date, ' +
        'timestamp_s timestamp(ms), timestamp_ms timestamp(ms)?, timestamp_us timestamp(us), ' +
        'timestamp_ns timestamp(us)?, utf8 utf8?, large_utf8 utf8, utf8_view utf8?, ' +
        'binary binary, large_binary binary?, binary_view binary, fixed_binary binary?, ' +
        'dictionary dictionary<utf8>?, small_dictionary dictionary<utf8>, ' +
        'number_dictionary int64?, list list<int32?>?, texts list<utf8>, ' +
        'large_list list<float64?>?, fixed_list list<int16?>?, lists list<list<bool?>?>, ' +
        'struct struct<x int32, name utf8?>?, structs list<struct<x int32, name utf8?>?>?, ' +
        'map list<struct<key utf8, value int64?>>?, inner_dictionary list<dictionary<utf8>?>',
    );
    expect(batches.map((batch) => batch.rowCount)).toEqual([11, 11, 3]);
    const rows = batches.flatMap(readRows).map((row) => plainRow(schema, row));
    expect(rows).toEqual(expected);
    for (const batch of batches) batch.release();
  });
});

test.each([
  [1, 20],
  [3, 4],
  [9, 25],
  [24, 24],
])('rows %i to %i of these are read by themselves', (start, end) => {
  const bytes = readFileSync(new URL('every-type.arrow', fixtures));
  const expected = JSON.parse(readFileSync(new URL('rows.json', fixtures), 'utf8'));
  expect(rowsOf(arrow.tableFromIPC(bytes), start, end)).toEqual(expected.slice(start, end));
});

const int64s = (...values: bigint[]) => BigInt64Array.from(values);

test.each`
  name                            | type                               | data                                             | value
  ${'a Date64 amid a day'}        | ${new arrow.DateMillisecond()}     | ${int64s(86_400_001n)}                           | ${/value 86400001 .* date/}
  ${'a Date64 past all days'}     | ${new arrow.DateMillisecond()}     | ${int64s(2n ** 62n - (2n ** 62n % 86_400_000n))} | ${/value \d+ .* date/}
  ${'nanoseconds'}                | ${new arrow.TimestampNanosecond()} | ${int64s(-1n)}                                   | ${/value -1 .* timestamp\(us\)/}
  ${'seconds past milliseconds'}  | ${new arrow.TimestampSecond()}     | ${int64s(2n ** 63n / 1000n + 1n)}                | ${/value \d+ .* timestamp\(ms\)/}
  ${'a decimal of 3 digits in 2'} | ${new arrow.Decimal(1, 2)}         | ${Uint32Array.of(100, 0, 0, 0)}                  | ${/value 100e-1 .* decimal\(2,1\)/}
`('$name is refused', ({ type, data, value }) => {
  const table = tableOf(arrow.makeData({ type, length: 1, nullCount: 0, data }));
  const { code, text } = codeFrom(() => rowsOf(table));
  expect(code).toBe('VALUE_OUT_OF_RANGE');
  expect(text).toMatch(value);
});

test('extremes that fit are exact', () => {
  const seconds = 2n ** 63n / 1000n;
  const data = int64s(seconds, -seconds, 0n, -1n);
  const table = tableOf(arrow.makeData({ type: new arrow.TimestampSecond(), length: 4, data }));
  expect(rowsOf(table).map(({ a }) => a)).toEqual(
    [seconds * 1000n, -seconds * 1000n, 0n, -1000n].map(String),
  );
  const nanoseconds = int64s(-(2n ** 63n) + 808n, 2n ** 63n - 808n, -1000n, 4_294_967_296_000n);
  const type = new arrow.TimestampNanosecond();
  expect(
    rowsOf(tableOf(arrow.makeData({ type, length: 4, data: nanoseconds }))).map(({ a }) => a),
  ).toEqual([...nanoseconds].map((value) => String(value / 1000n)));
});

test('what lies under a null is not looked at', () => {
  const nullBitmap = Uint8Array.of(0b10);
  const data = int64s(1n, 86_400_000n);
  const dates = arrow.makeData({ type: new arrow.DateMillisecond(), length: 2, nullBitmap, data });
  expect(rowsOf(tableOf(dates))).toEqual([{ a: null }, { a: '1' }]);
  const texts = arrow.makeData({
    ...{ type: new arrow.Utf8(), length: 2, nullBitmap },
    ...{ valueOffsets: Int32Array.of(0, 2, 3), data: Uint8Array.of(0xff, 0xc3, 0x61) },
  });
  expect(rowsOf(tableOf(texts))).toEqual([{ a: null }, { a: 'a' }]);
  const x = arrow.makeData({
    ...{ type: new arrow.Int32(), length: 2, nullBitmap, data: Int32Array.of(5, 6) },
  });
  const point = new arrow.Struct([new arrow.Field('x', new arrow.Int32(), false)]);
  const structs = arrow.makeData({ type: point, length: 2, nullBitmap, children: [x] });
  expect(rowsOf(tableOf(structs))).toEqual([{ a: null }, { a: { x: '6' } }]);
  const list = new arrow.List(new arrow.Field('item', new arrow.Int32(), false));
  const valueOffsets = Int32Array.of(0, 1, 2);
  const lists = arrow.makeData({ type: list, length: 2, nullBitmap, valueOffsets, child: x });
  expect(rowsOf(tableOf(lists))).toEqual([{ a: null }, { a: ['6'] }]);
});

test('a null where the schema allows none is refused by its way there', () => {
  const nullBitmap = Uint8Array.of(0b01);
  const x = arrow.makeData({
    ...{ type: new arrow.Int32(), length: 2, nullBitmap, data: Int32Array.of(5, 6) },
  });
  const field = new arrow.Field('x', new arrow.Int32(), false);
  const structs = arrow.makeData({ type: new arrow.Struct([field]), length: 2, children: [x] });
  const valueOffsets = Int32Array.of(0, 1, 2);
  const lists = arrow.makeData({ type: new arrow.List(field), length: 2, valueOffsets, child: x });
  for (const [data, name] of [
    [x, '"a"'],
    [structs, '"a.x"'],
    [lists, '"a[]"'],
  ] as const) {
    const { code, text } = codeFrom(() => rowsOf(tableOf(data, false)));
    expect(code).toBe('VALUE_IS_NULL');
    expect(text).toContain(name);
  }
});

test('a dictionary may have parts, nulls, indexes of 64 bits, and no entry at all', () => {
  const text = (...values: (string | null)[]) =>
    arrow.vectorFromArray(values, new arrow.Utf8()).data[0] as arrow.Data<arrow.Utf8>;
  const dictionary = new arrow.Vector([text('a', null), text('a longer text')]);
  // apache-arrow's types know indexes of 32 bits; files may have wider ones.
  const type = new arrow.Dictionary(new arrow.Utf8(), new arrow.Int64() as never);
  const nullBitmap = Uint8Array.of(0b11110111);
  const indexed = (data: BigInt64Array, of: arrow.Vector) =>
    tableOf(
      arrow.makeData({ type, length: data.length, nullBitmap, data, dictionary: of } as never),
    );
  const rows = rowsOf(indexed(int64s(2n, 1n, 0n, 99n, 2n), dictionary));
  expect(rows.map(({ a }) => a)).toEqual(['a longer text', null, 'a', null, 'a longer text']);
  expect(codeFrom(() => rowsOf(indexed(int64s(3n), dictionary))).code).toBe('ARROW_CORRUPT');
  expect(codeFrom(() => rowsOf(indexed(int64s(2n ** 32n), dictionary))).code).toBe('ARROW_CORRUPT');
  const empty = new arrow.Vector([text()]);
  expect(codeFrom(() => rowsOf(indexed(int64s(0n), empty))).code).toBe('ARROW_CORRUPT');
  const bits = new arrow.Dictionary(new arrow.Bool(), new arrow.Int32());
  const yesNo = arrow.vectorFromArray([true, null], new arrow.Bool());
  const parts = new arrow.Vector([...yesNo.data, ...arrow.vectorFromArray([false]).data]);
  const flags = arrow.makeData({
    ...{ type: bits, length: 3, data: Int32Array.of(2, 1, 0), dictionary: parts },
  } as never);
  expect(rowsOf(tableOf(flags)).map(({ a }) => a)).toEqual([false, null, true]);
});

test('a dictionary is read once for all batches of its rows, and outlives them', () => {
  withTarget((target) => {
    const words = Array.from({ length: 300 }, (_, index) => `word number ${index}`);
    const type = new arrow.Dictionary(new arrow.Utf8(), new arrow.Int32());
    const values = Array.from({ length: 20_000 }, (_, row) => words[row % words.length] ?? '');
    const [data] = arrow.vectorFromArray(values, type).data;
    if (data === undefined) throw new Error('one part');
    const [source] = tableOf(data).batches;
    if (source === undefined) throw new Error('one record batch');
    const batches = fromRecordBatch(target, source);
    expect(batches.map((batch) => batch.rowCount)).toEqual([8192, 8192, 3616]);
    for (const batch of batches.splice(0, 2)) batch.release();
    expect(batches.flatMap(readRows).map(({ a }) => a)).toEqual(values.slice(16_384));
    for (const batch of batches) batch.release();
  });
});

test.each`
  name                  | type
  ${'uint64'}           | ${new arrow.Uint64()}
  ${'time'}             | ${new arrow.TimeMicrosecond()}
  ${'a large decimal'}  | ${new arrow.Decimal(2, 60, 256)}
  ${'a negative scale'} | ${new arrow.Decimal(-2, 10)}
  ${'null'}             | ${new arrow.Null()}
  ${'inside a list'}    | ${new arrow.List(new arrow.Field('item', new arrow.Uint64()))}
  ${'inside a struct'}  | ${new arrow.Struct([new arrow.Field('x', new arrow.DurationSecond())])}
`('$name is refused by the name of its column', ({ type }) => {
  const schema = new arrow.Schema([new arrow.Field('some column', type, true)]);
  const { code, text } = codeFrom(() => fromArrowSchema(schema));
  expect(code).toBe('ARROW_TYPE_UNSUPPORTED');
  expect(text).toContain('the Arrow column "some column" has type');
});

test('types nested without end are refused', () => {
  let type: arrow.DataType = new arrow.Int32();
  for (let depth = 0; depth < 100; depth++) type = new arrow.List(new arrow.Field('item', type));
  const schema = new arrow.Schema([new arrow.Field('deep', type, true)]);
  expect(codeFrom(() => fromArrowSchema(schema)).code).toBe('ARROW_TYPE_UNSUPPORTED');
});

test('views that show past their bytes are damaged', () => {
  const view = (size: number, buffer: number, offset: number) => {
    const views = new DataView(new ArrayBuffer(16));
    views.setInt32(0, size, true);
    views.setInt32(8, buffer, true);
    views.setInt32(12, offset, true);
    const data = arrow.makeData({
      ...{ type: new arrow.BinaryView(), length: 1, views: new Uint8Array(views.buffer) },
      variadicBuffers: [new Uint8Array(20)],
    });
    return codeFrom(() => rowsOf(tableOf(data))).code;
  };
  expect(view(20, 0, 0)).toBe('none');
  expect(view(21, 0, 0)).toBe('ARROW_CORRUPT');
  expect(view(13, 0, 8)).toBe('ARROW_CORRUPT');
  expect(view(13, 1, 0)).toBe('ARROW_CORRUPT');
  expect(view(13, 0, -1)).toBe('ARROW_CORRUPT');
  expect(view(-1, 0, 0)).toBe('ARROW_CORRUPT');
});
