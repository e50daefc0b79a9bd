/** Goal: events fire in order of time, promise jobs run between them, judges see each moment. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { inMacrotask } from '../../simulation/drain.ts';
import { EventQueue } from '../../simulation/event-queue.ts';
import { World } from '../../simulation/world.ts';

test('the queue gives back what a stable sort by time would', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 20 })), (times) => {
      const queue = new EventQueue();
      times.forEach((atMs) => {
        queue.push(atMs, () => {});
      });
      const popped: { atMs: number; order: number }[] = [];
      for (let event = queue.pop(); event !== undefined; event = queue.pop()) popped.push(event);
      const sorted = times.map((atMs, order) => ({ atMs, order })).sort((a, b) => a.atMs - b.atMs);
      expect(popped.map(({ atMs, order }) => ({ atMs, order }))).toEqual(sorted);
    }),
  );
});

test('all promise jobs of an event run before the next event', async () => {
  const seen = await inMacrotask(() => {
    const order: string[] = [];
    const world = new World(1);
    const work = async (name: string): Promise<void> => {
      for (let step = 0; step < 5; step++) await null;
      order.push(name);
    };
    world.after(1, () => void work('first'));
    world.after(1, () => void order.push('second'));
    world.run(2);
    return order;
  });
  expect(seen).toEqual(['first', 'second']);
});

test('a cancelled event does not fire, and time ends where asked', async () => {
  const world = await inMacrotask(() => {
    const run = new World(1);
    run.after(1, () => run.fail('cancelled', 'fired'))();
    run.run(50);
    return run;
  });
  expect([world.failure, world.nowMs, world.eventCount]).toEqual([null, 50, 0]);
});

test.each`
  what | event | judge
  ${'an uncaught error'} | ${() => {
  throw new Error('torn');
}} | ${'uncaught error'}
  ${'an unhandled rejection'} | ${() => {
  void Promise.reject(new Error('torn'));
}} | ${'unhandled rejection'}
`('$what fails the run', async ({ event, judge }: { event: () => void; judge: string }) => {
  const failure = await inMacrotask(() => {
    const world = new World(1);
    world.after(3, event);
    world.run(10);
    return world.failure;
  });
  expect(failure).toEqual({ judge, message: 'Error: torn', atMs: 3 });
});

test('a judge ends the run at the event that it objects to', async () => {
  const world = await inMacrotask(() => {
    const run = new World(1);
    let value = 0;
    for (let at = 1; at <= 9; at++) {
      run.after(at, () => {
        value = at;
      });
    }
    run.addJudge('below five', () => (value < 5 ? null : `value is ${value}`));
    run.run(100);
    return run;
  });
  expect(world.failure).toEqual({ judge: 'below five', message: 'value is 5', atMs: 5 });
  expect(world.eventCount).toBe(5);
});

test('a run inside a promise job is refused, for jobs could not be drained there', async () => {
  await null;
  expect(() => new World(1).run(1)).toThrow('inMacrotask');
});
