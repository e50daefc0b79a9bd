/** Goal: the blocking simulated disk is the node's disk, and faults aimed at disk calls hit it too. */
import { expect, test } from 'vitest';
import { assert } from '../../base/assert.ts';
import type { Env } from '../../base/env/env.ts';
import { codeOf } from '../../base/typed-error.ts';
import { Cluster } from '../../simulation/cluster.ts';
import { inMacrotask } from '../../simulation/drain.ts';
import type { Fault } from '../../simulation/faults.ts';
import { SimSyncDisk } from '../../simulation/sim-sync-disk.ts';
import { NodeExit } from '../../simulation/world.ts';

const text = new TextEncoder().encode('twelve bytes');

/** Runs a program on a node with the faults; `makeDir('/d')` is done, as disk call 0. */
async function onNode(
  faults: readonly Fault[],
  program: (disk: SimSyncDisk, env: Env, life: number) => void,
): Promise<Cluster> {
  const cluster = new Cluster({ seed: 7 });
  await inMacrotask(() => {
    let lives = 0;
    const node = cluster.addNode('node', { clocks: {}, faults: [] }, (env) => {
      const { incarnation, diskState } = node;
      assert(incarnation !== null, 'the program of a node runs while it is up');
      const disk = new SimSyncDisk(incarnation, diskState);
      if (lives === 0) disk.makeDir('/d');
      program(disk, env, lives++);
    });
    cluster.armFaults(faults, 5_000);
    cluster.world.run(10_000);
  });
  expect(cluster.world.failure).toBeNull();
  return cluster;
}

const failing = (call: number, isFull: boolean): Fault => ({
  kind: 'diskCallFails',
  node: 'node',
  call,
  times: 1,
  isFull,
});

test('both forms see the same files, and a blocking call takes no time', async () => {
  let seen = '';
  await onNode([], (disk, env) => {
    const before = env.clock.mono();
    const file = disk.open('/d/a', 'createNew');
    disk.write(file, text, 0);
    disk.close(file);
    expect(env.clock.mono()).toBe(before);
    void env.disk.stat('/d/a').then((stat) => {
      seen = `${stat?.kind} ${stat?.sizeBytes}`;
    });
  });
  expect(seen).toBe('file 12');
});

test.each`
  what                                 | fault                | code           | sizeBytes
  ${'a full disk takes half a write'}  | ${failing(2, true)}  | ${'DISK_FULL'} | ${6}
  ${'an I/O error, too'}               | ${failing(2, false)} | ${'DISK_IO'}   | ${6}
  ${'a close needs no space'}          | ${failing(3, true)}  | ${null}        | ${12}
  ${'a close that fails has an error'} | ${failing(3, false)} | ${'DISK_IO'}   | ${12}
`('$what', async ({ fault, code, sizeBytes }) => {
  let failed: unknown = null;
  const cluster = await onNode([fault], (disk) => {
    try {
      const file = disk.open('/d/a', 'createNew');
      disk.write(file, text, 0);
      disk.close(file);
    } catch (error) {
      failed = error;
    }
  });
  expect(codeOf(failed)).toBe(code);
  const state = cluster.nodes.get('node')?.diskState;
  expect(state?.names.get('/d/a')?.cached.length).toBe(sizeBytes);
  expect(state?.failures.length).toBe(code === null ? 0 : 1);
});

test.each(['before', 'after'] as const)(
  'a crash %s a call leaves by NodeExit, and the dead program reaches the disk no more',
  async (when) => {
    const crash = { kind: 'crashAtDiskCall', node: 'node', call: 2, when, downMs: 100 } as const;
    const sizes: (number | undefined)[] = [];
    await onNode([{ ...crash, cause: 'killed' }], (disk, _env, life) => {
      if (life > 0) {
        sizes.push(disk.stat('/d/a')?.sizeBytes);
        return;
      }
      const file = disk.open('/d/a', 'createNew');
      expect(() => disk.write(file, text, 0)).toThrow(NodeExit);
      expect(() => disk.write(file, text, 100)).toThrow(NodeExit);
      disk.close(file); // Silent: the dead program is taken apart.
    });
    expect(sizes).toEqual([when === 'before' ? 0 : 12]);
  },
);
