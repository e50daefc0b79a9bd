/** Goal: a coordinator serves what it leads, knows who is there, and the next one finds workers and jobs as the log has them. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createRealEnv } from '../../../base/env/real-env.ts';
import { sha256Of } from '../../../base/env/sha256.ts';
import { createRpcClient } from '../../../base/rpc/client.ts';
import type { JsonValue } from '../../../base/rpc/message.ts';
import { createRpcServer } from '../../../base/rpc/server.ts';
import { files, text } from '../../../connectors/files.ts';
import { connectors } from '../../../connectors/registry.ts';
import { startClusterRole } from '../../../coordinator/cluster/cluster-role.ts';
import { createMemoryRegister } from '../../../coordinator/lease/memory-register.ts';
import { openFileLog } from '../../../coordinator/metadata/file-log.ts';
import {
  clientMethods,
  type JobsAnswer,
  type QuotasAnswer,
  type SchedulesAnswer,
  type WorkersAnswer,
} from '../../../coordinator/protocol/clients.ts';
import {
  clusterVersion,
  type JoinAnswer,
  type JoinRequest,
  memberMethods,
} from '../../../coordinator/protocol/members.ts';
import { buildJob } from '../../../engine/api/build-job.ts';
import { defineJob } from '../../../engine/api/define-job.ts';

const deadlineMs = 5_000;

function scene() {
  const env = createRealEnv({ seed: 1 });
  const folder = mkdtempSync(join(tmpdir(), 'millrace-role-'));
  const register = createMemoryRegister();
  const client = createRpcClient(env, { address: 'memory:c' });
  const call = async <T>(method: string, body: unknown = null) => {
    return (await client.call(method, body as JsonValue, { deadlineMs })) as unknown as T;
  };
  const begin = async () => {
    const leads = Promise.withResolvers<number>();
    const log = await openFileLog(env, `${folder}/log`);
    const role = await startClusterRole(env, {
      ...{
        coordinatorId: 'c1',
        listen: 'memory:c',
        register,
        log,
        bundleFolder: folder,
        connectors,
      },
      onLeading: (term) => term !== null && leads.resolve(term),
    });
    onTestFinished(() => role.stop());
    return { role, term: await leads.promise };
  };
  /** A supervisor that notes what it is told. */
  const supervise = async (workerId: string) => {
    const told: string[] = [];
    const server = createRpcServer(env);
    for (const method of [memberMethods.release, memberMethods.stopExecutor]) {
      server.handle(method, (body) => {
        const { jobId = '', attempt = '', executorId = '' } = body as Record<string, JsonValue>;
        told.push(`${method} ${jobId}${attempt}${executorId}`);
        return { answer: 'released' };
      });
    }
    await server.listen(`memory:${workerId}`);
    onTestFinished(() => server.close());
    return told;
  };
  onTestFinished(() => client.close());
  return { begin, call, supervise };
}

const joining = (workerId: string, more: Partial<JoinRequest> = {}): JoinRequest => ({
  ...{
    version: clusterVersion,
    workerId,
    instance: `${workerId}-1`,
    address: `memory:${workerId}`,
  },
  ...{ slots: 2, memoryBytes: 1e9, executors: [], reserved: [], ...more },
});
const beat = (workerId: string, incarnation = 1) => {
  return { workerId, incarnation, senderDelayMs: 0, load: 0.5 };
};

test('who speaks another version is refused, and the older one is named', async () => {
  const { begin, call } = scene();
  await begin();
  expect(await call(clientMethods.hello, { version: clusterVersion })).toMatchObject({ term: 1 });
  const refused = { info: { code: 'CLUSTER_VERSION' } };
  await expect(call(clientMethods.hello, { version: clusterVersion + 1 })).rejects.toMatchObject(
    refused,
  );
  const newer = joining('w1', { version: clusterVersion + 1 });
  await expect(call(memberMethods.join, newer)).rejects.toMatchObject(refused);
});

test('workers join once by name, are known with their room, and leave', async () => {
  const { begin, call } = scene();
  await begin();
  expect(await call<JoinAnswer>(memberMethods.join, joining('w1'))).toEqual({
    ...{ kind: 'registered', incarnation: 1, term: 1 },
  });
  expect(await call(memberMethods.join, joining('w1', { instance: 'other' }))).toEqual({
    kind: 'refused',
  });
  expect(await call(memberMethods.heartbeat, beat('w1'))).toEqual({ kind: 'answered' });
  expect(await call(memberMethods.heartbeat, beat('w1', 7))).toEqual({ kind: 'fenced' });
  const { workers } = await call<WorkersAnswer>(clientMethods.workers);
  expect(workers).toMatchObject([{ workerId: 'w1', slots: 2, freeSlots: 2, isSuspected: false }]);
  await call(memberMethods.leave, { workerId: 'w1', incarnation: 1 });
  expect(await call(memberMethods.heartbeat, beat('w1'))).toEqual({ kind: 'fenced' });
  await expect.poll(() => call(clientMethods.workers)).toEqual({ workers: [] });
});

test('the next coordinator has workers join again, and ends what is nobody’s any more', async () => {
  const { begin, call, supervise } = scene();
  const told = await supervise('w1');
  const first = await begin();
  await call(memberMethods.join, joining('w1'));
  await call(memberMethods.join, joining('w2'));
  await call(memberMethods.leave, { workerId: 'w2', incarnation: 1 });
  await expect
    .poll(async () => (await call<WorkersAnswer>(clientMethods.workers)).workers.length)
    .toBe(1);
  await first.role.stop();
  const { term } = await begin();
  expect(term).toBe(2);
  // The life of before goes on, and is heard; what it has is asked for.
  expect(await call(memberMethods.heartbeat, beat('w1'))).toEqual({ kind: 'rejoin' });
  const reserved = [{ jobId: 'old#1', attempt: 1 }];
  const again = joining('w1', { executors: ['old~1~x'], reserved });
  expect(await call(memberMethods.join, again)).toMatchObject({
    kind: 'registered',
    incarnation: 1,
    term: 2,
  });
  expect(told.toSorted()).toEqual(['executor.stop old~1~x', 'slots.release old#11']);
  expect(await call(memberMethods.heartbeat, beat('w1'))).toEqual({ kind: 'answered' });
  // A life that had ended before is followed by a greater one.
  expect(await call(memberMethods.join, joining('w2'))).toMatchObject({ incarnation: 2 });
});

test('a job is taken only with its bundle, and is found by nothing but its names', async () => {
  const { begin, call } = scene();
  await begin();
  const job = { bundle: 'f'.repeat(64), graph: { jobName: 'words' } };
  await expect(call(clientMethods.submit, { jobId: 'words-1', job })).rejects.toMatchObject({
    info: { code: 'BUNDLE_MISSING' },
  });
  await expect(call(clientMethods.submit, { jobId: '../words', job })).rejects.toMatchObject({
    info: { code: 'JOB_ID_INVALID' },
  });
  await expect(call(clientMethods.watch, { job: 'words' })).rejects.toMatchObject({
    info: { code: 'CLUSTER_JOB_NOT_FOUND' },
  });
});

test('quotas are kept for the next coordinator, and names that are none are refused', async () => {
  const { begin, call } = scene();
  const { role } = await begin();
  const quota = { namespace: 'reports', slotsMax: 4, memoryBytesMax: 1e9 };
  const view = { ...quota, slotsUsed: 0, memoryBytesUsed: 0 };
  expect(await call(clientMethods.setQuota, quota)).toEqual(view);
  await role.stop();
  await begin();
  expect(await call<QuotasAnswer>(clientMethods.quotas)).toEqual({ quotas: [view] });
  await expect(call(clientMethods.setQuota, { ...quota, namespace: '..' })).rejects.toMatchObject({
    info: { code: 'NAMESPACE_INVALID' },
  });
});

test('a schedule begins jobs each second, under whoever leads, and ends with its removal', async () => {
  const { begin, call } = scene();
  const { role } = await begin();
  const { bundle, job } = copyJob();
  const schedule = { name: 'tick', cron: '* * * * * *', timeZone: 'UTC', missed: 'once' };
  const wanted = { ...schedule, overlap: 'allow', job };
  await expect(call(clientMethods.setSchedule, wanted)).rejects.toMatchObject({
    info: { code: 'BUNDLE_MISSING' },
  });
  await call(clientMethods.putBundle, bundle);
  const { job: _, ...shown } = wanted;
  expect(await call(clientMethods.setSchedule, wanted)).toMatchObject({ ...shown, fired: null });
  const ids = async () => {
    const { jobs } = await call<JobsAnswer>(clientMethods.jobs);
    return jobs.map(({ id }) => id);
  };
  await expect.poll(ids, { timeout: 5_000 }).not.toEqual([]);
  await role.stop();
  await begin();
  const before = await ids();
  await expect.poll(async () => (await ids()).length, { timeout: 5_000 }).toBeGreaterThan(1);
  await call(clientMethods.removeSchedule, { name: 'tick' });
  const after = await ids();
  expect(after).toEqual(expect.arrayContaining(before));
  for (const id of after) expect(id).toMatch(/^tick-\d{8}T\d{6}Z$/);
  expect(await call<SchedulesAnswer>(clientMethods.schedules)).toEqual({ schedules: [] });
});

/** A job that can be planned, and something to be its bundle. */
function copyJob() {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-copy-'));
  writeFileSync(join(folder, 'in.txt'), 'a\n');
  const copy = defineJob({
    name: 'copy',
    params: {},
    build: ({ read }) =>
      read(files.source({ path: join(folder, 'in.txt'), format: text() })).writeTo(
        files.sink({ path: join(folder, 'out.csv') }),
      ),
  });
  const { graph } = buildJob(copy, {}, { overwrite: false });
  const bytes = Buffer.from('export {};');
  const hash = sha256Of(bytes);
  const job = {
    ...{ graph, bundle: hash, params: {}, flags: { overwrite: false }, fingerprint: 'f' },
    ...{ parallelism: 1, slotMemoryBytes: 2 ** 26, priority: 0, namespace: 'default' },
    isFailFast: false,
  };
  const bundle = { hash, part: 0, data: bytes.toString('base64'), isLast: true };
  return { bundle, job };
}
