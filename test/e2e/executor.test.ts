/**
 * Goal: jobs run in processes of their own: one that dies, fills its memory or never returns takes nothing else along, not the job
 * beside it and not its worker; and no process is left when its job, its worker or its supervisor has ended.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { jobMethods } from '../../coordinator/protocol/jobs.ts';
import {
  childrenOf,
  isRunning,
  ProcessCluster,
  supervisorIdOf,
  until,
} from '../support/process-cluster.ts';

/** Its function does what it is told: its work, or what takes a process along. */
const job = `
import { agg, defineJob, t } from 'millrace';
import { files, text } from 'millrace/files';

export default defineJob({
  name: 'unruly',
  params: { input: t.path(), output: t.path(), does: t.utf8() },
  build: ({ read, params: { input, output, does } }) =>
    read(files.source({ path: input, format: text() }))
      .flatMap(t.struct({ word: t.utf8() }), (line) => {
        act(does);
        return line.text.split(' ').map((word) => ({ word }));
      })
      .keyBy((row) => row.word)
      .aggregate({ count: agg.count() })
      .orderBy((row) => [row.word.asc()])
      .writeTo(files.sink({ path: output })),
});

function act(does: string): void {
  if (does === 'say') console.log('a line of the job');
  if (does === 'die') process.kill(process.pid, 'SIGKILL');
  const kept: number[][] = [];
  while (does === 'spin' || does === 'fill') {
    if (does === 'fill') kept.push(new Array(10_000).fill(kept.length));
  }
}
`;

/** Submits it; resolves with its id. */
async function submit(cluster: ProcessCluster, does: string): Promise<string> {
  const { folder } = cluster;
  writeFileSync(join(folder, 'job.ts'), job);
  writeFileSync(join(folder, 'in.txt'), 'b a\na c\n'.repeat(1_000));
  const params = ['--input', join(folder, 'in.txt'), '--output', outputOf(cluster, does)];
  return await cluster.submit(join(folder, 'job.ts'), [...params, '--does', does]);
}

function outputOf({ folder }: ProcessCluster, does: string): string {
  return join(folder, `${does}.csv`);
}

const counted = 'word,count\na,2000\nb,1000\nc,1000\n';

test('a job runs on two workers, what it prints is its log, and no process of it is left', async () => {
  const cluster = await ProcessCluster.start();
  const workers = await Promise.all(['w1', 'w2'].map((name) => cluster.addWorker(name, 1)));
  const jobId = await submit(cluster, 'say');
  expect(await cluster.outcomeOf(jobId)).toMatchObject({ status: 'finished', error: null });
  expect(readFileSync(outputOf(cluster, 'say'), 'utf8')).toBe(counted);
  const { parts } = await cluster.logsOf(jobId);
  expect(parts.map(({ text }) => text).join('')).toContain('a line of the job\n');
  await until(() =>
    workers.every(({ data }) => readdirSync(`${data}/run`).length === 0) ? true : null,
  );
  // The one that waits for the next job, and no other.
  await until(() =>
    workers.every((one) => childrenOf(supervisorIdOf(one)).length <= 1) ? true : null,
  );
  for (const { cli } of workers) cli.kill('SIGTERM');
  for (const { cli } of workers) expect(await cli.ended).toMatchObject({ exitCode: 0 });
  expect(await cluster.workers()).toEqual([]);
});

test.each<[string, RegExp]>([
  ['die', /was killed by SIGKILL/],
  ['fill', /heap/],
])(
  'a job that does "%s" fails alone: the worker and the job beside it go on',
  async (does, says) => {
    const cluster = await ProcessCluster.start();
    const heap = { NODE_OPTIONS: '--max-old-space-size=64' };
    await cluster.addWorker('w1', 4, { env: heap });
    const bad = await submit(cluster, does);
    const good = await submit(cluster, 'work');
    expect(await cluster.outcomeOf(good)).toMatchObject({ status: 'finished' });
    expect(readFileSync(outputOf(cluster, 'work'), 'utf8')).toBe(counted);
    const { status, error } = await cluster.outcomeOf(bad);
    expect([status, error?.message]).toEqual(['failed', expect.stringMatching(says)]);
    await until(async () => ((await cluster.workers())[0]?.freeSlots === 4 ? true : null));
    expect(await cluster.workers()).toMatchObject([{ incarnation: 1, isSuspected: false }]);
  },
);

test('a job that never returns from its function holds up nobody, and is ended by who cancels it', async () => {
  const cluster = await ProcessCluster.start();
  const worker = await cluster.addWorker('w1', 4);
  const bad = await submit(cluster, 'spin');
  await until(async () => ((await cluster.watch(bad)).job.phase === 'running' ? true : null));
  expect(await cluster.outcomeOf(await submit(cluster, 'work'))).toMatchObject({
    status: 'finished',
  });
  expect(readFileSync(outputOf(cluster, 'work'), 'utf8')).toBe(counted);
  // Twice as long as the silence behind which a worker is suspect.
  const since = performance.now();
  await until(async () => {
    expect(await cluster.workers()).toMatchObject([{ incarnation: 1, isSuspected: false }]);
    return performance.now() - since > 3_000 ? true : null;
  });
  await cluster.client.ask({ method: jobMethods.cancel, body: { job: bad } });
  expect(await cluster.outcomeOf(bad)).toMatchObject({ status: 'cancelled' });
  await until(() => (childrenOf(supervisorIdOf(worker)).length <= 1 ? true : null));
});

test('a supervisor that is killed takes its executors along', async () => {
  const cluster = await ProcessCluster.start();
  const worker = await cluster.addWorker('w1', 2);
  const jobId = await submit(cluster, 'spin');
  await until(async () => ((await cluster.watch(jobId)).job.phase === 'running' ? true : null));
  const supervisor = supervisorIdOf(worker);
  const executors = childrenOf(supervisor);
  expect(executors.length).toBeGreaterThan(0);
  process.kill(supervisor, 'SIGKILL');
  await until(() => (executors.some(isRunning) ? null : true));
  await until(async () => ((await cluster.workers()).length === 0 ? true : null));
});
