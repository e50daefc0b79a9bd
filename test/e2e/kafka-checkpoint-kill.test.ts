/**
 * Goal: windows from a topic to a topic, in transactions, are counted exactly once however often the process is killed:
 * every count is read back, committed records only, and compared with a plain loop over all bids.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { drawing } from '../../jobs/ledger/make-entries.ts';
import { startCli, summaryOf } from '../support/cli-process.ts';
import { KafkaBroker } from '../support/kafka/kafka-broker.ts';
import {
  recordBatch,
  recordsIn,
  testClient,
  textRecord,
  valueText,
} from '../support/kafka/kafka-clients.ts';
import { killRun } from '../support/killed-run.ts';
import { tempFolder } from '../support/temp-folder.ts';

const startMs = 1_700_000_000_000;
const bidCount = 30_000;
const killCount = 6;
const partitions = [0, 1, 2];

let broker: KafkaBroker;
beforeAll(async () => {
  broker = await KafkaBroker.start();
}, 900_000);
afterAll(() => broker?.remove());

const bids = Array.from({ length: bidCount }, (_, n) => {
  return { auction: 1_000 + ((n * 7919) % 37), price: n % 101, date_time: startMs + n * 10 };
});

async function makeTopics(): Promise<void> {
  const client = await testClient(broker.address);
  await client.createTopic('bids', { partitionCount: partitions.length });
  await client.createTopic('counts', { partitionCount: 2 });
  const producer = await client.producer('bids');
  for (const partition of partitions) {
    const own = bids.filter((_, n) => n % partitions.length === partition);
    const records = own.map((bid) =>
      textRecord(JSON.stringify(bid), { key: null, timestampMs: bid.date_time }),
    );
    for (let at = 0; at < records.length; at += 1_000) {
      await producer.send([recordBatch(partition, records.slice(at, at + 1_000))]);
    }
  }
}

function expectedCounts(): string[] {
  const counts = new Map<string, { bids: number; total: number }>();
  for (const { auction, price, date_time } of bids) {
    const window = new Date(Math.floor(date_time / 1_000) * 1_000).toISOString();
    const key = `${window} ${auction}`;
    const { bids: before, total } = counts.get(key) ?? { bids: 0, total: 0 };
    counts.set(key, { bids: before + 1, total: total + price });
  }
  return [...counts].map(([key, { bids: n, total }]) => `${key} ${n} ${total}`).sort();
}

async function foundCounts(): Promise<string[]> {
  const client = await testClient(broker.address);
  const committed = (partition: number) => recordsIn(client, 'counts', partition, 'committed');
  const records = [await committed(0), await committed(1)];
  return records
    .flat()
    .map((record) => {
      const { windowStart, auction, bids: n, total } = JSON.parse(valueText(record) ?? '');
      return `${windowStart} ${auction} ${n} ${total}`;
    })
    .sort();
}

test(`${killCount} kills, and every window is counted once`, { timeout: 300_000 }, async () => {
  await makeTopics();
  const folder = tempFolder();
  const run = (flags: readonly string[]) =>
    startCli(
      [
        ...['run', join(import.meta.dirname, '../../jobs/kafka-counts/job.ts'), '--json'],
        ...['--brokers', broker.address, '--from', 'bids', '--to', 'counts', '--size', '1'],
        ...['--delivery', 'exactly-once', '--until-offset', 'end', '--restore', 'latest'],
        ...['--checkpoint-dir', 'chk', '--checkpoint-interval', '200ms', ...flags],
      ],
      { cwd: folder },
    );
  const draw = drawing(3);
  let killed = 0;
  for (let kill = 0; kill < killCount; kill++) {
    const isKilled = await killRun({
      start: () => run(['--rate', '2000', '--parallelism', String(1 + (kill % 2))]),
      logFolder: join(folder, 'chk/kafka-counts/log'),
      lifeMs: 1_000 + draw(2_500),
    });
    if (isKilled) killed++;
  }
  const counted = (await foundCounts()).length;
  summaryOf(await run(['--parallelism', '2']).ended);
  expect(await foundCounts()).toEqual(expectedCounts());
  // Otherwise it would have shown nothing.
  expect(counted).toBeGreaterThan(0);
  expect(killed).toBeGreaterThan(3);
});
