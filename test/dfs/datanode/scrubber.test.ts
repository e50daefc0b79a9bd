/** Goal: the scrubber finds each damaged replica within a round, tells it once, keeps its rate, and leaves what is being written alone. */
import { expect, test } from 'vitest';
import type { Env } from '../../../base/env/env.ts';
import { startScrubber } from '../../../dfs/datanode/scrubber.ts';
import { appendTo, create, openStore } from '../../support/replica-scene.ts';
import { runOnNode } from '../../support/run-on-node.ts';

async function flip(env: Env, path: string, at: number): Promise<void> {
  const file = await env.disk.open(path, 'update');
  const byte = new Uint8Array(1);
  await env.disk.read(file, byte, at);
  byte[0] = (byte[0] ?? 0) ^ 1;
  await env.disk.write(file, byte, at);
  await env.disk.close(file);
}

test('damage is found in the next round and told once; a replica that is written is left alone', () =>
  runOnNode(async (env) => {
    await env.disk.makeDir('/data');
    const { store, damaged } = await openStore(env);
    for (const blockId of [1, 2, 3]) {
      const writer = await create(store, blockId);
      await appendTo(writer, 3_000);
      if (blockId !== 3) await writer.finalize();
    }
    const scrubber = startScrubber(env, { store, bytesPerSecondMax: 1e9, roundMs: 1_000 });
    await env.timers.sleep(2_500);
    expect(scrubber.roundCount).toBeGreaterThanOrEqual(2);
    expect(damaged).toEqual([]);
    await flip(env, '/data/blocks/02/blk_2', 2_999);
    await flip(env, '/data/blocks/03/blk_3', 0);
    await env.timers.sleep(3_500);
    expect(damaged.map(({ blockId }) => blockId)).toEqual([2]);
    expect(store.find(3)?.damage).toBeNull();
    scrubber.stop();
  }));

test('its rate is kept', () =>
  runOnNode(async (env) => {
    await env.disk.makeDir('/data');
    const { store } = await openStore(env);
    for (const blockId of [1, 2, 3, 4]) {
      const writer = await create(store, blockId);
      await appendTo(writer, 2_000);
      await writer.finalize();
    }
    const scrubber = startScrubber(env, { store, bytesPerSecondMax: 4_000, roundMs: 100_000 });
    await env.timers.sleep(1_100);
    expect(scrubber.verifiedBytes).toBeGreaterThan(3_000);
    expect(scrubber.verifiedBytes).toBeLessThanOrEqual(6_000);
    await env.timers.sleep(1_500);
    expect(scrubber.verifiedBytes).toBe(8_000);
    scrubber.stop();
    await env.timers.sleep(1_000);
    expect(scrubber.roundCount).toBeLessThanOrEqual(1);
  }));
