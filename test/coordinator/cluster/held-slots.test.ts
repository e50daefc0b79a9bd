/** Goal: a job asks for the slots that it misses and for no others, and gives all of them back. */
import { expect, test } from 'vitest';
import { HeldSlots } from '../../../coordinator/cluster/held-slots.ts';
import { SlotWorkers, settle } from '../../support/slot-workers.ts';

function scene() {
  const workers = new SlotWorkers();
  workers.begin('w1', 2);
  workers.begin('w2', 2);
  const queue = workers.newQueue();
  const held = new HeldSlots({
    queue,
    isAlive: (life) => workers.isAlive(life),
    wanted: {
      ...{ jobId: 'job', namespace: 'default', priority: 0, order: 0, isFailFast: false },
      ...{ memoryBytesPerSlot: 1, strategy: 'spread', local: {} },
    },
  });
  return { workers, queue, held };
}

test('what was lost with a worker is asked for anew, the rest is kept', async () => {
  const { workers, queue, held } = scene();
  await held.need(4);
  workers.end('w2');
  queue.workerGone('w2');
  expect(held.byLife()).toEqual([{ workerId: 'w1', incarnation: 1, count: 2 }]);
  const again = held.need(4);
  await settle();
  expect(held.waitingKey).toBe('job#2');
  workers.begin('w3', 8);
  workers.join(queue, 'w3');
  await again;
  expect(held.placement).toEqual({
    w1: { incarnation: 1, slots: 2 },
    w3: { incarnation: 1, slots: 2 },
  });
  held.close();
  await settle();
  expect(workers.taken).toEqual({ w1: 0, w3: 0 });
});

test('a worker that was left gets nothing while others have room, and all where they have not', async () => {
  const { workers, queue, held } = scene();
  await held.need(2);
  workers.begin('w3', 2);
  workers.join(queue, 'w3');
  held.leave('w2');
  expect(held.byLife()).toEqual([]);
  await held.need(4);
  expect(held.placement).toEqual({
    w1: { incarnation: 1, slots: 2 },
    w3: { incarnation: 1, slots: 2 },
  });
  held.leave('w1');
  await held.need(6);
  expect(Object.keys(held.placement).sort()).toEqual(['w1', 'w2', 'w3']);
});

test('slots that come when nobody waits any more go back', async () => {
  const { workers, held } = scene();
  const asked = held.need(4);
  held.close();
  await expect(asked).rejects.toMatchObject({ info: { code: 'SLOTS_RELEASED' } });
  workers.time.advance(20_000);
  await settle();
  expect(workers.taken).toEqual({ w1: 0, w2: 0 });
});
