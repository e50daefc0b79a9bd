/** Goal: batches survive the way through apache-arrow and its IPC, and damaged bytes are refused. */
import * as arrow from 'apache-arrow';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { codeOf } from '../../../base/typed-error.ts';
import type { ArrowTarget } from '../../../engine/batch/arrow-part.ts';
import { fromArrowSchema, toArrowSchema } from '../../../engine/batch/arrow-schema.ts';
import type { Batch } from '../../../engine/batch/batch.ts';
import { fromIpc, fromRecordBatch, toIpc, toRecordBatch } from '../../../engine/batch/ipc.ts';
import { readRows } from '../../../engine/batch/row-reader.ts';
import { instantiateKernels } from '../../../engine/kernels/kernels.ts';
import { SlotMemory } from '../../../engine/memory/slot-memory.ts';
import { fieldOf, schemaOf } from '../../../engine/schema/schema.ts';
import {
  allTypes,
  basicTypes,
  batchCases,
  expectedRows,
  fullBatchCases,
  makeBatch,
  schemas,
} from '../../support/batches.ts';

const everyType = schemaOf(
  ...allTypes.map((type, index) => fieldOf(`c${index}`, type, index % 2 === 0)),
);

function newTarget(): ArrowTarget & { memory: SlotMemory } {
  const memory = new SlotMemory({ budgetBytes: 64 * 1024 * 1024, poison: true });
  return { memory, scope: memory.scope('test'), kernels: instantiateKernels(memory.memory) };
}

function rowsAndRelease(batches: readonly Batch[]): Record<string, unknown>[] {
  const rows = batches.flatMap(readRows);
  for (const batch of batches) batch.release();
  return rows;
}

test('a schema survives, with how its int64 is read', () => {
  fc.assert(
    fc.property(schemas(), (schema) => {
      expect(fromArrowSchema(toArrowSchema(schema))).toEqual(schema);
    }),
  );
});

test.each(['stream', 'file'] as const)(
  'batches read the same after the way through an IPC %s',
  (format) => {
    const target = newTarget();
    fc.assert(
      fc.property(batchCases(), (spec) => {
        const sent = [makeBatch(target.scope, spec), makeBatch(target.scope, spec)];
        const bytes = toIpc(target, spec.schema, sent, format);
        for (const batch of sent) batch.release();
        const { schema, batches } = fromIpc(target, bytes);
        expect(schema).toEqual(spec.schema);
        expect(rowsAndRelease(batches)).toEqual([...expectedRows(spec), ...expectedRows(spec)]);
        target.memory.assertEmpty();
      }),
      { numRuns: 60 },
    );
  },
);

test('full batches with every type survive', () => {
  const target = newTarget();
  fc.assert(
    fc.property(fullBatchCases(), (spec) => {
      const sent = makeBatch(target.scope, spec);
      const bytes = toIpc(target, spec.schema, [sent]);
      sent.release();
      expect(rowsAndRelease(fromIpc(target, bytes).batches)).toEqual(expectedRows(spec));
      target.memory.assertEmpty();
    }),
    { numRuns: 2 },
  );
});

const untimed = basicTypes.filter((type) => type.kind !== 'timestamp');

test('apache-arrow reads the same values', () => {
  const target = newTarget();
  fc.assert(
    fc.property(batchCases({ schema: schemas(untimed) }), (spec) => {
      const batch = makeBatch(target.scope, spec);
      const record = toRecordBatch(target, batch);
      batch.release();
      target.memory.assertEmpty();
      const expected = expectedRows(spec);
      expect(record.numRows).toBe(expected.length);
      for (const [index, { name }] of spec.schema.fields.entries()) {
        const found = [...(record.getChildAt(index) ?? [])];
        expect(found.map(asArrowReads)).toEqual(expected.map((row) => asArrowReads(row[name])));
      }
    }),
    { numRuns: 60 },
  );
});

test('no batch at all makes a readable stream, too', () => {
  const target = newTarget();
  const schema = fromArrowSchema(new arrow.Schema([new arrow.Field('a', new arrow.Utf8(), true)]));
  const read = fromIpc(target, toIpc(target, schema, []));
  expect(read).toEqual({ schema, batches: [] });
});

test('slices and more than 8,192 rows of a foreign table are read in parts', () => {
  const target = newTarget();
  const numbers = Array.from({ length: 20_000 }, (_, row) => (row % 7 === 0 ? null : row));
  const columns = {
    int32: arrow.vectorFromArray(numbers, new arrow.Int32()),
    bool: arrow.vectorFromArray(
      numbers.map((value) => value && value % 3 === 0),
      new arrow.Bool(),
    ),
    text: arrow.vectorFromArray(
      numbers.map((value) => value && `text ${value}`),
      new arrow.Utf8(),
    ),
  };
  const whole = new arrow.Table(columns);
  for (const [start, end] of [
    [0, 20_000],
    [3, 9000],
    [8191, 8205],
    [13, 13],
  ] as const) {
    const batches = whole
      .slice(start, end)
      .batches.flatMap((record) => fromRecordBatch(target, record));
    const rows = rowsAndRelease(batches);
    expect(rows).toEqual(
      numbers.slice(start, end).map((value) => ({
        int32: value,
        bool: value && value % 3 === 0,
        text: value && `text ${value}`,
      })),
    );
    expect(batches.every((batch) => batch.rowCount <= 8192)).toBe(true);
  }
  target.memory.assertEmpty();
});

test('a type that batches do not have is named', () => {
  const schema = new arrow.Schema([new arrow.Field('time', new arrow.TimeSecond(), true)]);
  expect(() => fromArrowSchema(schema)).toThrow('"time" has type Time32<SECOND>');
});

test('text that is not UTF-8 is refused, also where a value splits a character', () => {
  const target = newTarget();
  const bad = (data: number[], valueOffsets: number[]) => {
    const text = arrow.makeData({
      ...{ type: new arrow.Utf8(), length: valueOffsets.length - 1 },
      ...{ valueOffsets: Int32Array.from(valueOffsets), data: Uint8Array.from(data) },
    });
    const schema = new arrow.Schema([new arrow.Field('text', new arrow.Utf8(), false)]);
    const type = new arrow.Struct(schema.fields);
    const data2 = arrow.makeData({ type, length: text.length, nullCount: 0, children: [text] });
    return codeFrom(() => fromRecordBatch(target, new arrow.RecordBatch(schema, data2)));
  };
  expect(bad([0x61, 0xff], [0, 1, 2])).toBe('TEXT_INVALID_UTF8');
  expect(bad([0xc3, 0xa9], [0, 1, 2])).toBe('TEXT_INVALID_UTF8');
  expect(bad([0x61, 0x62], [0, 2, 1])).toBe('ARROW_CORRUPT');
  expect(bad([0x61, 0x62], [0, 1, 9])).toBe('ARROW_CORRUPT');
  expect(bad([0x61, 0x62], [-4, 1, 2])).toBe('ARROW_CORRUPT');
  expect(bad([0xc3, 0xa9], [0, 2, 2])).toBe('none');
  target.memory.assertEmpty();
});

test('cut off bytes, and flipped ones in the buffers, give a typed error or batches', () => {
  const target = newTarget();
  const cases = batchCases({ schema: fc.constant(everyType), rowsMax: 4 });
  const specs = fc.sample(cases, { numRuns: 30, seed: 7 });
  const [spec] = specs.sort((a, b) => b.rows.length - a.rows.length);
  if (spec === undefined) throw new Error('no sample');
  const batch = makeBatch(target.scope, { ...spec, selected: null });
  for (const format of ['stream', 'file'] as const) {
    const bytes = toIpc(target, spec.schema, [batch], format);
    for (let length = 0; length < bytes.length; length += Math.ceil(bytes.length / 300)) {
      expect(codeFrom(() => fromIpc(target, bytes.slice(0, length)))).toMatch(known);
    }
  }
  const bytes = toIpc(target, spec.schema, [batch]);
  const reader = new arrow.MessageReader(bytes);
  let bodyBytes = 0;
  for (const message of reader) {
    bodyBytes = message.bodyLength;
    reader.readMessageBody(bodyBytes);
  }
  expect(bodyBytes).toBeGreaterThan(1000);
  const end = bytes.length - 8; // The mark of the stream's end.
  for (let byte = end - bodyBytes; byte < end; byte++) {
    const flipped = bytes.slice();
    flipped[byte] = (flipped[byte] ?? 0) ^ (1 << ((byte * 5) & 7));
    expect(codeFrom(() => fromIpc(target, flipped))).toMatch(known);
  }
  batch.release();
  target.memory.assertEmpty();
});

/** Arrow reads all int64 as bigint, and drops a byte order mark. */
function asArrowReads(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(/^\ufeff/, '');
  return typeof value === 'bigint' ? Number(value) : value;
}

const known =
  /^(none|ARROW_CORRUPT|ARROW_TYPE_UNSUPPORTED|TEXT_INVALID_UTF8|VALUE_IS_NULL|VALUE_OUT_OF_RANGE)$/;

/** The code of what `run` throws, 'none' when it gives batches, which are released. */
function codeFrom(run: () => Batch[] | { batches: Batch[] }): string {
  try {
    const result = run();
    for (const batch of 'batches' in result ? result.batches : result) batch.release();
    return 'none';
  } catch (error) {
    return codeOf(error) ?? String(error);
  }
}
