/** Goal: decisions are made by the state that they are appended behind, whoever else decides meanwhile. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { createRealEnv } from '../../../base/env/real-env.ts';
import { openFileLog } from '../../../coordinator/metadata/file-log.ts';
import type { MetadataEvent } from '../../../coordinator/metadata/metadata-event.ts';
import type { AppendOutcome, MetadataLog } from '../../../coordinator/metadata/metadata-log.ts';
import { MetadataStore } from '../../../coordinator/metadata/metadata-store.ts';
import { codeFrom } from '../../support/metadata-log-cases.ts';
import { metadataEvents } from './metadata-events.ts';

const folder = mkdtempSync(join(tmpdir(), 'millrace-store-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let logCount = 0;
const wallMs = () => 5;
const newLog = () => openFileLog(createRealEnv(), join(folder, `log-${logCount++}`));
const term = (number: number): MetadataEvent => ({
  ...{ kind: 'termBegan', term: number, coordinatorId: 'c', address: '' },
});
const job = (jobId: string) => ({ ...metadataEvents[3], jobId }) as MetadataEvent;

test('decisions that follow each other without waiting see each other', async () => {
  const store = await MetadataStore.open(await newLog(), { wallMs });
  const seen: number[] = [];
  const proposals = Array.from({ length: 50 }, (_, index) =>
    store.propose(1, (state) => {
      seen.push(state.jobCount);
      return [job(`job-${index}`)];
    }),
  );
  expect(store.state.jobCount).toBe(0); // Nothing is durable yet, so nothing is shown.
  await Promise.all(proposals);
  expect(seen).toEqual(Array.from({ length: 50 }, (_, index) => index));
  expect(store.state.jobCount).toBe(50);
  await store.close();
});

test('two that decide over one log never decide by an old state', async () => {
  const log = await newLog();
  const stores = [
    await MetadataStore.open(log, { wallMs }),
    await MetadataStore.open(log, { wallMs }),
  ];
  // The first free name, so that two that take the same one would show.
  const all = Array.from({ length: 40 }, (_, index) =>
    stores[index % 2]?.propose(1, (state) => [job(`job-${state.jobCount}`)]),
  );
  await Promise.all(all);
  for (const store of stores) await store.catchUp();
  expect(stores[0]?.state.jobCount).toBe(40);
  expect(stores[0]?.state).toEqual(stores[1]?.state);
  await log.close();
});

test('a leader that was replaced decides nothing more', async () => {
  const store = await MetadataStore.open(await newLog(), { wallMs });
  await store.propose(2, () => [term(2)]);
  expect(await codeFrom(store.propose(1, () => [job('late')]))).toBe('METADATA_FENCED');
  expect(store.state.jobCount).toBe(0);
  expect(await store.propose(2, () => null)).toBeNull();
  await store.close();
});

test('what a store has made durable is there for the next one, snapshots included', async () => {
  const path = join(folder, 'long');
  const env = createRealEnv();
  const store = await MetadataStore.open(await openFileLog(env, path), {
    wallMs,
    compactAfter: 10,
  });
  for (let count = 0; count < 35; count++) await store.propose(1, () => [job(`job-${count}`)]);
  const { state, position } = store;
  await store.close();
  const log = await openFileLog(env, path);
  expect((await log.read(0)).snapshot?.position).toBeGreaterThanOrEqual(30);
  const again = await MetadataStore.open(log, { wallMs });
  expect(again.position).toBe(position);
  expect(again.state).toEqual(state);
  await again.close();
});

test.each<[string, (log: MetadataLog) => Partial<MetadataLog>, number]>([
  ['an answer that is lost', (log) => unsure(log, true), 1],
  ['a call that is lost', (log) => unsure(log, false), 1],
  ['a log that fails twice', (log) => failing(log), 1],
])('%s: the decision is there once', async (_, faulty, count) => {
  const log = await newLog();
  const store = await MetadataStore.open(wrapped(log, faulty(log)), { wallMs });
  const events = await store.propose(1, (state) => [job(`job-${state.jobCount}`)]);
  expect(events).toEqual([job('job-0')]);
  await store.catchUp();
  expect(store.state.jobCount).toBe(count);
  await store.close();
});

test('a log that never takes anything is given up with a word', async () => {
  const log = await newLog();
  const append = async (): Promise<AppendOutcome> => ({ kind: 'failed' });
  const store = await MetadataStore.open(wrapped(log, { append }), { wallMs });
  expect(await codeFrom(store.propose(1, () => [job('a')]))).toBe('METADATA_UNAVAILABLE');
  await store.close();
});

test('events that only a newer version knows end all decisions, and not the log', async () => {
  const log = await newLog();
  const broken: unknown[] = [];
  const onBroken = (error: unknown) => void broken.push(error);
  const store = await MetadataStore.open(log, { wallMs, onBroken });
  await store.propose(1, () => [job('a')]);
  const newer = { kind: 'jobPaused', v: 1, jobId: 'a' };
  expect(await log.append({ after: 1, term: 2, events: [newer, newer] })).toMatchObject({
    kind: 'ok',
  });
  expect(await log.append({ after: 3, term: 2, events: [newer] })).toMatchObject({ kind: 'ok' });
  expect(broken).toHaveLength(1);
  expect(await codeFrom(store.propose(2, () => [job('b')]))).toBe('METADATA_VERSION');
  expect(await codeFrom(MetadataStore.open(log, { wallMs }))).toBe('METADATA_VERSION');
  expect(store.state.jobCount).toBe(1);
  await store.close();
});

/** The first append has an unknown outcome. */
function unsure(log: MetadataLog, isDone: boolean): Partial<MetadataLog> {
  let count = 0;
  return {
    async append(request) {
      if (count++ > 0) return await log.append(request);
      if (isDone) await log.append(request);
      return { kind: 'unknown' };
    },
  };
}

function failing(log: MetadataLog): Partial<MetadataLog> {
  let count = 0;
  return {
    append: async (request) => (count++ < 2 ? { kind: 'failed' } : await log.append(request)),
  };
}

function wrapped(log: MetadataLog, replaced: Partial<MetadataLog>): MetadataLog {
  return {
    head: () => log.head(),
    read: (after) => log.read(after),
    append: (request) => log.append(request),
    watch: (after, listener) => log.watch(after, listener),
    compact: (snapshot) => log.compact(snapshot),
    close: () => log.close(),
    ...replaced,
  };
}
