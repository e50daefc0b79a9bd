/**
 * Goal: record batches become tables of just the records that are in them, whatever the codec and however they are
 * cut; what was aborted is left out; and damage anywhere is an error, and never other records.
 */
import { createRecordsBatch } from '@platformatic/kafka';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { codeOf } from '../../../base/typed-error.ts';
import { batchHeader, stampProducer } from '../../../connectors/kafka/batch-header.ts';
import type { FetchedPartition, Isolation } from '../../../connectors/kafka/kafka-client.ts';
import {
  type PlainRecord,
  plainBatchOf,
  plainRecordsOf,
} from '../../../connectors/kafka/plain-records.ts';
import { RecordBatches } from '../../../connectors/kafka/record-batches.ts';
import { forEachHeader } from '../../../connectors/kafka/record-scan.ts';
import { RecordTable } from '../../../connectors/kafka/record-table.ts';
import { instantiateKernels } from '../../../engine/kernels/kernels.ts';
import { SlotMemory } from '../../../engine/memory/slot-memory.ts';

const memory = new SlotMemory({ budgetBytes: 64 << 20, poison: true });
const kernels = instantiateKernels(memory.memory);
const everything = { start: 0, end: Number.MAX_SAFE_INTEGER };

interface Given {
  readonly range?: { readonly start: number; readonly end: number };
  readonly isolation?: Isolation;
  readonly aborted?: FetchedPartition['aborted'];
}

/** All that tables get of some answers of fetches, as plain records. */
function readAll(answers: readonly Uint8Array[], given: Given = {}) {
  const { range = everything, isolation = 'committed', aborted = [] } = given;
  const options = { scope: memory.scope('test'), kernels, topic: 't', partition: 3 };
  const batches = new RecordBatches({ ...options, range, isolation });
  const table = new RecordTable(memory);
  const records: PlainRecord[] = [];
  try {
    for (const bytes of answers) {
      batches.add({ partition: 3, errorCode: 0, records: bytes, endOffset: 0, aborted });
      while (!batches.isEmpty) {
        batches.fill(table);
        for (let row = 0; row < table.rowCount; row++) records.push(plainRecord(table, row));
        if (table.rowCount === 0 && batches.nextOffset >= range.end) break;
        table.clear();
      }
    }
    return { records, nextOffset: batches.nextOffset };
  } finally {
    table.clear();
    batches.close();
    memory.assertEmpty();
  }
}

function plainRecord(table: RecordTable, row: number): PlainRecord {
  const bytesAt = (at: number, size: number) =>
    size < 0 ? null : memory.bytes.slice(at, at + size);
  const headers: [string, Uint8Array | null][] = [];
  const at = table.headersAt[row] ?? 0;
  forEachHeader(memory.bytes, at, table.headerCounts[row] ?? 0, (name, nameSize, value, size) => {
    headers.push([
      new TextDecoder().decode(bytesAt(name, nameSize) ?? undefined),
      bytesAt(value, size),
    ]);
  });
  return {
    offset: table.offsets[row] ?? -1,
    timestampMs: table.timestampsMs[row] ?? -1,
    key: bytesAt(table.keyAt[row] ?? 0, table.keySize[row] ?? 0),
    value: bytesAt(table.valueAt[row] ?? 0, table.valueSize[row] ?? 0),
    headers,
  };
}

const bytesOrNull = fc.option(fc.uint8Array({ maxLength: 200 }));
const recordParts = fc.record({
  gap: fc.nat({ max: 3 }),
  timestampMs: fc.integer({ min: 0, max: 2 ** 45 }),
  key: bytesOrNull,
  value: bytesOrNull,
  headers: fc.array(fc.tuple(fc.string({ maxLength: 9 }), bytesOrNull), { maxLength: 3 }),
});

/** Offsets grow, with gaps as compaction leaves them. */
function numbered(parts: readonly { gap: number }[], from: number): PlainRecord[] {
  let offset = from;
  return parts.map(({ gap, ...rest }) => {
    offset += gap + 1;
    return { ...(rest as unknown as PlainRecord), offset };
  });
}

const noProducer = { producerId: -1, epoch: -1, sequence: -1, isTransactional: false };

function batchOf(records: readonly PlainRecord[], producer = noProducer): Uint8Array {
  const batch = plainBatchOf(records);
  stampProducer(batch, producer);
  return batch;
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts));
}

test('batches of any records, several to an answer, give just these', () => {
  fc.assert(
    fc.property(fc.array(fc.array(recordParts, { minLength: 1, maxLength: 20 })), (batches) => {
      let last = -1;
      const all = batches.map((parts) => {
        const records = numbered(parts, last);
        last = records.at(-1)?.offset ?? last;
        return records;
      });
      const found = readAll([concat(all.map((records) => batchOf(records)))]);
      expect(found.records).toEqual(all.flat());
      expect(all.flatMap((records) => plainRecordsOf(batchOf(records)))).toEqual(all.flat());
      expect(found.nextOffset).toBe(last + 1);
    }),
  );
});

test('more records than a table holds come in several, and a batch is cut where it is full', () => {
  const values = Array.from({ length: 20_000 }, (_, offset) => ({
    ...{ offset, timestampMs: offset, key: null, headers: [] },
    value: new TextEncoder().encode(`value ${offset}`),
  }));
  const answers = [batchOf(values.slice(0, 9_000)), batchOf(values.slice(9_000))];
  const { records } = readAll(answers);
  expect(records.map(({ offset }) => offset)).toEqual(values.map(({ offset }) => offset));
});

describe.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)('codec %s', (compression) => {
  test("what the client's own encoder has written is read", () => {
    fc.assert(
      fc.property(fc.array(recordParts, { minLength: 1, maxLength: 30 }), (parts) => {
        const messages = parts.map(({ key, value, headers, timestampMs }) => ({
          // That encoder breaks where times are more than 2^31 ms apart.
          ...{ topic: 't', partition: 0, timestamp: BigInt(timestampMs % 2 ** 31) },
          key: key === null ? undefined : Buffer.from(key),
          value: value === null ? undefined : Buffer.from(value),
          headers: new Map(
            headers.map(([name, one]) => [Buffer.from(name), one && Buffer.from(one)]),
          ),
        }));
        const batch = createRecordsBatch(messages as never, { compression }).buffer;
        const { records } = readAll([Uint8Array.from(batch)]);
        const wanted = parts.map(({ timestampMs, key, value }, offset) => {
          return { offset, timestampMs: timestampMs % 2 ** 31, key, value };
        });
        expect(records.map(({ headers: _, ...rest }) => rest)).toEqual(wanted);
        const names = records.map(({ headers }) => headers.map(([name]) => name));
        expect(names).toEqual(parts.map(({ headers }) => headers.map(([name]) => name)));
      }),
    );
  });

  test('a bit that is flipped is found, and no record is given', () => {
    const messages = Array.from({ length: 40 }, (_, at) => ({
      ...{ topic: 't', partition: 0, timestamp: 1_000n, key: undefined },
      value: Buffer.from(`value ${at % 7} ${at % 7}`),
    }));
    const whole = Uint8Array.from(createRecordsBatch(messages as never, { compression }).buffer);
    fc.assert(
      fc.property(fc.nat({ max: whole.length * 8 - 1 }), (bit) => {
        const damaged = whole.slice();
        damaged[bit >>> 3] = (damaged[bit >>> 3] ?? 0) ^ (1 << (bit & 7));
        // Offset and leader's epoch are the broker's, and outside of the sum.
        fc.pre(bit >>> 3 >= batchHeader.length && !isIn(bit >>> 3, 12, 16));
        expect(outcomeOf(damaged)).toMatch(/^(KAFKA_RECORDS_CORRUPT|KAFKA_FEATURE_UNSUPPORTED|0)$/);
      }),
      { numRuns: 300 },
    );
  });

  test('a batch that is cut off anywhere gives nothing, and waits for the next answer', () => {
    const messages = [{ topic: 't', partition: 0, value: Buffer.from('x'.repeat(99)) }];
    const whole = Uint8Array.from(createRecordsBatch(messages as never, { compression }).buffer);
    for (let size = 0; size < whole.length; size++) {
      expect(readAll([whole.slice(0, size)])).toEqual({ records: [], nextOffset: 0 });
    }
  });
});

function isIn(at: number, start: number, end: number): boolean {
  return at >= start && at < end;
}

/** The code that reading ends with, or how many records it gave. */
function outcomeOf(bytes: Uint8Array): string {
  try {
    return String(readAll([bytes]).records.length);
  } catch (error) {
    return codeOf(error) ?? String(error);
  }
}

test('records whose sum is right and whose lengths are not are damage, never other records', () => {
  const batch = plainBatchOf(
    numbered(
      [
        { gap: 0, ...textOf('a') },
        { gap: 0, ...textOf('b') },
      ],
      -1,
    ),
  );
  fc.assert(
    fc.property(
      fc.integer({ min: batchHeader.size, max: batch.length - 1 }),
      fc.nat({ max: 255 }),
      (at, byte) => {
        const damaged = batch.slice();
        damaged[at] = byte;
        stampProducer(damaged, noProducer);
        // It may still be two records, or say why it is none.
        expect(outcomeOf(damaged)).toMatch(/^(KAFKA_RECORDS_CORRUPT|[012])$/);
      },
    ),
    { numRuns: 2_000 },
  );
});

function textOf(value: string) {
  const plain = { timestampMs: 1_000, key: null, headers: [] };
  return { ...plain, value: new TextEncoder().encode(value) };
}

test('a range takes its records out of batches that begin before it and end behind it', () => {
  const records = numbered(
    Array.from({ length: 10 }, (_, at) => ({ gap: 0, ...textOf(`value ${at}`) })),
    -1,
  );
  const answer = concat([batchOf(records.slice(0, 4)), batchOf(records.slice(4))]);
  const found = readAll([answer], { range: { start: 2, end: 7 } });
  expect(found.records.map(({ offset }) => offset)).toEqual([2, 3, 4, 5, 6]);
  expect(found.nextOffset).toBe(7);
});

describe('transactions', () => {
  const records = (from: number, values: readonly string[]) =>
    numbered(
      values.map((value) => ({ gap: 0, ...textOf(value) })),
      from - 1,
    );
  const sent = (producerId: number, from: number, values: readonly string[]) =>
    batchOf(records(from, values), { producerId, epoch: 0, sequence: 0, isTransactional: true });

  /** A control batch: its one record has a version and a type as its key. */
  function marker(producerId: number, offset: number, type: 0 | 1): Uint8Array {
    const key = new Uint8Array([0, 0, 0, type]);
    const batch = plainBatchOf([{ ...textOf(''), key, offset }]);
    const view = new DataView(batch.buffer);
    view.setInt16(batchHeader.attributes, 32);
    stampProducer(batch, { producerId, epoch: 0, sequence: -1, isTransactional: true });
    return batch;
  }

  const log = concat([
    sent(7, 0, ['a']),
    sent(9, 1, ['b']),
    marker(7, 2, 1),
    sent(7, 3, ['c', 'd']),
    sent(9, 5, ['e']),
    marker(7, 6, 0),
    sent(7, 7, ['f']),
    marker(9, 8, 1),
    marker(7, 9, 1),
  ]);
  const aborted = [{ producerId: 7, firstOffset: 3 }];
  const valuesOf = (given: Given) =>
    readAll([log], given).records.map(({ value }) => new TextDecoder().decode(value ?? undefined));

  test('records of aborted ones are left out, and markers always', () => {
    expect(valuesOf({ aborted })).toEqual(['a', 'b', 'e', 'f']);
    expect(readAll([log], { aborted }).nextOffset).toBe(10);
  });

  test('whoever wants all gets all', () => {
    const all = ['a', 'b', 'c', 'd', 'e', 'f'];
    expect(valuesOf({ aborted, isolation: 'uncommitted' })).toEqual(all);
  });

  test('reading that begins within an aborted one leaves its rest out', () => {
    expect(valuesOf({ aborted, range: { start: 4, end: 100 } })).toEqual(['e', 'f']);
  });
});

test('formats before 2 are refused by name', () => {
  const batch = batchOf(numbered([{ gap: 0, ...textOf('a') }], -1));
  batch[batchHeader.magic] = 1;
  expect(outcomeOf(batch)).toBe('KAFKA_FEATURE_UNSUPPORTED');
});
