/** Goal: what is noted of latency is what rows and windows have taken by the clock, whoever reads it. */
import { expect, test } from 'vitest';
import { summarizeLatency } from '../../../base/latency-histogram.ts';
import type { DueRows } from '../../../engine/contracts/source.ts';
import { LatencyMarks } from '../../../engine/task/latency-marks.ts';
import {
  readTaskLatency,
  TaskLatency,
  taskLatencyBytes,
} from '../../../engine/task/task-latency.ts';

function scene() {
  const buffer = new SharedArrayBuffer(taskLatencyBytes(2));
  const clock = { now: 0 };
  const latency = new TaskLatency(buffer, () => clock.now);
  const found = (operator: number) => {
    const { rows = [], windows = [] } = readTaskLatency(buffer)[operator] ?? {};
    return { rows: summarizeLatency([rows]), windows: summarizeLatency([windows]) };
  };
  return { clock, latency, found };
}

test('rows of a mark have been under way since they were due, the first of them longest', () => {
  const { clock, latency, found } = scene();
  clock.now = 1_100;
  latency.passed(1, { kind: 'latency', fromMs: 1_000, toMs: 1_090, count: 1_000 });
  const { rows } = found(1);
  expect(rows?.count).toBeCloseTo(1_000);
  expect(rows?.maxMs).toBeGreaterThanOrEqual(100);
  expect(rows?.maxMs).toBeLessThan(104);
  expect(rows?.p50Ms).toBeGreaterThanOrEqual(52);
  expect(rows?.p50Ms).toBeLessThan(60);
  expect(found(0).rows).toBeNull();
});

const clockOf = (atMs: number, perMs = 2) => ({ atMs, perMs });

test('a window has been due since event time came to its end, between two watermarks', () => {
  const { clock, latency, found } = scene();
  latency.advancing(0, { kind: 'watermark', timeMs: 100, clock: clockOf(5_000) }, 50);
  clock.now = 5_010;
  latency.gaveWindow(0, 80); // Event time was there 40 ms before it was at 100.
  expect(found(0).windows?.count).toBe(1);
  expect(found(0).windows?.maxMs).toBeGreaterThanOrEqual(50);
  expect(found(0).windows?.maxMs).toBeLessThan(52);
  expect(found(1).windows).toBeNull();
});

test.each`
  what                                  | endMs  | hasClock
  ${'that was over before'}             | ${50}  | ${true}
  ${'that is not over'}                 | ${101} | ${true}
  ${'whose watermark nobody has timed'} | ${80}  | ${false}
`('a window $what is not counted', ({ endMs, hasClock }) => {
  const { latency, found } = scene();
  const clock = hasClock ? { clock: clockOf(5_000) } : {};
  latency.advancing(0, { kind: 'watermark', timeMs: 100, ...clock }, 50);
  latency.gaveWindow(0, endMs);
  expect(found(0).windows).toBeNull();
});

function markOf(marks: LatencyMarks, rowCount: number, due: DueRows | null, readMs: number) {
  return marks.next({ rowCount, due }, readMs);
}

test('rows that are due at a time have a mark behind each batch, from their schedule', () => {
  const marks = new LatencyMarks(50);
  const first = markOf(marks, 10, { fromMs: 1, toMs: 2 }, 500);
  expect(first).toEqual({ kind: 'latency', fromMs: 1, toMs: 2, count: 10 });
  expect(markOf(marks, 10, { fromMs: 1, toMs: 2 }, 501)).toBeNull(); // No rows came.
  expect(markOf(marks, 14, { fromMs: 3, toMs: 3 }, 501)?.count).toBe(4);
});

test('other rows have one now and then, from when they were read', () => {
  const marks = new LatencyMarks(50);
  expect(markOf(marks, 10, null, 100)).toEqual({
    ...{ kind: 'latency', fromMs: 100, toMs: 100, count: 1 },
  });
  expect(markOf(marks, 20, null, 149)).toBeNull();
  expect(markOf(marks, 30, null, 150)?.fromMs).toBe(150);
});
