/** Goal: who asks for slots gets all of them or none, and what is given back arrives, whoever is silent meanwhile. */
import { expect, test } from 'vitest';
import type { QueuedJob } from '../../../coordinator/scheduler/queue-state.ts';
import { SlotWorkers, settle } from '../../support/slot-workers.ts';

const job = (jobId: string, slots: number, more: Partial<QueuedJob> = {}): QueuedJob => ({
  ...{ jobId, slots, namespace: 'default', priority: 0, order: 0, isFailFast: false },
  ...{ memoryBytesPerSlot: 1, strategy: 'spread', local: {}, ...more },
});

test('slots of several workers are reserved, confirmed and given back', async () => {
  const workers = new SlotWorkers();
  workers.begin('w1', 2);
  workers.begin('w2', 2);
  const queue = workers.newQueue();
  const { placement } = await queue.acquire(job('a', 3));
  expect(Object.values(placement).reduce((sum, { slots }) => sum + slots, 0)).toBe(3);
  expect(Object.values(workers.taken).reduce((sum, slots) => sum + slots, 0)).toBe(3);
  const second = queue.acquire(job('b', 2));
  await settle();
  expect(queue.reasonOf('b')).toMatchObject({ kind: 'slots', missing: 1 });
  queue.release('a');
  expect((await second).key).toBe('b');
  queue.release('b');
  await settle();
  expect(workers.taken).toEqual({ w1: 0, w2: 0 });
});

test('a worker that says nothing is left alone, and the slots are found elsewhere', async () => {
  const workers = new SlotWorkers();
  workers.begin('w1', 4);
  workers.silent.add('w1');
  const queue = workers.newQueue();
  const asked = queue.acquire(job('a', 2));
  await settle();
  workers.begin('w2', 4);
  workers.join(queue, 'w2');
  expect((await asked).placement).toEqual({ w2: { incarnation: 1, slots: 2 } });
});

test('a release is repeated until it is heard', async () => {
  const workers = new SlotWorkers();
  workers.begin('w1', 2);
  const queue = workers.newQueue();
  await queue.acquire(job('a', 2));
  workers.silent.add('w1');
  queue.release('a');
  await settle();
  workers.time.advance(1_000);
  await settle();
  expect(workers.taken).toEqual({ w1: 2 });
  workers.silent.delete('w1');
  workers.time.advance(1_000);
  await settle();
  expect(workers.taken).toEqual({ w1: 0 });
  const releases = workers.calls.filter((call) => call.startsWith('release')).length;
  workers.time.advance(10_000);
  await settle();
  expect(workers.calls.filter((call) => call.startsWith('release'))).toHaveLength(releases);
});

test('nothing is told any more to a worker whose life is over', async () => {
  const workers = new SlotWorkers();
  workers.begin('w1', 2);
  const queue = workers.newQueue();
  await queue.acquire(job('a', 2));
  workers.end('w1');
  queue.release('a');
  await settle();
  queue.workerGone('w1');
  workers.time.advance(1_000);
  await settle();
  const told = workers.calls.length;
  workers.time.advance(10_000);
  await settle();
  expect(workers.calls).toHaveLength(told);
});

test('who waits can leave, and who is not to wait is refused with what is missing', async () => {
  const workers = new SlotWorkers();
  workers.begin('w1', 2);
  const queue = workers.newQueue();
  const waiting = queue.acquire(job('a', 3));
  await settle();
  expect(queue.reasonOf('a')).toEqual({ kind: 'notThere', needed: 3, there: 2, bytesPerSlot: 1 });
  queue.release('a');
  await expect(waiting).rejects.toMatchObject({ info: { code: 'SLOTS_RELEASED' } });
  await expect(queue.acquire(job('b', 3, { isFailFast: true }))).rejects.toMatchObject({
    info: { code: 'SLOTS_NOT_THERE' },
  });
  expect(workers.calls).toEqual([]);
});
