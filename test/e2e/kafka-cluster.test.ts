/**
 * Goal: three brokers with replicas of everything: when the leader of what a job reads, writes and asks for its transactions
 * is killed, the job goes on in its process, as it is, and counts every window once.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { projectFolder, runCli, startCli, summaryOf } from '../support/cli-process.ts';
import { auditCounts, nothingWrong } from '../support/kafka/count-audit.ts';
import { countsIn, countsOf, sendBids } from '../support/kafka/kafka-bids.ts';
import { testClient } from '../support/kafka/kafka-clients.ts';
import { KafkaCluster } from '../support/kafka/kafka-cluster.ts';
import { tempFolder } from '../support/temp-folder.ts';

const startMs = 1_700_000_000_000;
const partitionCount = 3;
const bidCount = 90_000;

let cluster: KafkaCluster;
beforeAll(async () => {
  cluster = await KafkaCluster.start();
}, 900_000);
afterAll(() => cluster?.remove());

const bids = Array.from({ length: bidCount }, (_, n) => {
  return { auction: 1_000 + ((n * 7919) % 37), price: n % 101, date_time: startMs + n * 10 };
});

const patient = { timeout: 60_000 };

/** Of all attempts that the log of checkpoints knows. */
function epochsIn(folder: string): number[] {
  const entries = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));
  return [...new Set(entries.map((line) => JSON.parse(line.slice(line.indexOf('{'))).epoch))];
}

const leadersOf = async (topic: string) => {
  const client = await testClient(cluster.address);
  return (await client.partitionsOf(topic)).map(({ leader }) => leader);
};

test('two leaders killed one after the other, and the job goes on as it is', {
  timeout: 400_000,
}, async () => {
  const client = await testClient(cluster.address);
  await client.createTopic('bids', { partitionCount });
  await client.createTopic('counts', { partitionCount: 2 });
  await sendBids(client, { topic: 'bids', partitionCount }, bids);
  const folder = tempFolder();
  const options = {
    ...{ cwd: folder, deadlineMs: 300_000 },
    env: { MILLRACE_JOBS_DIR: join(folder, 'run') },
  };
  const start = (...flags: string[]) =>
    startCli(
      [
        ...['run', join(projectFolder, 'jobs/kafka-counts/job.ts'), '--json', '--size', '1'],
        ...['--brokers', cluster.address, '--until-offset', 'end', '--delivery', 'exactly-once'],
        ...['--checkpoint-dir', 'chk', '--checkpoint-interval', '300ms', ...flags],
      ],
      options,
    );
  const job = start('--rate', '1000');
  const committed = async () =>
    (await client.offsetsOf('counts', 'latest', 'committed')).reduce((sum, end) => sum + end, 0);
  let hasEnded = false;
  const ended = job.ended.then((result) => {
    hasEnded = true;
    return result;
  });
  const goesOn = async () => {
    const before = await committed();
    await expect.poll(async () => hasEnded || (await committed()) > before, patient).toBe(true);
  };
  let killCount = 0;
  for (const topic of ['counts', 'bids']) {
    await goesOn();
    if (hasEnded) break;
    const [leader = -1] = await leadersOf(topic);
    await cluster.broker(leader).kill();
    killCount++;
    await expect.poll(async () => (await leadersOf(topic)).includes(leader), patient).toBe(false);
    await goesOn();
    await cluster.broker(leader).resume();
    // The next one may be killed when all replicas are in step again.
    await expect.poll(() => cluster.inStep(topic), patient).toBe(true);
  }
  expect(killCount).toBeGreaterThan(0);
  // The same attempt from the first row to the last one; what is left is read at full speed.
  await runCli(['stop', 'kafka-counts'], options);
  summaryOf(await ended);
  expect(epochsIn(join(folder, 'chk/kafka-counts/log'))).toEqual([1]);
  summaryOf(await start('--restore', 'latest').ended);
  expect(auditCounts(await countsIn(client, 'counts', 'committed'), countsOf(bids, 1_000))).toEqual(
    nothingWrong,
  );
});
