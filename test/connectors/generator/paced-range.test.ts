/** Goal: every event is given out once, in turn with the other lanes, never before it is due, and late ones at once. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type PacedLane, PacedRange } from '../../../connectors/generator/paced-range.ts';

const startMs = 5_000;

function lanes(facts: Omit<PacedLane, 'lane'>): PacedRange[] {
  return Array.from({ length: facts.laneCount }, (_, lane) => new PacedRange({ ...facts, lane }));
}

test('all lanes together give each event once, and none before its time', () => {
  const arbitrary = fc.record({
    from: fc.integer({ min: 0, max: 1_000 }),
    count: fc.integer({ min: 0, max: 300 }),
    laneCount: fc.integer({ min: 1, max: 4 }),
    chunkSize: fc.integer({ min: 1, max: 40 }),
    rate: fc.double({ min: 1, max: 10_000, noNaN: true }),
    waits: fc.array(fc.double({ min: 0, max: 500, noNaN: true }), { minLength: 1, maxLength: 40 }),
  });
  fc.assert(
    fc.property(arbitrary, ({ from, count, laneCount, chunkSize, rate, waits }) => {
      const given: number[] = [];
      for (const range of lanes({ from, to: from + count, laneCount, chunkSize, rate })) {
        let nowMs = startMs;
        for (let turn = 0; !range.isDone; turn++) {
          const piece = range.next(nowMs);
          for (let event = piece?.from ?? 0; event < (piece?.to ?? 0); event++) {
            given.push(event);
            const dueMs = startMs + ((event - from) * 1_000) / rate;
            expect(dueMs).toBeLessThanOrEqual(nowMs + 1e-6);
            expect(range.dueMsOf(event)).toBeCloseTo(dueMs, 6);
          }
          if (piece !== null) range.advance(piece.to);
          // Held up for a while, or woken when the next one is due.
          else nowMs = Math.max(range.dueAtMs, nowMs + (waits[turn % waits.length] ?? 0));
        }
        expect(range.dueAtMs).toBe(Number.POSITIVE_INFINITY);
      }
      const all = Array.from({ length: count }, (_, index) => from + index);
      expect(given.sort((a, b) => a - b)).toEqual(all);
    }),
  );
});

test('lanes take turns by chunks', () => {
  const [first, second] = lanes({ from: 0, to: 12, laneCount: 2, chunkSize: 3, rate: 1_000 });
  const take = (range: PacedRange | undefined) => {
    const piece = range?.next(startMs) ?? range?.next(startMs + 60_000) ?? null;
    if (piece !== null) range?.advance(piece.to);
    return piece;
  };
  expect(take(first)).toEqual({ from: 0, to: 1 });
  expect(take(first)).toEqual({ from: 1, to: 3 });
  expect(take(first)).toEqual({ from: 6, to: 9 });
  expect(take(second)).toEqual({ from: 3, to: 6 });
  expect(take(second)).toEqual({ from: 9, to: 12 });
  expect([first?.isDone, second?.isDone]).toEqual([true, true]);
});

test('what became due while nobody asked is given out at once, and the schedule stays', () => {
  const range = new PacedRange({
    from: 0,
    to: 1_000,
    lane: 0,
    laneCount: 1,
    chunkSize: 500,
    rate: 100,
  });
  expect(range.dueAtMs).toBe(Number.NEGATIVE_INFINITY);
  expect(range.next(startMs)).toEqual({ from: 0, to: 1 });
  range.advance(1);
  expect([range.next(startMs + 9), range.dueAtMs]).toEqual([null, startMs + 10]);
  expect(range.next(startMs + 2_000)).toEqual({ from: 1, to: 201 });
  range.advance(201);
  expect([range.next(startMs + 2_009), range.dueAtMs]).toEqual([null, startMs + 2_010]);
});
