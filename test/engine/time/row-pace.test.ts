/** Goal: tasks that share a pace give out rows when the schedule says, all of them together at its rate. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RowPace, rowPaceBytes } from '../../../engine/time/row-pace.ts';

const startMs = 5_000.25;
const begunMs = 5_000; // The start is a whole number for all.

function paces(rate: number, count: number): RowPace[] {
  const buffer = new SharedArrayBuffer(rowPaceBytes);
  return Array.from({ length: count }, () => new RowPace({ rate, buffer }));
}

/** Gives out what is due, up to `most` rows; when they were due. */
function giveOut(pace: RowPace, nowMs: number, most: number): number[] {
  const count = pace.dueCount(nowMs, most);
  if (count === 0) return [];
  const { fromMs, toMs } = pace.take(count);
  const stepMs = count === 1 ? 0 : (toMs - fromMs) / (count - 1);
  return Array.from({ length: count }, (_, at) => fromMs + at * stepMs);
}

test('no place of the schedule is used twice, no row comes before it is due, and none is left out', () => {
  const arbitrary = fc.record({
    rate: fc.double({ min: 1, max: 20_000, noNaN: true }),
    taskCount: fc.integer({ min: 1, max: 4 }),
    turns: fc.array(
      fc.record({
        task: fc.nat({ max: 3 }),
        most: fc.integer({ min: 1, max: 300 }),
        waitMs: fc.double({ min: 0, max: 50, noNaN: true }),
      }),
      { minLength: 1, maxLength: 60 },
    ),
  });
  fc.assert(
    fc.property(arbitrary, ({ rate, taskCount, turns }) => {
      const tasks = paces(rate, taskCount);
      for (const task of tasks) task.hold(startMs);
      const given: number[] = [];
      let nowMs = startMs;
      for (const { task, most, waitMs } of turns) {
        nowMs += waitMs;
        const dues = giveOut(tasks[task % taskCount] as RowPace, nowMs, most);
        for (const dueMs of dues) expect(dueMs).toBeLessThanOrEqual(nowMs + 1e-6);
        given.push(...dues);
      }
      // At the end all tasks go on until nothing is due; then nothing that was due is missing.
      for (const task of tasks)
        for (let more = true; more; ) {
          const dues = giveOut(task, nowMs, 300);
          given.push(...dues);
          more = dues.length > 0;
        }
      const places = given.map((dueMs) => Math.round(((dueMs - begunMs) * rate) / 1_000));
      const dueCount = Math.floor(((nowMs - begunMs) * rate) / 1_000) + 1;
      const all = Array.from({ length: dueCount }, (_, at) => at);
      // A row that is due this very moment is so by one way of rounding and not by the other.
      expect(places.sort((a, b) => a - b).slice(0, dueCount - 1)).toEqual(all.slice(0, -1));
      expect(places.length).toBeLessThanOrEqual(dueCount + 1);
    }),
  );
});

test('a chunk of 10 ms is one task’s, the next one another’s', () => {
  const [first, second] = paces(1_000, 2) as [RowPace, RowPace];
  for (const task of [first, second]) task.hold(startMs);
  expect(giveOut(first, startMs, 100)).toEqual([begunMs]);
  expect(first.nextDueMs).toBe(begunMs + 1);
  expect(giveOut(second, startMs, 100)).toEqual([]);
  expect(second.nextDueMs).toBe(begunMs + 10);
  expect(giveOut(first, begunMs + 9, 100)).toHaveLength(9);
  expect(giveOut(first, begunMs + 10, 100)).toEqual([]);
  expect(first.nextDueMs).toBe(begunMs + 20);
});

test('a rate below a row in 10 ms is one row at a time', () => {
  const [pace] = paces(0.5, 1) as [RowPace];
  pace.hold(startMs);
  expect(giveOut(pace, startMs, 9)).toEqual([begunMs]);
  expect(giveOut(pace, startMs + 1_999, 9)).toEqual([]);
  expect(giveOut(pace, begunMs + 2_000, 9)).toEqual([begunMs + 2_000]);
});

test('who was held up gives out late what was due meanwhile, at once, and the schedule stays', () => {
  const [pace] = paces(1_000, 1) as [RowPace];
  pace.hold(startMs);
  expect(giveOut(pace, startMs, 500)).toHaveLength(1);
  const late: number[] = [];
  for (let turn = 0; turn < 9; turn++) late.push(...giveOut(pace, begunMs + 1_000, 500));
  expect(late).toEqual(Array.from({ length: 1_000 }, (_, at) => begunMs + 1 + at));
  expect(pace.nextDueMs).toBeGreaterThan(begunMs + 1_000);
});

test('time in which nothing was there is no time in which rows were due', () => {
  const [pace, other] = paces(1_000, 2) as [RowPace, RowPace];
  pace.hold(startMs);
  expect(giveOut(pace, startMs, 1)).toEqual([begunMs]);
  pace.letGo();
  pace.foundNothing();
  pace.hold(begunMs + 60_005);
  const [first = 0] = giveOut(pace, begunMs + 60_005, 1);
  expect(first).toBe(begunMs + 60_000);
  // Found empty while another reader has rows: those were due.
  pace.foundNothing();
  pace.hold(begunMs + 61_000);
  expect(giveOut(pace, begunMs + 61_000, 1)).toEqual([begunMs + 60_001]);
  other.hold(begunMs + 61_000);
  expect(giveOut(other, begunMs + 61_000, 1)).toEqual([begunMs + 60_010]);
});
