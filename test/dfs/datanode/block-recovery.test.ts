/** Goal: replicas agree on a length that has all that was acknowledged, whoever is missing, stale, half closed or dies on the way. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  agreeOnLength,
  type RecoveryCandidate,
  type RecoveryPeers,
  recoverBlock,
} from '../../../dfs/datanode/block-recovery.ts';
import type { ReplicaState } from '../../../dfs/protocol/block.ts';
import { DatanodeScene } from '../../support/datanode-scene.ts';
import {
  appendTo,
  contentOf,
  create,
  openStore,
  promisedDisk,
} from '../../support/replica-scene.ts';

/** `b100`: being written, 100 bytes; `f`, `w`: finalized, waiting; `^2` behind it: another stamp than 1. */
function candidatesOf(text: string): RecoveryCandidate[] {
  const states: Record<string, ReplicaState> = {
    b: 'being-written',
    f: 'finalized',
    w: 'waiting-to-be-recovered',
  };
  return text.split(' ').flatMap((word, index) => {
    const [, letter = '', length, stamp = '1'] = /^([bfw])(\d+)(?:\^(\d+))?$/.exec(word) ?? [];
    const state = states[letter];
    if (state === undefined) return [];
    const generationStamp = Number(stamp);
    return [{ location: `dn-${index + 1}`, state, generationStamp, lengthBytes: Number(length) }];
  });
}

test.each`
  replicas              | cut     | length  | who
  ${'b100 b80 b90'}     | ${null} | ${80}   | ${'1 2 3'}
  ${'b100 b80 w50'}     | ${null} | ${80}   | ${'1 2'}
  ${'w100 w80 w50'}     | ${null} | ${50}   | ${'1 2 3'}
  ${'w100 b80'}         | ${null} | ${80}   | ${'1 2'}
  ${'f100 b100 b90'}    | ${null} | ${100}  | ${'1 2'}
  ${'f100 w120'}        | ${null} | ${100}  | ${'1 2'}
  ${'b100^2 b80 b90^2'} | ${null} | ${90}   | ${'1 3'}
  ${'f100 b120^2'}      | ${null} | ${120}  | ${'2'}
  ${'w0 w0'}            | ${null} | ${null} | ${''}
  ${'b0 w90'}           | ${null} | ${0}    | ${'1 2'}
  ${''}                 | ${null} | ${null} | ${''}
  ${'f0 f0'}            | ${null} | ${0}    | ${'1 2'}
  ${'f100 f100 f100'}   | ${60}   | ${60}   | ${'1 2 3'}
  ${'f100 b50'}         | ${60}   | ${60}   | ${'1'}
  ${'f100^2 f100'}      | ${60}   | ${60}   | ${'1'}
  ${'b50'}              | ${60}   | ${null} | ${''}
`('$replicas, cut to $cut: $length on $who', ({ replicas, cut, length, who }) => {
  const agreement = agreeOnLength(candidatesOf(replicas), cut);
  expect(agreement?.lengthBytes ?? null).toBe(length);
  const places = agreement?.participants.map((location) => location.slice(3)) ?? [];
  expect(places.join(' ')).toBe(who);
});

test('what every replica of the newest stamp has is never cut, whoever else is there', () => {
  const replica = fc.record({
    state: fc.constantFrom<ReplicaState>('being-written', 'waiting-to-be-recovered'),
    generationStamp: fc.integer({ min: 1, max: 3 }),
    lengthBytes: fc.nat(50),
  });
  fc.assert(
    fc.property(fc.array(replica, { minLength: 1, maxLength: 5 }), (replicas) => {
      const candidates = replicas.map((each, index) => ({ ...each, location: `dn-${index}` }));
      const newest = Math.max(...replicas.map(({ generationStamp }) => generationStamp));
      const lengths = replicas
        .filter(({ generationStamp }) => generationStamp === newest)
        .map(({ lengthBytes }) => lengthBytes);
      const agreement = agreeOnLength(candidates, null);
      if (agreement === null) expect(Math.max(...lengths)).toBe(0);
      else expect(agreement.lengthBytes).toBeGreaterThanOrEqual(Math.min(...lengths));
    }),
  );
});

/** Real stores behind the ports; those in `dead` answer nothing. */
async function withReplicas(lengths: readonly number[], dead: readonly string[] = []) {
  const scene = new DatanodeScene();
  await scene.add(lengths.length);
  for (const [index, { store }] of scene.datanodes.entries()) {
    const length = lengths[index] ?? 0;
    if (length >= 0) await appendTo(await create(store, 1), length);
  }
  const storeAt = (location: string) => {
    const found = scene.datanodes.find(({ address }) => address === location);
    if (found === undefined || dead.includes(location)) throw new Error(`${location} is dead`);
    return found.store;
  };
  const peers: RecoveryPeers = {
    begin: async (location, blockId, recoveryId) => {
      if (storeAt(location).find(blockId) === null) return null;
      return { location, ...(await storeAt(location).beginRecovery(blockId, recoveryId)) };
    },
    update: async (location, blockId, recoveryId, lengthBytes) => {
      await storeAt(location).updateRecovered(blockId, recoveryId, lengthBytes);
    },
  };
  const locations = scene.datanodes.map(({ address }) => address);
  return { scene, peers, order: { blockId: 1, recoveryId: 9, newLengthBytes: null, locations } };
}

test('replicas of different lengths are cut to the shortest, finalized, and can be read', async () => {
  const { scene, peers, order } = await withReplicas([1_300, 700, 1_025]);
  const outcome = await recoverBlock(order, peers);
  expect(outcome).toEqual({ lengthBytes: 700, locations: order.locations });
  for (const location of order.locations) {
    const { bytes } = await scene.read(scene.blockOf(1, 9, 700), [location]);
    expect(bytes).toEqual(contentOf(0, 700));
  }
  for (const { memory } of scene.datanodes) {
    const again = await openStore({ disk: promisedDisk(memory) });
    expect(again.store.find(1)).toMatchObject({
      state: 'finalized',
      lengthBytes: 700,
      damage: null,
    });
  }
});

test('who is dead is left out, and is older than the block when it comes back', async () => {
  const { scene, peers, order } = await withReplicas([1_300, 700, 900], ['memory:dn-2']);
  expect(await recoverBlock(order, peers)).toEqual({
    ...{ lengthBytes: 900, locations: ['memory:dn-1', 'memory:dn-3'] },
  });
  const reading = scene.read(scene.blockOf(1, 9, 900), ['memory:dn-2']);
  await expect(reading).rejects.toMatchObject({ name: 'DFS_BLOCK_UNREADABLE' });
});

test('nothing is given up while somebody who may have it could not be asked', async () => {
  const dead = ['memory:dn-2'];
  const { peers, order } = await withReplicas([-1, 700], dead);
  await expect(recoverBlock(order, peers)).rejects.toMatchObject({ name: 'DFS_RECOVERY_FAILED' });
  dead.length = 0;
  expect(await recoverBlock(order, peers)).toMatchObject({ lengthBytes: 700 });
  const nobody = await withReplicas([-1, -1]);
  expect(await recoverBlock(nobody.order, nobody.peers)).toEqual({ lengthBytes: 0, locations: [] });
});

test('an older recovery is refused by every replica once a newer one has begun', async () => {
  const { peers, order } = await withReplicas([500, 500]);
  for (const location of order.locations) await peers.begin(location, 1, 12);
  await expect(recoverBlock(order, peers)).rejects.toMatchObject({ name: 'DFS_RECOVERY_FAILED' });
  expect(await recoverBlock({ ...order, recoveryId: 13 }, peers)).toMatchObject({
    lengthBytes: 500,
  });
});
