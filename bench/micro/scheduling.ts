/**
 * How fast the job queue hands out slots: `node bench/micro/scheduling.ts`. 500 jobs of 10 tasks, submitted at
 * once to 10 workers of 20 slots that answer at once; with the decisions in a metadata log on disk, and without.
 *
 * Expectation: 500 jobs are 5,000 slots; each job is one reservation, up to 10 answers and as many
 * confirmations. A step copies maps of up to 500 entries, some 10 µs: 0.2 s in all. With the log each job
 * is two appends, which share fsyncs. The goal of the cluster is 1,000 tasks a second.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRealEnv } from '../../base/env/real-env.ts';
import { openFileLog } from '../../coordinator/metadata/file-log.ts';
import type { MetadataEvent } from '../../coordinator/metadata/metadata-event.ts';
import { MetadataStore } from '../../coordinator/metadata/metadata-store.ts';
import { type QueueEvent, stepQueue } from '../../coordinator/scheduler/job-queue.ts';
import { emptyQueue } from '../../coordinator/scheduler/queue-state.ts';

const jobCount = 500;
const tasksPerJob = 10;
const env = createRealEnv();
const rng = env.rng.stream('draws');

/** Runs all jobs through the queue; `onStart` is told of each that has its slots. */
function runQueue(onStart: (jobId: string) => void): void {
  const context = {
    nowMs: 0,
    tryMs: 1_000,
    avoidMs: 500,
    draw: (count: number) => rng.int(0, count),
  };
  let state = emptyQueue;
  const events: QueueEvent[] = [];
  for (let index = 0; index < 10; index++) {
    const worker = { workerId: `w${index}`, incarnation: 1, slots: 20, memoryBytes: 2 ** 34 };
    events.push({ kind: 'workerJoined', ...worker });
  }
  for (let order = 0; order < jobCount; order++) {
    const job = { jobId: `j${order}`, order, namespace: `n${order % 5}`, priority: order % 3 };
    const request = {
      slots: tasksPerJob,
      memoryBytesPerSlot: 2 ** 26,
      strategy: 'spread',
      local: {},
    };
    events.push({ kind: 'submit', job: { ...job, ...request, isFailFast: false } as never });
  }
  for (let next = 0; next < events.length; next++) {
    const step = stepQueue(state, events[next] as QueueEvent, context);
    state = step.state;
    for (const effect of step.effects) {
      if (effect.kind === 'reserve') events.push({ ...effect, kind: 'granted' });
      if (effect.kind === 'confirm') events.push({ ...effect, kind: 'confirmed' });
      if (effect.kind !== 'start') continue;
      onStart(effect.jobId);
      events.push({ kind: 'ended', jobId: effect.jobId });
    }
  }
}

function report(what: string, seconds: number): void {
  const rate = Math.round((jobCount * tasksPerJob) / seconds);
  process.stdout.write(`${what.padEnd(28)} ${rate.toLocaleString('en')} tasks/s\n`);
}

process.stdout.write(
  `load ${loadavg()[0]?.toFixed(1)}; ${jobCount} jobs of ${tasksPerJob} tasks\n`,
);
for (let round = 0; round < 3; round++) {
  const startedAtMs = env.clock.mono();
  let started = 0;
  runQueue(() => started++);
  if (started !== jobCount) throw new Error(`${started} jobs were started`);
  report('decisions only', (env.clock.mono() - startedAtMs) / 1_000);
}
const folder = mkdtempSync(join(tmpdir(), 'millrace-scheduling-'));
try {
  const log = await openFileLog(env, join(folder, 'log'));
  const store = await MetadataStore.open(log, { wallMs: () => env.clock.wall() });
  const startedAtMs = env.clock.mono();
  const durable: Promise<unknown>[] = [];
  for (let order = 0; order < jobCount; order++) {
    const job = {
      jobId: `j${order}`,
      name: 'j',
      namespace: 'n',
      priority: 0,
      bundle: 'b',
      spec: null,
    };
    const event: MetadataEvent = {
      kind: 'jobSubmitted',
      ...job,
      slots: tasksPerJob,
      memoryBytes: 0,
    };
    durable.push(store.propose(1, () => [event]));
  }
  runQueue((jobId) => {
    durable.push(
      store.propose(1, () => [{ kind: 'attemptStarted', jobId, epoch: 1, placement: {} }]),
    );
  });
  await Promise.all(durable);
  report('with a metadata log on disk', (env.clock.mono() - startedAtMs) / 1_000);
  await store.close();
} finally {
  rmSync(folder, { recursive: true });
}
