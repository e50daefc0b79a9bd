/** Goal: the ready jobs of Kafka do from the command line what their pages say, against a real broker. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectFailure, runCli, startCli, summaryOf } from '../support/cli-process.ts';
import { countsIn, countsOf, linesOf, sendBids } from '../support/kafka/kafka-bids.ts';
import { KafkaBroker } from '../support/kafka/kafka-broker.ts';
import { recordsIn, testClient } from '../support/kafka/kafka-clients.ts';
import { tempFolder } from '../support/temp-folder.ts';

const startMs = 1_700_000_000_000;
let broker: KafkaBroker;
let topicCount = 0;

beforeAll(async () => {
  broker = await KafkaBroker.start();
}, 900_000);
afterAll(() => broker?.remove());

const bidCount = 20_000;
const bidOf = (n: number) => {
  return { auction: 1_000 + ((n * 7919) % 13), price: n % 101, date_time: startMs + n * 10 };
};

/** A topic of bids in three partitions, each in the order of time, and one for counts. */
async function bidTopics(count = bidCount) {
  const client = await testClient(broker.address);
  const [from, to] = [`bids-${topicCount}`, `counts-${topicCount++}`];
  await client.createTopic(from, { partitionCount: 3 });
  await client.createTopic(to, { partitionCount: 2 });
  const bids = Array.from({ length: count }, (_, n) => bidOf(n));
  await sendBids(client, { topic: from, partitionCount: 3 }, bids);
  return { client, from, to, bids };
}

async function foundCounts(topic: string): Promise<string[]> {
  const counts = await countsIn(await testClient(broker.address), topic);
  for (const { key, auction, timestampMs, windowStart } of counts) {
    expect(key).toBe(String(auction));
    expect(timestampMs).toBe(Date.parse(windowStart));
  }
  return linesOf(counts);
}

test('kafka-to-files writes a line for each record that is there', async () => {
  const { from, bids } = await bidTopics();
  const output = join(tempFolder({}), 'bids.ndjson');
  const flags = ['--brokers', broker.address, '--from', from, '--until-offset', 'end'];
  const args = ['run', 'jobs/kafka-to-files/job.ts', ...flags, '--output', output, '--json'];
  summaryOf(await runCli(args));
  const lines = readFileSync(output, 'utf8').trimEnd().split('\n');
  const rows = lines.map((line) => JSON.parse(line));
  expect(rows).toHaveLength(bids.length);
  const places = new Set(rows.map(({ partition, offset }) => `${partition} ${offset}`));
  expect(places.size).toBe(bids.length);
  expect(rows.map(({ value }) => value).sort()).toEqual(
    bids.map((bid) => JSON.stringify(bid)).sort(),
  );
  const [first] = rows.filter(({ partition, offset }) => partition === 1 && offset === 2);
  const seventh = bidOf(7);
  expect(first.key).toBe(String(seventh.auction));
  expect(Date.parse(first.timestamp)).toBe(seventh.date_time);
});

test.each(['at-least-once', 'exactly-once'])(
  'kafka-counts writes what a plain loop counts, %s',
  async (delivery) => {
    const { client, from, to, bids } = await bidTopics();
    const topics = ['--brokers', broker.address, '--from', from, '--to', to];
    const flags = [...topics, '--until-offset', 'end', '--delivery', delivery];
    summaryOf(await runCli(['run', 'jobs/kafka-counts/job.ts', ...flags, '--json']));
    expect(await foundCounts(to)).toEqual(countsOf(bids, 10_000));
    const committed = await recordsIn(client, to, 0, 'committed');
    expect(committed).toHaveLength((await recordsIn(client, to, 0)).length);
  },
);

test('kafka-counts as a stream writes each window when time has passed it', async () => {
  const { client, from, to, bids } = await bidTopics(3_000);
  const flags = ['--brokers', broker.address, '--from', from, '--to', to];
  const job = startCli(['run', 'jobs/kafka-counts/job.ts', ...flags]);
  const ends = async () => {
    return (await client.offsetsOf(to, 'latest', 'committed')).reduce((sum, end) => sum + end, 0);
  };
  // The last window stays open: nothing says that it is over.
  const complete = bids.filter(({ date_time }) => date_time < startMs + 20_000);
  const wanted = countsOf(complete, 10_000);
  await expect.poll(ends, { timeout: 60_000 }).toBe(wanted.length);
  job.kill('SIGINT');
  expect((await job.ended).exitCode).toBe(130);
  expect(await foundCounts(to)).toEqual(wanted);
});

test('a topic to write that is not there ends the job before a row is made', async () => {
  const { from } = await bidTopics(1);
  const flags = ['--brokers', broker.address, '--from', from, '--to', 'nowhere'];
  const result = await runCli(['run', 'jobs/kafka-counts/job.ts', ...flags, '--json']);
  expectFailure(result, { code: 'KAFKA_TOPIC_NOT_FOUND', exitCode: 1, says: /topic "nowhere"/ });
});
