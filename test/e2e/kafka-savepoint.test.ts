/**
 * Goal: windows from a topic to a topic, in transactions, are counted once while the job is given another parallelism, stopped
 * with a savepoint, and gone on with from there.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { projectFolder, runCli, startCli, summaryOf } from '../support/cli-process.ts';
import { countsIn, countsOf, linesOf, sendBids } from '../support/kafka/kafka-bids.ts';
import { KafkaBroker } from '../support/kafka/kafka-broker.ts';
import { testClient } from '../support/kafka/kafka-clients.ts';
import { tempFolder } from '../support/temp-folder.ts';

const startMs = 1_700_000_000_000;
const partitionCount = 3;

let broker: KafkaBroker;
beforeAll(async () => {
  broker = await KafkaBroker.start();
}, 900_000);
afterAll(() => broker?.remove(), 60_000);

const bids = Array.from({ length: 40_000 }, (_, n) => {
  return { auction: 1_000 + ((n * 7919) % 37), price: n % 101, date_time: startMs + n * 10 };
});

async function foundCounts(): Promise<string[]> {
  const client = await testClient(broker.address);
  return linesOf(await countsIn(client, 'counts', 'committed'));
}

test('rescaled, stopped and gone on with: every window is counted once', {
  timeout: 400_000,
}, async () => {
  const client = await testClient(broker.address);
  await client.createTopic('bids', { partitionCount });
  await client.createTopic('counts', { partitionCount: 2 });
  await sendBids(client, { topic: 'bids', partitionCount }, bids);
  const folder = tempFolder();
  const options = {
    ...{ cwd: folder, deadlineMs: 300_000 },
    env: { MILLRACE_JOBS_DIR: join(folder, 'run') },
  };
  const run = (...flags: string[]) =>
    startCli(
      [
        ...['run', join(projectFolder, 'jobs/kafka-counts/job.ts'), '--json'],
        ...['--brokers', broker.address, '--from', 'bids', '--to', 'counts', '--size', '1'],
        ...['--delivery', 'exactly-once', '--until-offset', 'end'],
        ...['--checkpoint-interval', '300ms', ...flags],
      ],
      options,
    );
  const ask = async (...args: string[]) => {
    const { exitCode, stdout, stderr } = await runCli([...args, '--json'], options);
    expect([exitCode, stderr]).toEqual([0, '']);
    return JSON.parse(stdout);
  };
  const hasMoreThan = (count: number) =>
    expect
      .poll(async () => (await foundCounts()).length, { timeout: 120_000, interval: 500 })
      .toBeGreaterThan(count);
  const first = run('--checkpoint-dir', 'chk', '--rate', '1200', '--parallelism', '1');
  await hasMoreThan(0);
  const rescaled = await ask('rescale', 'kafka-counts', '--parallelism', '3');
  expect(rescaled).toMatchObject({ from: 1, to: 3 });
  await hasMoreThan((await foundCounts()).length);
  await ask('stop', 'kafka-counts', '--savepoint', 'sp');
  expect(summaryOf(await first.ended).status).toBe('stopped');
  const stopped = (await foundCounts()).length;
  expect(stopped).toBeLessThan(countsOf(bids, 1_000).length);
  const from = ['--checkpoint-dir', 'chk2', '--from-savepoint', 'sp'];
  summaryOf(await run(...from, '--parallelism', '2').ended);
  expect(await foundCounts()).toEqual(countsOf(bids, 1_000));
});
