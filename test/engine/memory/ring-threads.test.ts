/** Goal: between real threads, too, each message arrives once, whole and in order, and all wake. */
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { ringBytes } from '../../../engine/memory/ring.ts';
import type { RingThreadOptions, RingThreadResult } from '../../support/ring-thread.ts';

type Load = Omit<RingThreadOptions, 'role' | 'ring' | 'bells'> & {
  readonly slotCount: number;
  readonly slotBytes: number;
};

async function runThreads(load: Load): Promise<RingThreadResult[]> {
  const { slotCount, slotBytes } = load;
  const buffer = new SharedArrayBuffer(ringBytes(slotCount, slotBytes));
  const ring = { buffer, slotCount, slotBytes };
  const bells = new SharedArrayBuffer(8);
  return await Promise.all(
    (['writer', 'reader'] as const).map((role) => runThread({ ...load, role, ring, bells })),
  );
}

function runThread(workerData: RingThreadOptions): Promise<RingThreadResult> {
  const worker = new Worker(new URL('../../support/ring-thread.ts', import.meta.url), {
    workerData,
  });
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

const small = { largeEvery: 2 ** 31, largeBytesMax: 1, stallEvery: 2 ** 31 };

test.each<{ what: string; load: Load }>([
  {
    what: 'a million small messages',
    load: { ...small, seed: 1, messageCount: 1_000_000, slotCount: 64, slotBytes: 128 },
  },
  {
    what: 'small and large ones, with stalls',
    load: {
      ...{ seed: 2, messageCount: 100_000, slotCount: 4, slotBytes: 4096 },
      ...{ largeEvery: 200, largeBytesMax: 300_000, stallEvery: 300 },
    },
  },
  {
    what: 'one slot, where each message waits for the other side',
    load: { ...small, seed: 3, messageCount: 20_000, slotCount: 1, slotBytes: 32, stallEvery: 40 },
  },
])('$what', async ({ load }) => {
  const [written, read] = await runThreads(load);
  expect(written?.messages).toBe(load.messageCount);
  expect(read).toMatchObject({
    messages: load.messageCount,
    bytes: written?.bytes,
    checksum: written?.checksum,
  });
});
