/** Goal: a task's watermark is never ahead of a lane that may still give older rows, and does not stand still without reason. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SplitTimes } from '../../../engine/time/split-times.ts';

const none = Number.NEGATIVE_INFINITY;

function timesOf(laneCount: number, options: { late?: number; idle?: number | null } = {}) {
  const { late = 0, idle = null } = options;
  const times = new SplitTimes({ outOfOrdernessMs: late, idleAfterMs: idle });
  times.expect(laneCount);
  return times;
}

function rows(times: SplitTimes, lane: number, newestMs: number) {
  times.enter(lane);
  times.observe(newestMs);
}

test('lanes that have not begun, or have no rows yet, hold the watermark', () => {
  const times = timesOf(2);
  times.begin(0, 'a');
  rows(times, 0, 100);
  expect(times.watermark(0)).toBe(none);
  times.begin(1, 'b');
  expect(times.watermark(0)).toBe(none);
  rows(times, 1, 50);
  expect(times.watermark(0)).toBe(50);
});

test('it follows the least of the lanes, less how far rows may be out of order', () => {
  const times = timesOf(2, { late: 10 });
  times.begin(0, 'a');
  times.begin(1, 'b');
  rows(times, 0, 100);
  rows(times, 1, 70);
  expect(times.watermark(0)).toBe(60);
  rows(times, 1, 40); // Out of order, within the lane.
  expect(times.watermark(0)).toBe(60);
  times.end(1);
  expect(times.watermark(0)).toBe(90);
});

test('a lane is idle once it was asked and had nothing for long enough, and counts again with its next rows', () => {
  const times = timesOf(2, { idle: 30 });
  times.begin(0, 'a');
  times.begin(1, 'b');
  rows(times, 0, 100);
  rows(times, 1, 20);
  times.foundEmpty(1, 1000);
  times.foundEmpty(1, 1010);
  expect(times.idleAtMs).toBe(1030);
  expect(times.watermark(1029)).toBe(20);
  expect(times.watermark(1030)).toBe(100);
  rows(times, 1, 60);
  expect(times.watermark(1040)).toBe(100); // It never falls.
  rows(times, 0, 200);
  expect(times.watermark(1040)).toBe(100);
  expect(times.lanes()).toEqual([
    { splitId: 'a', newestMs: 200, emptySinceMs: null },
    { splitId: 'b', newestMs: 60, emptySinceMs: null },
  ]);
});

test('all lanes idle is said, and no watermark comes of it', () => {
  const times = timesOf(1, { idle: 5 });
  times.begin(0, 'a');
  rows(times, 0, 7);
  expect(times.watermark(100)).toBe(7);
  times.foundEmpty(0, 100);
  expect(times.isIdle(104)).toBe(false);
  expect(times.isIdle(105)).toBe(true);
  expect(times.watermark(105)).toBe(7);
});

test('where all lanes are idle, one without a row does not hold what another has come to', () => {
  const times = timesOf(2, { idle: 5 });
  times.begin(0, 'a');
  times.begin(1, 'b');
  rows(times, 0, 7);
  times.foundEmpty(0, 100);
  times.foundEmpty(1, 200);
  expect(times.watermark(204)).toBe(none);
  expect(times.watermark(205)).toBe(7);
  expect(times.isIdle(205)).toBe(true);
});

test('lanes that have ended are not idle: the end comes behind them', () => {
  const times = timesOf(1, { idle: 5 });
  times.begin(0, 'a');
  rows(times, 0, 7);
  times.end(0);
  expect(times.isIdle(100)).toBe(false);
  expect(timesOf(0).isIdle(0)).toBe(false);
});

test('a split that another task goes on with has come as far as it had', () => {
  const before = timesOf(3);
  for (const [lane, splitId] of ['a', 'b', 'c'].entries()) before.begin(lane, splitId);
  rows(before, 0, 70);
  rows(before, 1, 50);
  before.end(1);
  expect(before.newestBySplit()).toEqual({ a: 70 });
  const after = timesOf(2);
  after.goOnFrom({ a: 70, b: 60 });
  after.goOnFrom(before.newestBySplit());
  after.begin(0, 'b');
  after.begin(1, 'a');
  expect(after.watermark(0)).toBe(60);
  rows(after, 0, 65);
  expect(after.watermark(0)).toBe(65);
  // Each time only once: what is read again from its start has come nowhere.
  after.begin(2, 'a');
  expect(after.newestOf(2)).toBe(none);
});

test('whatever comes in whatever order, the watermark is that of a recount', () => {
  const step = fc.record({ lane: fc.nat(3), newest: fc.integer({ min: -50, max: 50 }) });
  fc.assert(
    fc.property(fc.array(step), fc.nat(20), (steps, late) => {
      const times = timesOf(4, { late });
      for (let lane = 0; lane < 4; lane++) times.begin(lane, `split ${lane}`);
      const newest = [none, none, none, none];
      let highest = none;
      for (const { lane, newest: next } of steps) {
        rows(times, lane, next);
        newest[lane] = Math.max(newest[lane] ?? none, next);
        highest = Math.max(highest, Math.min(...newest) - late);
        expect(times.watermark(0)).toBe(highest);
      }
    }),
  );
});

test('a lane that is not asked does not get idle, and holds the watermark', () => {
  const times = new SplitTimes({ outOfOrdernessMs: 2, idleAfterMs: 10 });
  times.expect(2);
  for (const lane of [0, 1]) {
    times.begin(lane, `split ${lane}`);
    times.enter(lane);
    times.observe(lane * 5);
  }
  expect([times.reachedBy(0), times.reachedBy(1), times.reachedBy(2)]).toEqual([
    -2,
    3,
    Number.NEGATIVE_INFINITY,
  ]);
  times.foundEmpty(0, 100);
  times.foundEmpty(1, 100);
  times.leaveOut(1);
  expect([times.watermark(109), times.watermark(110), times.isIdle(900)]).toEqual([-2, 3, false]);
  times.foundEmpty(1, 1_000);
  expect([times.isIdle(1_009), times.isIdle(1_010)]).toEqual([false, true]);
});
