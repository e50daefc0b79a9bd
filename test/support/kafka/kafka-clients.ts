/** Clients of the tests' broker, the records that they write, and all that a topic holds. */
import { onTestFinished } from 'vitest';
import { createRealClock } from '../../../base/env/real-clock.ts';
import { createRealTimers } from '../../../base/env/real-timers.ts';
import { AbortedProducers } from '../../../connectors/kafka/aborted-producers.ts';
import {
  batchAttributes,
  batchHeader,
  batchPrefixBytes,
} from '../../../connectors/kafka/batch-header.ts';
import {
  connectionOptionsOf,
  type KafkaConnectionOptions,
  type KafkaConnectionSettings,
} from '../../../connectors/kafka/connection-options.ts';
import type {
  EncodedBatch,
  Isolation,
  KafkaClient,
} from '../../../connectors/kafka/kafka-client.ts';
import { openKafkaClient } from '../../../connectors/kafka/open-client.ts';
import {
  type PlainRecord,
  plainBatchOf,
  plainRecordsOf,
} from '../../../connectors/kafka/plain-records.ts';
import type { KafkaEnv } from '../../../connectors/kafka/retrying.ts';

export const kafkaEnv: KafkaEnv = { clock: createRealClock(), timers: createRealTimers() };

export function clientOptions(
  brokers: string,
  settings: Partial<KafkaConnectionSettings> = {},
): KafkaConnectionOptions {
  return connectionOptionsOf({ brokers, ...settings });
}

/** A client that is closed when the test has ended. */
export async function testClient(
  brokers: string,
  settings: Partial<KafkaConnectionSettings> = {},
): Promise<KafkaClient> {
  const client = await openKafkaClient(clientOptions(brokers, settings), kafkaEnv);
  onTestFinished(() => client.close());
  return client;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function textRecord(value: string, more: Partial<PlainRecord> = {}): PlainRecord {
  const plain = { offset: 0, timestampMs: 1_000, key: null, headers: [] };
  return { ...plain, value: encoder.encode(value), ...more };
}

/** A batch of texts, for a producer. */
export function textBatch(partition: number, values: readonly string[]): EncodedBatch {
  return recordBatch(
    partition,
    values.map((value) => textRecord(value)),
  );
}

export function recordBatch(partition: number, records: readonly PlainRecord[]): EncodedBatch {
  const numbered = records.map((record, offset) => ({ ...record, offset }));
  return { partition, recordCount: records.length, bytes: plainBatchOf(numbered) };
}

/** All records of a topic partition up to its end now, without markers; committed ones only, or all. */
export async function recordsIn(
  client: KafkaClient,
  topic: string,
  partition = 0,
  isolation: Isolation = 'uncommitted',
): Promise<PlainRecord[]> {
  const [leader, end = 0] = await Promise.all([
    client.partitionsOf(topic).then((all) => all[partition]?.leader ?? -1),
    client.offsetsOf(topic, 'latest', isolation).then((ends) => ends[partition]),
  ]);
  const records: PlainRecord[] = [];
  for (let offset = 0; offset < end; ) {
    const [fetched] = await client.fetch({
      ...{ topic, leader, isolation, partitions: [{ partition, offset }] },
      ...{ waitMaxMs: 500, partitionBytesMax: 1 << 20, bytesMax: 1 << 20 },
    });
    const batches = batchesIn(fetched?.records ?? new Uint8Array(0));
    const aborted = new AbortedProducers(isolation === 'committed' ? (fetched?.aborted ?? []) : []);
    for (const batch of batches.filter((one) => !isLeftOut(one, aborted))) {
      records.push(...plainRecordsOf(batch).filter((record) => record.offset >= offset));
    }
    offset = batches.reduce((next, batch) => Math.max(next, endOf(batch)), offset);
  }
  return records;
}

export function valueText({ value }: PlainRecord): string | null {
  return value === null ? null : decoder.decode(value);
}

/** The batches that are there whole. */
function batchesIn(bytes: Uint8Array): Uint8Array[] {
  const batches: Uint8Array[] = [];
  for (let at = 0; at + batchHeader.size <= bytes.length; ) {
    const size = viewOf(bytes, at).getInt32(batchHeader.length) + batchPrefixBytes;
    if (at + size > bytes.length) break;
    batches.push(bytes.subarray(at, at + size));
    at += size;
  }
  return batches;
}

/** Whether it is a marker, or was aborted; batches are asked of in their order. */
function isLeftOut(batch: Uint8Array, aborted: AbortedProducers): boolean {
  const view = viewOf(batch);
  const producerId = Number(view.getBigInt64(batchHeader.producerId));
  const isControl = (view.getInt16(batchHeader.attributes) & batchAttributes.control) !== 0;
  if (isControl && isAbort(batch)) aborted.end(producerId, endOf(batch) - 1);
  return isControl || aborted.leavesOut(producerId, endOf(batch) - 1);
}

/** What kind a marker is of stands in its key, behind a version. */
function isAbort(marker: Uint8Array): boolean {
  const [record] = plainRecordsOf(marker);
  return record?.key?.[3] === 0;
}

function endOf(batch: Uint8Array): number {
  const view = viewOf(batch);
  return Number(view.getBigInt64(0)) + view.getInt32(batchHeader.lastOffsetDelta) + 1;
}

function viewOf(bytes: Uint8Array, at = 0): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset + at, bytes.byteLength - at);
}
