/**
 * Goal: windows from a topic to a topic, in transactions, are counted exactly once however often the process is killed:
 * every count is read back, committed records only, and compared with a plain loop over all bids.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { drawing } from '../../jobs/ledger/make-entries.ts';
import { startCli, summaryOf } from '../support/cli-process.ts';
import { countsIn, countsOf, linesOf, sendBids } from '../support/kafka/kafka-bids.ts';
import { KafkaBroker } from '../support/kafka/kafka-broker.ts';
import { testClient } from '../support/kafka/kafka-clients.ts';
import { killRun } from '../support/killed-run.ts';
import { tempFolder } from '../support/temp-folder.ts';

const startMs = 1_700_000_000_000;
const bidCount = 30_000;
const killCount = 6;
const partitionCount = 3;

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
  await client.createTopic('bids', { partitionCount });
  await client.createTopic('counts', { partitionCount: 2 });
  await sendBids(client, { topic: 'bids', partitionCount }, bids);
}

async function foundCounts(): Promise<string[]> {
  const client = await testClient(broker.address);
  return linesOf(await countsIn(client, 'counts', 'committed'));
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
  expect(await foundCounts()).toEqual(countsOf(bids, 1_000));
  // Otherwise it would have shown nothing.
  expect(counted).toBeGreaterThan(0);
  expect(killed).toBeGreaterThan(3);
});
