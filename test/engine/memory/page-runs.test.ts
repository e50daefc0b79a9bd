/** Goal: runs are best fit, join with both neighbours, and are found however many there are. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PageRuns } from '../../../engine/memory/page-runs.ts';

test('the smallest run that fits is taken, and the rest of it stays', () => {
  const runs = new PageRuns(200);
  const lengths = [40, 1, 7, 1, 5, 1, 60, 1];
  const starts = lengths.map((length) => runs.take(length));
  for (const [index, length] of lengths.entries()) {
    if (length > 1) runs.give(starts[index] ?? 0, length);
  }
  expect(runs.take(6)).toBe(starts[2]);
  expect(runs.take(5)).toBe(starts[4]);
  expect(runs.take(35)).toBe(starts[0]);
  expect(runs.take(41)).toBe(starts[6]);
  expect(runs.freeRuns().map((run) => run.length)).toEqual([5, 1, 19]);
});

test('a run joins the free ones before and after it', () => {
  const runs = new PageRuns(20);
  const [a, b, c] = [runs.take(3), runs.take(4), runs.take(5)];
  runs.give(a, 3);
  runs.give(c, 5);
  expect(runs.freeRuns()).toEqual([
    { start: a, length: 3 },
    { start: c, length: 5 },
  ]);
  runs.give(b, 4);
  expect(runs.freeRuns()).toEqual([{ start: a, length: 12 }]);
});

test('a run at the frontier is extended with untouched pages', () => {
  const runs = new PageRuns(20);
  const [first, last] = [runs.take(4), runs.take(4)];
  runs.give(last, 4);
  expect(runs.longestRun()).toBe(14);
  expect(runs.take(14)).toBe(last);
  expect(runs.take(1)).toBe(0);
  expect(runs.longestRun()).toBe(0);
  runs.give(first, 4);
  expect(runs.longestRun()).toBe(4);
});

test('any order of taking and giving keeps runs apart and joins them at the end', () => {
  const steps = fc.array(fc.record({ length: fc.integer({ min: 1, max: 90 }), pick: fc.nat() }));
  fc.assert(
    fc.property(steps, (list) => {
      const runs = new PageRuns(1000);
      const owners = new Uint8Array(1000);
      const held: { start: number; length: number }[] = [];
      for (const { length, pick } of list) {
        const fits = runs.fits(length);
        const start = runs.take(length);
        expect(fits).toBe(start !== 0);
        if (start !== 0) {
          expect(owners.subarray(start, start + length).every((used) => used === 0)).toBe(true);
          expect(start + length).toBeLessThan(1000);
          owners.fill(1, start, start + length);
          held.push({ start, length });
        }
        if (pick % 3 === 0) continue;
        const [run] = held.splice(pick % held.length, 1);
        if (run === undefined) continue;
        owners.fill(0, run.start, run.start + run.length);
        runs.give(run.start, run.length);
      }
      for (const { start, length } of held) runs.give(start, length);
      const whole = runs.frontier === 1 ? [] : [{ start: 1, length: runs.frontier - 1 }];
      expect(runs.freeRuns()).toEqual(whole);
    }),
    { numRuns: 200 },
  );
});
