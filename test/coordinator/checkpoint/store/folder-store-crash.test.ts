/**
 * Goal: power cuts and kills at every call of the disk: a checkpoint that was complete, or that was shown to an attempt,
 * is there and whole in every life after it; and no life is stuck.
 */
import { expect, test } from 'vitest';
import type { Env } from '../../../../base/env/env.ts';
import { codeOf } from '../../../../base/typed-error.ts';
import { folderStore } from '../../../../coordinator/checkpoint/store/folder-store.ts';
import { Cluster } from '../../../../simulation/cluster.ts';
import { inMacrotask } from '../../../../simulation/drain.ts';
import type { DiskFault } from '../../../../simulation/sim-disk-state.ts';
import { NodeExit } from '../../../../simulation/world.ts';
import { checkpoint, partsIn } from './checkpoint-scene.ts';

/** Completes checkpoints for ever, each built on the one before; every life must find the newest that was promised. */
function judgeLives(call: number, fault: DiskFault, isFsync = false) {
  const cluster = new Cluster({ seed: call + 1 });
  const { world } = cluster;
  let promised = 0;
  let lives = 0;
  let calls = 0;
  const program = async (env: Env): Promise<void> => {
    lives++;
    const store = folderStore(env, { folder: '/chk', jobName: 'job' });
    try {
      const attempt = await store.beginAttempt({ kind: 'latest' });
      const { found, damaged } = await attempt.latest();
      const id = found?.manifest.checkpointId ?? 0;
      if (id < promised) world.fail('durable', `checkpoint ${id} after ${promised}`);
      if (damaged.length > 0)
        world.fail('whole', `checkpoint ${damaged[0]?.checkpointId} is damaged`);
      promised = id;
      await attempt.removeUnneeded();
      let shared = found === null ? [] : partsIn(found.manifest).slice(-2);
      for (let next = attempt.nextId; next < attempt.nextId + 3; next++) {
        const manifest = await checkpoint(env.disk, attempt, next, { shared });
        promised = next;
        shared = partsIn(manifest).slice(-2);
      }
    } catch (error) {
      // A disk that fails ends the attempt, and with it this program; the next life goes on.
      if (codeOf(error) === 'DISK_IO') env.process.exit(1);
      throw error;
    }
  };
  const run = (env: Env) =>
    void program(env).catch((error: Error) => {
      if (!(error instanceof NodeExit)) world.fail('typed', `${error.name}: ${error.message}`);
    });
  const node = cluster.addNode('node', { clocks: {}, faults: [] }, run);
  if (isFsync) node.diskState.faultOfFsync.set(call, fault);
  else node.diskState.faultOfCall.set(call, fault);
  world.after(3_000, () => {
    calls = node.diskState.callCount;
    node.crashFor(10, 'test', 'powerCut');
  });
  world.run(8_000);
  expect(world.failure, JSON.stringify({ call, fault })).toBeNull();
  expect(promised, JSON.stringify({ call, fault })).toBeGreaterThanOrEqual(6);
  return { lives, calls };
}

test('crashes at every call of the disk, before it and after it', async () => {
  await inMacrotask(() => {
    const none: DiskFault = { kind: 'crashBefore', cause: 'killed', downMs: 10 };
    const { calls } = judgeLives(1_000_000, none);
    expect(calls).toBeGreaterThan(100);
    for (let call = 0; call < calls; call++) {
      for (const kind of ['crashBefore', 'crashAfter'] as const) {
        const cause = call % 2 === 0 ? 'powerCut' : 'killed';
        judgeLives(call, { kind, cause, downMs: 10 });
        judgeLives(call, { kind, cause: cause === 'killed' ? 'powerCut' : 'killed', downMs: 10 });
      }
    }
  });
});

test('every fsync may fail: what it should have kept is never shown as complete', async () => {
  await inMacrotask(() => {
    for (let fsync = 0; fsync < 25; fsync++) judgeLives(fsync, { kind: 'fail' }, true);
  });
});

test('every call may fail once', async () => {
  await inMacrotask(() => {
    for (let call = 0; call < 150; call++) judgeLives(call, { kind: 'fail' });
  });
});
