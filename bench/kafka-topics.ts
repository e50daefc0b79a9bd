/** The topics of the Kafka bench, filled with ready-made record batches: values that are all alike, and bids as JSON by auction. */
import { createRealClock } from '../base/env/real-clock.ts';
import { createRealTimers } from '../base/env/real-timers.ts';
import { connectionOptionsOf } from '../connectors/kafka/connection-options.ts';
import type { KafkaClient } from '../connectors/kafka/kafka-client.ts';
import { partitionOfKey } from '../connectors/kafka/key-partitioner.ts';
import { withKafkaClient } from '../connectors/kafka/open-client.ts';
import { RecordBatchBuilder } from '../connectors/kafka/record-batch-builder.ts';

const partitionCount = 4;
const batchRecords = 1_000;
const startMs = 1_700_000_000_000;
/** Bids per millisecond of event time. */
const bidsPerMs = 2;
const auctionCount = 1_000;

export function withClient<T>(
  brokers: string,
  work: (client: KafkaClient) => Promise<T>,
): Promise<T> {
  const env = { clock: createRealClock(), timers: createRealTimers() };
  return withKafkaClient(connectionOptionsOf({ brokers }), env, work);
}

export function makeTopic(brokers: string, topic: string): Promise<void> {
  return withClient(brokers, (client) => client.createTopic(topic, { partitionCount }));
}

/** Records without keys, in turn to the partitions. */
export async function fillPlain(
  brokers: string,
  {
    topic,
    count,
    bytes,
  }: { readonly topic: string; readonly count: number; readonly bytes: number },
): Promise<void> {
  const value = new Uint8Array(bytes).fill(0x78);
  await fill(brokers, topic, (add) => {
    for (let n = 0; n < count; n++) {
      add(Math.floor(n / batchRecords) % partitionCount, null, value, startMs);
    }
  });
}

/** Bids in the order of time; those of an auction are in one partition. */
export async function fillBids(
  brokers: string,
  { topic, count }: { readonly topic: string; readonly count: number },
): Promise<void> {
  const encoder = new TextEncoder();
  await fill(brokers, topic, (add) => {
    for (let n = 0; n < count; n++) {
      const auction = 1_000 + ((n * 7_919) % auctionCount);
      const time = startMs + Math.floor(n / bidsPerMs);
      const bid = { auction, price: n % 997, date_time: time, bidder: n % 10_007, channel: 'web' };
      const key = encoder.encode(String(auction));
      add(partitionOfKey(key, partitionCount), key, encoder.encode(JSON.stringify(bid)), time);
    }
  });
}

type Add = (partition: number, key: Uint8Array | null, value: Uint8Array, timeMs: number) => void;

async function fill(brokers: string, topic: string, records: (add: Add) => void): Promise<void> {
  const builders: RecordBatchBuilder[] = [];
  const batches: ReturnType<RecordBatchBuilder['build']>[][] = [];
  records((partition, key, value, timeMs) => {
    builders[partition] ??= new RecordBatchBuilder(partition);
    builders[partition].add(key, value, timeMs);
    if (builders[partition].recordCount < batchRecords) return;
    batches[partition] ??= [];
    batches[partition].push(builders[partition].build());
    delete builders[partition];
  });
  for (const [partition, builder] of builders.entries()) {
    if (builder === undefined) continue;
    batches[partition] ??= [];
    batches[partition].push(builder.build());
  }
  await withClient(brokers, async (client) => {
    const producer = await client.producer(topic);
    const most = Math.max(...batches.map((own) => own?.length ?? 0));
    for (let turn = 0; turn < most; turn++) {
      const next = batches.flatMap((own) => own?.[turn] ?? []);
      await producer.send(next);
    }
  });
}
