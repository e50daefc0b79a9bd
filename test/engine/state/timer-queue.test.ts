/** Timers against a sorted list: set, cancelled, taken in order, and calls that are undone. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TimerQueue } from '../../../engine/state/timer-queue.ts';
import { stateScene } from '../../support/state-scene.ts';

interface Timer {
  readonly key: string;
  readonly timeMs: number;
}

const byTimeThenKey = (a: Timer, b: Timer) => a.timeMs - b.timeMs || (a.key < b.key ? -1 : 1);

const step = fc.record({
  verb: fc.constantFrom('set', 'set', 'set', 'cancel', 'take', 'undo', 'commit'),
  key: fc.constantFrom('a', 'b', 'ab', 'a key of some length', 'a key of some length 2'),
  timeMs: fc.oneof(
    fc.integer({ min: -5, max: 40 }),
    fc.constantFrom(2 ** 40, -(2 ** 40), 2 ** 40 + 1),
  ),
});

test('timers come once, in order of time and key', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const scene = stateScene();
      const queue = new TimerQueue(scene.scope, true);
      let timers: Timer[] = [];
      let before: Timer[] = [];
      const has = ({ key, timeMs }: Timer) =>
        timers.some((one) => one.key === key && one.timeMs === timeMs);
      const without = ({ key, timeMs }: Timer) =>
        timers.filter((one) => one.key !== key || one.timeMs !== timeMs);
      for (const { verb, key, timeMs } of steps) {
        const timer = { key, timeMs };
        if (verb === 'set') {
          queue.set(scene.load(key), timeMs);
          timers = [...without(timer), timer].sort(byTimeThenKey);
        } else if (verb === 'cancel') {
          expect(queue.cancel(scene.load(key), timeMs)).toBe(has(timer));
          timers = without(timer);
        } else if (verb === 'undo') {
          queue.undo();
          timers = before;
        } else {
          queue.commit();
          if (verb === 'take') take(scene, queue, timers, timeMs);
          timers = verb === 'take' ? timers.filter((one) => one.timeMs > timeMs) : timers;
          before = timers;
        }
        expect(queue.count).toBe(timers.length);
      }
      queue.commit();
      take(scene, queue, timers, Number.POSITIVE_INFINITY);
      expect(queue.nextMs).toBe(Number.POSITIVE_INFINITY);
      queue.close();
      scene.close();
    }),
    { numRuns: 100 },
  );
});

/** Takes all that are due, and expects those of the list. */
function take(
  { cursor, memory }: ReturnType<typeof stateScene>,
  queue: TimerQueue,
  timers: readonly Timer[],
  nowMs: number,
): void {
  const taken: Timer[] = [];
  while (queue.take(cursor, nowMs)) {
    const bytes = memory.bytes.slice(cursor.address, cursor.address + cursor.keySize);
    taken.push({ key: new TextDecoder().decode(bytes), timeMs: queue.timeMs });
    queue.commit();
  }
  expect(taken).toEqual(timers.filter((timer) => timer.timeMs <= nowMs));
}

test('many cancelled timers leave the memory before their time comes', () => {
  const scene = stateScene();
  const queue = new TimerQueue(scene.scope, false);
  for (let timeMs = 0; timeMs < 20_000; timeMs++) {
    queue.set(scene.load('key', 7), timeMs + 1000);
    if (timeMs > 0) queue.cancel(scene.load('key', 7), timeMs + 999);
    expect(queue.nextMs).toBe(timeMs + 1000);
  }
  expect(queue.sizeBytes).toBeLessThan(400_000);
  queue.close();
  scene.close();
});
