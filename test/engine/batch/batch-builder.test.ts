/** Goal: what fits a column is stored exactly; what does not is the user's error and harms nothing. */
import { expect, test } from 'vitest';
import { codeOf } from '../../../base/typed-error.ts';
import { batchRowsMax } from '../../../engine/batch/batch.ts';
import { BatchBuilder, batchTextBytesMax } from '../../../engine/batch/batch-builder.ts';
import { readRows } from '../../../engine/batch/row-reader.ts';
import { SlotMemory } from '../../../engine/memory/slot-memory.ts';
import {
  binaryType,
  boolType,
  dateType,
  type FieldType,
  float32Type,
  float64Type,
  int8Type,
  int16Type,
  int32Type,
  int64Type,
  uint8Type,
  uint16Type,
  uint32Type,
  utf8Type,
} from '../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../engine/schema/schema.ts';
import { withMemory } from '../../support/batches.ts';

const int64Number: FieldType = { kind: 'int64', js: 'number' };
const timestampMs: FieldType = { kind: 'timestamp', unit: 'ms' };
const timestampUs: FieldType = { kind: 'timestamp', unit: 'us' };
const price: FieldType = { kind: 'decimal', precision: 12, scale: 2 };
const listOf = (type: FieldType, nullable = false): FieldType => ({
  kind: 'list',
  item: { type, nullable },
});
const tags = listOf(utf8Type, true);
const address: FieldType = {
  kind: 'struct',
  fields: [fieldOf('city', utf8Type), fieldOf('zip', int32Type, true)],
};
const date = new Date('2024-02-29T12:00:00.123Z');

test.each<{ type: FieldType; value: unknown; read: unknown }>([
  { type: int32Type, value: -(2 ** 31), read: -(2 ** 31) },
  { type: int32Type, value: -0, read: 0 },
  { type: int64Type, value: 2n ** 63n - 1n, read: 2n ** 63n - 1n },
  { type: int64Type, value: -1, read: -1n },
  { type: int64Type, value: -(2 ** 53) + 1, read: -(2n ** 53n) + 1n },
  { type: int64Number, value: 2 ** 53 - 1, read: 2 ** 53 - 1 },
  { type: int64Number, value: -5n, read: -5 },
  { type: float64Type, value: -0, read: -0 },
  { type: float64Type, value: Number.NaN, read: Number.NaN },
  { type: timestampMs, value: date, read: BigInt(date.getTime()) },
  { type: timestampUs, value: date, read: BigInt(date.getTime()) * 1000n },
  { type: timestampUs, value: -7n, read: -7n },
  { type: int8Type, value: -128, read: -128 },
  { type: uint8Type, value: 255, read: 255 },
  { type: int16Type, value: -(2 ** 15), read: -(2 ** 15) },
  { type: uint16Type, value: 65_535, read: 65_535 },
  { type: uint32Type, value: 2 ** 32 - 1, read: 2 ** 32 - 1 },
  { type: float32Type, value: 0.1, read: Math.fround(0.1) },
  { type: float32Type, value: -Infinity, read: -Infinity },
  { type: float32Type, value: 2 ** 128 - 2 ** 104, read: 2 ** 128 - 2 ** 104 },
  { type: dateType, value: '2026-11-26', read: '2026-11-26' },
  { type: dateType, value: new Date('1969-12-31'), read: '1969-12-31' },
  { type: price, value: '12.5', read: '12.50' },
  { type: price, value: 12.5, read: '12.50' },
  { type: price, value: -7, read: '-7.00' },
  { type: price, value: 9_999_999_999n, read: '9999999999.00' },
  {
    type: { kind: 'decimal', precision: 38, scale: 0 },
    value: 10n ** 37n,
    read: `1${'0'.repeat(37)}`,
  },
  { type: binaryType, value: Uint8Array.of(0, 255), read: Uint8Array.of(0, 255) },
  {
    type: binaryType,
    value: Buffer.from('longer than 8'),
    read: new Uint8Array(Buffer.from('longer than 8')),
  },
  { type: tags, value: ['a', null, undefined, 'ü'], read: ['a', null, null, 'ü'] },
  { type: listOf(int8Type), value: Int16Array.of(1, -2), read: [1, -2] },
  { type: listOf(float64Type), value: [-0, Number.NaN], read: [0, Number.NaN] },
  { type: address, value: { city: 'Ulm', zip: null, more: 1 }, read: { city: 'Ulm', zip: null } },
  { type: utf8Type, value: 'lone \ud800 surrogate', read: 'lone \ufffd surrogate' },
])('$type.kind takes $value', ({ type, value, read }) => {
  withMemory(({ scope }) => {
    const builder = new BatchBuilder(scope, schemaOf(fieldOf('a', type)));
    builder.appendRow([value]);
    const batch = builder.build();
    expect(readRows(batch)).toEqual([{ a: read }]);
    batch.release();
  });
});

test.each<{ type: FieldType; value: unknown; code: string; message: string }>([
  { type: utf8Type, value: null, code: 'VALUE_IS_NULL', message: '"a" is null or missing' },
  { type: int32Type, value: undefined, code: 'VALUE_IS_NULL', message: 'null or missing' },
  {
    type: utf8Type,
    value: 5,
    code: 'VALUE_TYPE_MISMATCH',
    message: 'a string, and is the number 5',
  },
  {
    type: boolType,
    value: 1,
    code: 'VALUE_TYPE_MISMATCH',
    message: 'a boolean, and is the number 1',
  },
  { type: int32Type, value: '7', code: 'VALUE_TYPE_MISMATCH', message: 'is the string "7"' },
  { type: int32Type, value: 7n, code: 'VALUE_TYPE_MISMATCH', message: 'is the bigint 7' },
  { type: float64Type, value: [1], code: 'VALUE_TYPE_MISMATCH', message: 'is an array' },
  { type: int64Type, value: {}, code: 'VALUE_TYPE_MISMATCH', message: 'is an object (Object)' },
  { type: int64Number, value: 'x'.repeat(99), code: 'VALUE_TYPE_MISMATCH', message: 'x"…' },
  { type: timestampMs, value: () => 1, code: 'VALUE_TYPE_MISMATCH', message: 'a Date' },
  { type: int32Type, value: 2 ** 31, code: 'VALUE_OUT_OF_RANGE', message: 'the value 2147483648' },
  { type: int32Type, value: Number.NaN, code: 'VALUE_OUT_OF_RANGE', message: 'the value NaN' },
  { type: int64Number, value: 2 ** 53, code: 'VALUE_OUT_OF_RANGE', message: '9007199254740992' },
  { type: int64Type, value: 0.5, code: 'VALUE_OUT_OF_RANGE', message: 'does not fit int64' },
  { type: int64Type, value: 2n ** 63n, code: 'VALUE_OUT_OF_RANGE', message: 'does not fit int64' },
  {
    type: int8Type,
    value: 128,
    code: 'VALUE_OUT_OF_RANGE',
    message: '128 of column "a" does not fit int8',
  },
  { type: uint8Type, value: -1, code: 'VALUE_OUT_OF_RANGE', message: 'does not fit uint8' },
  { type: int16Type, value: 2 ** 15, code: 'VALUE_OUT_OF_RANGE', message: 'does not fit int16' },
  { type: uint16Type, value: 1.5, code: 'VALUE_OUT_OF_RANGE', message: 'does not fit uint16' },
  { type: uint32Type, value: 2 ** 32, code: 'VALUE_OUT_OF_RANGE', message: 'does not fit uint32' },
  {
    type: float32Type,
    value: 2 ** 128,
    code: 'VALUE_OUT_OF_RANGE',
    message: 'does not fit float32',
  },
  {
    type: dateType,
    value: '2026-02-29',
    code: 'VALUE_TYPE_MISMATCH',
    message: 'the string "2026-02-29"',
  },
  { type: dateType, value: 20_783, code: 'VALUE_TYPE_MISMATCH', message: 'an ISO date' },
  { type: dateType, value: date, code: 'VALUE_OUT_OF_RANGE', message: '2024-02-29T12:00:00.123Z' },
  { type: dateType, value: new Date('x'), code: 'VALUE_OUT_OF_RANGE', message: 'Invalid Date' },
  {
    type: price,
    value: '1.005',
    code: 'VALUE_OUT_OF_RANGE',
    message: 'does not fit decimal(12,2)',
  },
  { type: price, value: 0.1 + 0.2, code: 'VALUE_OUT_OF_RANGE', message: '0.30000000000000004' },
  { type: price, value: 10n ** 10n, code: 'VALUE_OUT_OF_RANGE', message: 'the value 10000000000' },
  { type: price, value: 2 ** 53, code: 'VALUE_OUT_OF_RANGE', message: '9007199254740992' },
  { type: price, value: Number.NaN, code: 'VALUE_OUT_OF_RANGE', message: 'the value NaN' },
  { type: price, value: '1,5', code: 'VALUE_TYPE_MISMATCH', message: 'the string "1,5"' },
  { type: price, value: true, code: 'VALUE_TYPE_MISMATCH', message: 'the boolean true' },
  { type: binaryType, value: 'text', code: 'VALUE_TYPE_MISMATCH', message: 'a Uint8Array' },
  { type: tags, value: 'text', code: 'VALUE_TYPE_MISMATCH', message: 'an array' },
  { type: tags, value: ['a', 1], code: 'VALUE_TYPE_MISMATCH', message: '"a[]" (utf8)' },
  { type: listOf(int32Type), value: [1, null], code: 'VALUE_IS_NULL', message: '"a[]" is null' },
  { type: address, value: [1], code: 'VALUE_TYPE_MISMATCH', message: 'an object' },
  { type: address, value: { zip: 1 }, code: 'VALUE_IS_NULL', message: '"a.city" is null' },
  { type: address, value: { city: 'x', zip: 0.5 }, code: 'VALUE_OUT_OF_RANGE', message: '"a.zip"' },
  { type: timestampMs, value: new Date('x'), code: 'VALUE_OUT_OF_RANGE', message: 'the value NaN' },
])('$type.kind refuses $value: $code', ({ type, value, code, message }) => {
  withMemory(({ scope }) => {
    const fields = [fieldOf('before', utf8Type, true), fieldOf('a', type)];
    const builder = new BatchBuilder(scope, schemaOf(...fields));
    let failure: unknown;
    try {
      builder.appendRow(['some text that takes memory', value]);
    } catch (error) {
      failure = error;
    }
    expect(codeOf(failure)).toBe(code);
    expect(String(failure)).toContain(message);
    expect(String(failure)).toMatch(/"a(\[\]|\.\w+)?"/);
    expect(builder.rowCount).toBe(0);
    builder.discard();
  });
});

test('a row that failed is not there, and its place is written anew', () => {
  withMemory(({ scope }) => {
    const fields = [fieldOf('n', int32Type, true), fieldOf('b', boolType), fieldOf('t', utf8Type)];
    const builder = new BatchBuilder(scope, schemaOf(...fields));
    builder.appendRow([1, true, 'one']);
    expect(() => builder.appendRow([null, true, 2])).toThrow('a string');
    builder.appendRow([3, false, 'three']);
    const batch = builder.build();
    expect(readRows(batch)).toEqual([
      { n: 1, b: true, t: 'one' },
      { n: 3, b: false, t: 'three' },
    ]);
    batch.release();
  });
});

test('generated drivers write column by column', () => {
  withMemory(({ scope }) => {
    const schema = schemaOf(fieldOf('word', utf8Type), fieldOf('count', int64Type));
    const builder = new BatchBuilder(scope, schema);
    const [words, counts] = [builder.writerOf(0), builder.writerOf(1)];
    for (let index = 0; index < 3; index++) {
      words.set(builder.rowCount, `w${index}`);
      counts.set(builder.rowCount, index);
      builder.endRow();
    }
    const batch = builder.build();
    expect(readRows(batch).map((row) => row.word)).toEqual(['w0', 'w1', 'w2']);
    batch.release();
    expect(() => builder.writerOf(2)).toThrow('the schema has the column');
    expect(() => builder.appendRow(['only one'])).toThrow('one value for each field');
  });
});

test('a builder is full at 8,192 rows or 1 MiB of text, and is used again after build', () => {
  withMemory(({ scope }) => {
    const builder = new BatchBuilder(scope, schemaOf(fieldOf('t', utf8Type)));
    for (let round = 0; round < 2; round++) {
      while (!builder.isFull) builder.appendRow(['short']);
      expect(builder.rowCount).toBe(batchRowsMax);
      expect(() => builder.appendRow(['one more'])).toThrow('below 8,192');
      const batch = builder.build();
      expect([batch.rowCount, builder.rowCount, builder.isFull]).toEqual([8192, 0, false]);
      batch.release();
    }
    const text = 'ü'.repeat(5000);
    while (!builder.isFull) builder.appendRow([text]);
    expect(builder.rowCount).toBe(Math.ceil(batchTextBytesMax / 10_000));
    const batch = builder.build();
    expect(readRows(batch).every((row) => row.t === text)).toBe(true);
    batch.release();
  });
});

test('one text of 20 million characters is stored without three times the room', () => {
  const memory = new SlotMemory({ budgetBytes: 24 * 1024 * 1024 });
  const builder = new BatchBuilder(memory.scope('test'), schemaOf(fieldOf('t', utf8Type)));
  const text = `${'x'.repeat(20_000_000)}€`;
  builder.appendRow([text]);
  const batch = builder.build();
  expect(readRows(batch)[0]?.t === text).toBe(true);
  batch.release();
  memory.assertEmpty();
});

test('a builder without rows makes an empty batch', () => {
  withMemory(({ scope }) => {
    const batch = new BatchBuilder(scope, schemaOf(fieldOf('t', utf8Type, true))).build();
    expect([batch.rowCount, readRows(batch)]).toEqual([0, []]);
    batch.release();
  });
});

test('memory that runs out while a row is written is an error that loses nothing', () => {
  const memory = new SlotMemory({ budgetBytes: 320 * 1024 });
  const builder = new BatchBuilder(memory.scope('test'), schemaOf(fieldOf('t', utf8Type)));
  let failure: unknown;
  try {
    for (;;) builder.appendRow(['a text longer than eight bytes']);
  } catch (error) {
    failure = error;
  }
  expect(codeOf(failure)).toBe('MEMORY_EXHAUSTED');
  const { rowCount } = builder;
  const batch = builder.build();
  expect(readRows(batch)).toEqual(
    new Array(rowCount).fill({ t: 'a text longer than eight bytes' }),
  );
  expect(rowCount).toBeGreaterThan(1000);
  batch.release();
  memory.assertEmpty();
});
