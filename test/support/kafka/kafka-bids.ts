/** Bids in a topic, and their counts in windows: sent, counted by a plain loop, and read back. */
import type { KafkaClient } from '../../../connectors/kafka/kafka-client.ts';
import { recordBatch, recordsIn, textRecord, valueText } from './kafka-clients.ts';

export interface Bid {
  readonly auction: number;
  readonly price: number;
  readonly date_time: number;
}

const recordsPerBatch = 1_000;

/** Sends bids in turn to the partitions of a topic, so that each is in the order of time; their auction is their key. */
export async function sendBids(
  client: KafkaClient,
  to: { readonly topic: string; readonly partitionCount: number },
  bids: readonly Bid[],
): Promise<void> {
  const producer = await client.producer(to.topic);
  for (let partition = 0; partition < to.partitionCount; partition++) {
    const own = bids.filter((_, n) => n % to.partitionCount === partition);
    const records = own.map((bid) =>
      textRecord(JSON.stringify(bid), {
        key: new TextEncoder().encode(String(bid.auction)),
        timestampMs: bid.date_time,
      }),
    );
    for (let at = 0; at < records.length; at += recordsPerBatch) {
      await producer.send([recordBatch(partition, records.slice(at, at + recordsPerBatch))]);
    }
  }
}

/** What the counts should be, a line for each window and auction. */
export function countsOf(bids: readonly Bid[], sizeMs: number): string[] {
  const counts = new Map<string, { bids: number; total: number }>();
  for (const { auction, price, date_time } of bids) {
    const window = new Date(Math.floor(date_time / sizeMs) * sizeMs).toISOString();
    const key = `${window} ${auction}`;
    const { bids: before, total } = counts.get(key) ?? { bids: 0, total: 0 };
    counts.set(key, { bids: before + 1, total: total + price });
  }
  return [...counts].map(([key, { bids: n, total }]) => `${key} ${n} ${total}`).sort();
}

/** A count as it was written, and the record that it was in. */
export interface FoundCount {
  readonly windowStart: string;
  readonly auction: number;
  readonly bids: number;
  readonly total: number;
  readonly key: string;
  readonly timestampMs: number;
}

/** The counts in both partitions of a topic. */
export async function countsIn(
  client: KafkaClient,
  topic: string,
  isolation: 'committed' | 'uncommitted' = 'uncommitted',
): Promise<FoundCount[]> {
  const partitions = [
    await recordsIn(client, topic, 0, isolation),
    await recordsIn(client, topic, 1, isolation),
  ];
  return partitions.flat().map((record) => ({
    ...JSON.parse(valueText(record) ?? ''),
    key: new TextDecoder().decode(record.key ?? undefined),
    timestampMs: record.timestampMs,
  }));
}

/** As `countsOf` has them. */
export function linesOf(counts: readonly FoundCount[]): string[] {
  return counts
    .map(({ windowStart, auction, bids, total }) => `${windowStart} ${auction} ${bids} ${total}`)
    .sort();
}
