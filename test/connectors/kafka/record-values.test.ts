/**
 * Goal: records of a topic become the rows that their format says, with the metadata of just these records beside
 * them; a record that the format refuses is named by topic, partition and offset, and never dropped.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stampProducer } from '../../../connectors/kafka/batch-header.ts';
import { JsonValues } from '../../../connectors/kafka/json-values.ts';
import { type PlainRecord, plainBatchOf } from '../../../connectors/kafka/plain-records.ts';
import { RecordBatches } from '../../../connectors/kafka/record-batches.ts';
import { RecordTable } from '../../../connectors/kafka/record-table.ts';
import { badRecordsOf, PlainValues } from '../../../connectors/kafka/record-values.ts';
import { sourceOptionsIn } from '../../../connectors/kafka/source-options.ts';
import { bytes, json, kafka, text } from '../../../connectors/kafka.ts';
import { t } from '../../../engine/api/value-type.ts';
import { readRows } from '../../../engine/batch/row-reader.ts';
import type { SourceSpec } from '../../../engine/contracts/connector.ts';
import { slotContext } from '../../support/slot-context.ts';
import { typedErrorOf } from '../../support/typed-error-of.ts';

const encoder = new TextEncoder();
const names = { key: 'k', timestamp: 'at', offset: 'n', partition: 'p', headers: 'h' } as const;
const base = { brokers: 'localhost:9092', topic: 'orders' };
const Order = t.struct({ id: t.int32(), note: t.utf8().nullable() });

interface Read {
  readonly rows: Record<string, unknown>[];
  readonly letters: Record<string, unknown>[];
}

/** Reads the records of one batch as the source does. */
function read(source: SourceSpec, records: readonly PlainRecord[], hasDeadLetters = true): Read {
  const context = slotContext(source.schema, { hasDeadLetters });
  const { scope, kernels } = context;
  const options = sourceOptionsIn(source.options);
  const table = new RecordTable(scope.memory);
  const bad = badRecordsOf(context, options.topic, 5);
  const from = { partition: 5, table, bad };
  const isJson = options.format === 'json';
  const values = isJson
    ? new JsonValues(context, options, from)
    : new PlainValues(context, options, from);
  const range = { start: 0, end: Number.POSITIVE_INFINITY };
  const place = { topic: 'orders', partition: 5, isolation: 'committed', range } as const;
  const batches = new RecordBatches({ scope, kernels, ...place });
  const batch = plainBatchOf(records);
  stampProducer(batch, { producerId: -1, epoch: -1, sequence: -1, isTransactional: false });
  const result: Read = { rows: [], letters: [] };
  try {
    batches.add({ partition: 5, errorCode: 0, records: batch, endOffset: 0, aborted: [] });
    while (!batches.isEmpty) {
      batches.fill(table);
      const rows = table.rowCount === 0 ? null : values.build(table);
      result.rows.push(...(rows === null ? [] : readRows(rows)));
      rows?.release();
    }
    for (let letters = bad.take(); letters !== null; letters = bad.take()) {
      result.letters.push(...readRows(letters));
      letters.release();
    }
  } finally {
    table.clear();
    batches.close();
    values.close();
    bad.close();
  }
  return result;
}

function record(
  offset: number,
  value: string | null,
  more: Partial<PlainRecord> = {},
): PlainRecord {
  const bytesOf = value === null ? null : encoder.encode(value);
  return { offset, timestampMs: 1_000 + offset, key: null, headers: [], value: bytesOf, ...more };
}

describe('json', () => {
  const source = kafka.source({ ...base, format: json(Order), metadata: names });

  test('any objects, however they are spaced, are the rows of their records', () => {
    const orders = fc.array(
      fc.record({
        id: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
        note: fc.option(fc.string({ unit: 'grapheme', maxLength: 30 })),
        key: fc.option(fc.string({ maxLength: 12 })),
        indent: fc.nat({ max: 2 }),
        gap: fc.nat({ max: 2 }),
      }),
      { minLength: 1, maxLength: 50 },
    );
    fc.assert(
      fc.property(orders, (all) => {
        let offset = -1;
        const records = all.map(({ id, note, key, indent, gap }) => {
          offset += gap + 1;
          const value = JSON.stringify({ id, note, extra: [1] }, null, indent);
          return record(offset, value, { key: key === null ? null : encoder.encode(key) });
        });
        const { rows, letters } = read(source, records);
        expect(letters).toEqual([]);
        const wanted = all.map(({ id, note, key }, at) => {
          const { offset = 0, timestampMs = 0 } = records[at] ?? {};
          const [n, now] = [BigInt(offset), BigInt(timestampMs)];
          return { id, note, k: key, at: now, n, p: 5, h: [] };
        });
        expect(rows).toEqual(wanted);
      }),
    );
  });

  const bad = [
    { value: '{"id":1', reason: /it is no JSON/ },
    { value: '[1]', reason: /it is no JSON object/ },
    { value: '{"id":"x"}', reason: /column "id" has "x"|column "id"/ },
    { value: '{"note":"a"}', reason: /column "id" is missing/ },
    { value: '{"id":1}{"id":2}', reason: /goes on behind its object/ },
    { value: '{"id":1}\n{"id":2}', reason: /goes on behind/, asShown: '{"id":1}\r{"id":2}' },
    { value: '{"note":"a\nb"}', reason: /it is no JSON/, asShown: '{"note":"a\rb"}' },
    { value: '', reason: /it is no JSON object/ },
    { value: ' \n ', reason: /it is no JSON object/ },
    { value: null, reason: /it has no value/ },
  ];

  test.each(bad)('a record with $value is a dead letter, and those beside it are rows', (one) => {
    const records = [record(7, '{"id":1}'), record(8, one.value), record(9, '{"id":3}')];
    const { rows, letters } = read(source, records);
    expect(rows.map(({ id, n }) => [id, n])).toEqual([
      [1, 7n],
      [3, 9n],
    ]);
    expect(letters).toHaveLength(1);
    expect(letters[0]?.origin).toBe('topic "orders", partition 5, offset 8');
    expect(letters[0]?.reason).toMatch(one.reason);
    expect(letters[0]?.text).toBe(one.asShown ?? one.value ?? '');
  });

  test('where nobody takes dead letters the first one ends the job and says where it is', () => {
    const error = typedErrorOf(() => read(source, [record(7, '{"id":1}'), record(8, '{')], false));
    expect(error?.info.code).toBe('KAFKA_RECORD');
    expect(error?.message).toContain('topic "orders", partition 5, offset 8');
    expect(error?.info.details).toMatchObject({ topic: 'orders', partition: 5, offset: 8 });
  });

  test('bad records among many stay with their own metadata', () => {
    const records = Array.from({ length: 9_000 }, (_, at) => {
      return record(at, at % 7 === 3 ? 'x' : `{"id":${at}}`);
    });
    const { rows, letters } = read(source, records);
    const good = records.filter(({ offset }) => offset % 7 !== 3);
    expect(rows.map(({ id, n, at }) => [id, Number(n), Number(at)])).toEqual(
      good.map(({ offset, timestampMs }) => [offset, offset, timestampMs]),
    );
    expect(letters).toHaveLength(records.length - good.length);
  });
});

describe('text and bytes', () => {
  const invalid = new Uint8Array([0x61, 0xff]);

  test('values are as they are, null where there is none', () => {
    const source = kafka.source({ ...base, format: text(), metadata: { offset: 'n' } });
    const { rows } = read(source, [
      record(0, 'a'),
      record(1, null),
      record(2, 'longer than a view'),
    ]);
    expect(rows.map(({ value }) => value)).toEqual(['a', null, 'longer than a view']);
  });

  test('what is not UTF-8 is no text, and is bytes', () => {
    const records = [record(0, 'a'), record(1, '', { value: invalid }), record(2, 'c')];
    const asText = read(kafka.source({ ...base, format: text() }), records);
    expect(asText.rows).toEqual([{ value: 'a' }, { value: 'c' }]);
    expect(asText.letters[0]).toMatchObject({
      origin: 'topic "orders", partition 5, offset 1',
      reason: 'its value is not UTF-8',
      bytes: invalid,
    });
    const asBytes = read(kafka.source({ ...base, format: bytes() }), records);
    expect(asBytes.rows.map(({ value }) => value)).toEqual(records.map(({ value }) => value));
  });

  test('a key that is not UTF-8 is no text, and is bytes', () => {
    const records = [record(0, 'a', { key: invalid })];
    const asText = kafka.source({ ...base, format: text(), metadata: { key: 'k' } });
    expect(read(asText, records).letters[0]?.reason).toBe('its key is not UTF-8');
    const asBytes = kafka.source({ ...base, format: text(), metadata: { keyBytes: 'k' } });
    expect(read(asBytes, records).rows).toEqual([{ value: 'a', k: invalid }]);
  });

  test('headers are a list of names and values', () => {
    const source = kafka.source({ ...base, format: text(), metadata: { headers: 'h' } });
    const headers: PlainRecord['headers'] = [
      ['trace', encoder.encode('12345678901234567890')],
      ['', null],
      ['ü', new Uint8Array(0)],
    ];
    const { rows } = read(source, [record(0, 'a', { headers }), record(1, 'b')]);
    expect(rows.map(({ h }) => h)).toEqual([headers.map(([name, value]) => ({ name, value })), []]);
  });
});
