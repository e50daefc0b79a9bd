/**
 * Goal: at whichever disk call the power goes or the process dies, what was acknowledged is there after the restart: synced and
 * finalized bytes after a power cut, appended ones after a kill; and what is there is right, and can be written on.
 */
import { expect, test } from 'vitest';
import type { Env } from '../../../../base/env/env.ts';
import type { ReplicaStore } from '../../../../dfs/datanode/replicas/replica-store.ts';
import { Cluster } from '../../../../simulation/cluster.ts';
import { inMacrotask } from '../../../../simulation/drain.ts';
import type { CrashCause } from '../../../../simulation/life.ts';
import { appendTo, contentOf, create, openStore, readAll } from '../../../support/replica-scene.ts';

/** What the first life was told, and so what the second may rely on. */
interface Acknowledged {
  appendedBytes: number;
  syncedBytes: number;
  isFinalized: boolean;
  stamp: number;
  isDeleted: boolean;
  /** A recovery was asked to cut to here: what is behind may be gone, or not. */
  cutBytes: number | null;
}

type Story = (store: ReplicaStore, told: Acknowledged) => Promise<void>;

/** Written, synced in the middle of chunks and at their ends, closed. */
const write: Story = async (store, told) => {
  const writer = await create(store, 1);
  for (const end of [100, 300, 512, 700, 1_100, 1_300, 2_100]) {
    await appendTo(writer, end);
    told.appendedBytes = end;
    if (end !== 300 && end !== 1_100) continue;
    await writer.sync();
    told.syncedBytes = end;
  }
  await writer.finalize();
  Object.assign(told, { syncedBytes: 2_100, isFinalized: true });
};

/** Closed, appended to under a new stamp, closed again. */
const append: Story = async (store, told) => {
  const first = await create(store, 1);
  await appendTo(first, 700);
  await first.finalize();
  Object.assign(told, { appendedBytes: 700, syncedBytes: 700, isFinalized: true });
  told.isFinalized = false; // From here on it may be either.
  const second = await store.reopen({ blockId: 1, generationStamp: 1, lengthBytes: 700 }, 2);
  told.stamp = 2;
  await appendTo(second, 800);
  told.appendedBytes = 800;
  await second.sync();
  told.syncedBytes = 800;
  await appendTo(second, 1_500);
  told.appendedBytes = 1_500;
  await second.finalize();
  Object.assign(told, { syncedBytes: 1_500, isFinalized: true });
};

/** Cut by a recovery to less than was there. */
const recover: Story = async (store, told) => {
  const writer = await create(store, 1);
  await appendTo(writer, 1_300);
  await writer.sync();
  Object.assign(told, { appendedBytes: 1_300, syncedBytes: 1_300 });
  await store.beginRecovery(1, 5);
  told.cutBytes = 600;
  await store.updateRecovered(1, 5, 600);
  Object.assign(told, { appendedBytes: 600, syncedBytes: 600, isFinalized: true, stamp: 5 });
};

/** Closed and deleted. */
const remove: Story = async (store, told) => {
  const writer = await create(store, 1);
  await appendTo(writer, 900);
  await writer.finalize();
  told.isDeleted = true;
  await store.delete(1, 1);
};

const stories: Readonly<Record<string, Story>> = { write, append, recover, remove };

interface Crash {
  readonly call: number;
  readonly when: 'before' | 'after';
  readonly cause: CrashCause;
  readonly seed: number;
}

/** Two lives with a crash between them; answers with the count of disk calls of the first. */
async function crashAt(story: Story, crash: Crash): Promise<number> {
  const told: Acknowledged = {
    ...{ appendedBytes: 0, syncedBytes: 0, isFinalized: false },
    ...{ stamp: 1, isDeleted: false, cutBytes: null },
  };
  let lives = 0;
  let calls = 0;
  let isJudged = false;
  const problems: unknown[] = [];
  await inMacrotask(() => {
    const cluster = new Cluster({ seed: crash.seed });
    const program = (env: Env): void => {
      const first = async () => {
        const { store } = await openStore(env);
        await story(store, told);
        calls = node.diskState.callCount;
        node.crashFor(100, 'the end', crash.cause);
      };
      const second = async () => {
        await judge(env, told, crash.cause);
        isJudged = true;
      };
      (lives++ === 0 ? first : second)().catch((error: unknown) => problems.push(error));
    };
    const node = cluster.addNode('node', { clocks: {}, faults: [] }, program);
    const fault = { kind: 'crashAtDiskCall', node: 'node', downMs: 100 } as const;
    const { call, when, cause } = crash;
    cluster.armFaults([{ ...fault, call, when, cause }], 9_000);
    cluster.world.run(10_000);
    if (cluster.world.failure !== null) problems.push(cluster.world.failure);
  });
  const name = `${JSON.stringify(crash)}, told ${JSON.stringify(told)}`;
  expect(problems, name).toEqual([]);
  expect(isJudged, name).toBe(true);
  return calls;
}

async function judge(env: Env, told: Acknowledged, cause: CrashCause): Promise<void> {
  const { store, damaged } = await openStore(env);
  expect(damaged).toEqual([]);
  const replica = store.find(1);
  const promisedBytes = cause === 'killed' ? told.appendedBytes : told.syncedBytes;
  const leastBytes = Math.min(promisedBytes, told.cutBytes ?? Number.POSITIVE_INFINITY);
  if (told.isDeleted) {
    // Gone, or not yet: but then the namenode hears of it again, and it can be deleted again.
    await store.delete(1, 1);
    expect(store.find(1)).toBeNull();
    return;
  }
  if (replica === null) {
    expect(leastBytes).toBe(0);
    expect(told.isFinalized).toBe(false);
    return;
  }
  expect(replica.damage).toBeNull();
  expect(replica.lengthBytes).toBeGreaterThanOrEqual(leastBytes);
  expect(replica.generationStamp).toBeGreaterThanOrEqual(told.stamp);
  if (told.isFinalized) {
    expect(replica).toMatchObject({ state: 'finalized', lengthBytes: told.appendedBytes });
  }
  expect(await readAll(store, 1, told.stamp)).toEqual(contentOf(0, replica.lengthBytes));
  // And it is of use: the next pipeline goes on with it.
  const { blockId, generationStamp, lengthBytes } = replica;
  const writer = await store.reopen({ blockId, generationStamp, lengthBytes }, 9);
  await appendTo(writer, 3_000);
  await writer.finalize();
  expect(await readAll(store, 1, 9)).toEqual(contentOf(0, 3_000));
}

test.each(Object.keys(stories))(
  '%s: a crash at any disk call loses nothing that was acknowledged',
  async (name) => {
    const story = stories[name] as Story;
    const none = { call: 100_000, when: 'before', seed: 1 } as const;
    const calls = await crashAt(story, { ...none, cause: 'powerCut' });
    await crashAt(story, { ...none, cause: 'killed' });
    expect(calls).toBeGreaterThan(20);
    for (let call = 0; call < calls; call++) {
      for (const when of ['before', 'after'] as const) {
        await crashAt(story, { call, when, cause: 'killed', seed: 1 });
        for (let seed = 1; seed <= 6; seed++) {
          await crashAt(story, { call, when, cause: 'powerCut', seed });
        }
      }
    }
  },
);
