/**
 * Goal: what was answered, refusals included, is there in every later life of the namenode, at whatever call of the disk power
 * goes, the process dies or the disk is full; and a folder from which something is missing is not opened.
 */
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { crc32c } from '../../../../base/checksum.ts';
import type { Env } from '../../../../base/env/env.ts';
import { createRealEnv } from '../../../../base/env/real-env.ts';
import { codeOf } from '../../../../base/typed-error.ts';
import { NamespaceStore } from '../../../../dfs/namenode/log/namespace-store.ts';
import { mkdirs } from '../../../../dfs/namenode/operations/make.ts';
import { defaultLimits } from '../../../../dfs/namenode/operations/operation.ts';
import { Cluster } from '../../../../simulation/cluster.ts';
import { inMacrotask } from '../../../../simulation/drain.ts';
import type { DiskFault } from '../../../../simulation/sim-disk-state.ts';
import { sampleNamespace, sampleTransactions } from '../../../support/edited-namespace.ts';
import { codeFrom } from '../../../support/metadata-log-cases.ts';
import { dumpNamespace } from '../../../support/namespace-dump.ts';

const top = mkdtempSync(join(tmpdir(), 'millrace-namespace-store-'));
afterAll(() => rmSync(top, { recursive: true, force: true }));
const fixture = join(import.meta.dirname, '../../../fixtures/formats/v1/namenode');
const people = { superuser: 'hdfs', supergroup: 'supergroup' };
const access = { user: 'hdfs', groups: new Set<string>(), isSuperuser: true };

const open = (env: Env, folder: string) =>
  NamespaceStore.open(env, { folder, ...people, checksum: crc32c });

const makeDirectory = (store: NamespaceStore, path: string) =>
  store.commit(() => {
    const context = { namespace: store.namespace, access, limits: defaultLimits, nowMs: 1 };
    return mkdirs(context, { user: 'hdfs', path, permission: 0o755 });
  });

const namesIn = (store: NamespaceStore) => Object.keys(dumpNamespace(store.namespace).byPath);

type Aim = { readonly call?: number; readonly fsync?: number };

/** Makes directories for ever, some at once, and saves images meanwhile. */
function judgeLives(aim: Aim, fault: DiskFault) {
  const cluster = new Cluster({ seed: (aim.call ?? aim.fsync ?? 0) + 1 });
  const { world } = cluster;
  const promised = new Set<string>();
  const asked = new Set<string>(['/']);
  const counts = { lives: 0, images: 0 };
  let clusterId: string | null = null;
  const see = (store: NamespaceStore): void => {
    const there = new Set(namesIn(store));
    for (const path of promised) if (!there.has(path)) world.fail('durable', `${path} is gone`);
    for (const path of there) if (!asked.has(path)) world.fail('durable', `${path} appeared`);
    for (const path of there) promised.add(path); // Shown: see is called where all is durable.
    if (promised.size > 1 && clusterId !== null && clusterId !== store.cluster.clusterId) {
      world.fail('identity', 'the cluster has another id');
    }
    clusterId = store.cluster.clusterId;
  };
  const program = async (env: Env): Promise<void> => {
    const life = ++counts.lives;
    const store = await open(env, '/name').catch((error: unknown) => {
      if (['DISK_IO', 'DISK_FULL'].includes(codeOf(error) ?? '')) env.process.exit(70);
      world.fail('opens', String(error));
      throw error;
    });
    see(store);
    for (let round = 0; round < 4; round++) {
      const made = [0, 1, 2].map(async (index) => {
        const path = `/${life}.${round}.${index}`.padEnd(8 + index * 40, '-');
        asked.add(path);
        await makeDirectory(store, path);
        promised.add(path);
      });
      const image = (life + round) % 3 === 0 ? store.saveImage() : Promise.resolve();
      const saved = await image.then(
        () => true,
        (error: unknown) => !['DISK_IO', 'DISK_FULL'].includes(codeOf(error) ?? ''),
      );
      if (saved) counts.images++;
      await Promise.all(made);
      see(store);
    }
  };
  const node = cluster.addNode('node', { clocks: {}, faults: [] }, (env) => void program(env));
  if (aim.call !== undefined) node.diskState.faultOfCall.set(aim.call, fault);
  if (aim.fsync !== undefined) node.diskState.faultOfFsync.set(aim.fsync, fault);
  // Lives that end before they have saved an image: the next reads the log that both have written.
  for (const atMs of [120, 240, 3_000]) {
    world.after(atMs, () => node.crashFor(10, 'test', 'powerCut'));
  }
  world.run(8_000);
  expect(world.failure, JSON.stringify({ aim, fault })).toBeNull();
  return { ...counts, size: promised.size };
}

test('power cuts and kills at every call of the disk, before it and after it', async () => {
  await inMacrotask(() => {
    for (let call = 0; call < 110; call++) {
      for (const kind of ['crashBefore', 'crashAfter'] as const) {
        for (const cause of ['powerCut', 'killed'] as const) {
          const { size, images } = judgeLives({ call }, { kind, cause, downMs: 10 });
          expect(size).toBeGreaterThanOrEqual(13);
          expect(images).toBeGreaterThanOrEqual(1);
        }
      }
    }
  });
});

test('a full disk and a broken one at every call: the next life has all that was answered', async () => {
  await inMacrotask(() => {
    for (let call = 0; call < 110; call++) {
      for (const isFull of [true, false]) {
        const { size } = judgeLives({ call }, { kind: 'fail', isFull });
        expect(size).toBeGreaterThanOrEqual(13);
      }
    }
  });
});

/** Two images, and the segments that they need. */
async function filled(name: string): Promise<string> {
  const folder = join(top, name);
  const store = await open(createRealEnv(), folder);
  for (let round = 0; round < 3; round++) {
    for (let index = 0; index < 3; index++) await makeDirectory(store, `/${round}.${index}`);
    if (round < 2) await store.saveImage();
  }
  await store.close();
  return folder;
}

const allNames = ['/', ...[0, 1, 2].flatMap((round) => [0, 1, 2].map((i) => `/${round}.${i}`))];

test('what two images do without is removed, and nothing more', async () => {
  const folder = await filled('kept');
  expect(readdirSync(folder).sort()).toEqual([
    ...['cluster', 'edits-0000000000000003', 'edits-0000000000000006'],
    ...['fsimage-0000000000000003', 'fsimage-0000000000000006'],
  ]);
});

test('a damaged image is passed over for the one before it', async () => {
  const folder = await filled('damaged-image');
  const path = join(folder, 'fsimage-0000000000000006');
  writeFileSync(path, readFileSync(path).subarray(0, -3));
  const store = await open(createRealEnv(), folder);
  expect(namesIn(store)).toEqual(allNames);
  await store.close();
});

test.each`
  what                          | gone                                                        | code
  ${'the last segment but one'} | ${['edits-0000000000000003', 'fsimage-0000000000000006']}   | ${'DFS_LOG_DAMAGED'}
  ${'all images'}               | ${['fsimage-0000000000000003', 'fsimage-0000000000000006']} | ${'DFS_LOG_DAMAGED'}
  ${'the ids of the cluster'}   | ${['cluster']}                                              | ${'DFS_LOG_DAMAGED'}
`(
  'without $what the folder is refused with $code, and left as it is',
  async ({ what, gone, code }) => {
    const folder = await filled(`without ${what}`);
    for (const name of gone) unlinkSync(join(folder, name));
    const before = readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))]);
    expect(await codeFrom(open(createRealEnv(), folder))).toBe(code);
    expect(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))])).toEqual(
      before,
    );
  },
);

test('another cluster’s segment is refused', async () => {
  const folder = await filled('mixed');
  const other = await filled('other');
  const name = 'edits-0000000000000006';
  writeFileSync(join(folder, name), readFileSync(join(other, name)));
  expect(await codeFrom(open(createRealEnv(), folder))).toBe('DFS_LOG_DAMAGED');
});

test('a folder that another living process owns is refused', async () => {
  const env = createRealEnv();
  const as = (identity: string) => ({
    ...env,
    process: { ...env.process, identity, hasEnded: () => false },
  });
  const folder = join(top, 'owned');
  const store = await open(as('host_1_1'), folder);
  expect(await codeFrom(open(as('host_2_2'), folder))).toBe('DFS_IN_USE');
  await store.close();
  await (await open(as('host_2_2'), folder)).close();
});

test.each(['with-image', 'log-only'])(
  'a folder of version 1 is read for ever: %s',
  async (name) => {
    const folder = join(top, `v1-${name}`);
    cpSync(join(fixture, name), folder, { recursive: true });
    const store = await open(createRealEnv(), folder);
    expect(store.position).toBe(sampleTransactions.length);
    expect(dumpNamespace(store.namespace)).toEqual(dumpNamespace(sampleNamespace()));
    await store.close();
  },
);
