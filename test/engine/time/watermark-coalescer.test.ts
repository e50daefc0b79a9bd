/** Goal: the watermark of several channels is the least of those that count, and never falls. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { WatermarkCoalescer } from '../../../engine/time/watermark-coalescer.ts';

test('the slowest channel holds it; an idle one does not, nor does one that has ended', () => {
  const times = new WatermarkCoalescer(3);
  expect(times.advance(0, 10)).toBeNull();
  expect(times.advance(1, 20)).toBeNull();
  expect(times.advance(2, 5)).toBe(5);
  expect(times.setIdle(2)).toBe(10);
  expect(times.end(0)).toBe(20);
  expect(times.channels()).toEqual([
    { channel: 1, watermarkMs: 20, isIdle: false },
    { channel: 2, watermarkMs: 5, isIdle: true },
  ]);
});

test('a channel that comes back holds it again, and what it says below is late', () => {
  const times = new WatermarkCoalescer(2);
  times.advance(0, 10);
  expect(times.setIdle(1)).toBe(10);
  times.setActive(1);
  expect(times.advance(0, 30)).toBeNull();
  expect(times.advance(1, 8)).toBeNull();
  expect(times.watermarkMs).toBe(10);
  expect(times.advance(1, 25)).toBe(25);
});

test('that all are idle is told once, until rows come', () => {
  const times = new WatermarkCoalescer(2);
  times.setIdle(0);
  expect(times.becameIdle()).toBe(false);
  times.setIdle(1);
  expect(times.becameIdle()).toBe(true);
  expect(times.becameIdle()).toBe(false);
  times.setActive(0);
  times.setIdle(0);
  expect(times.becameIdle()).toBe(true);
});

test('where all are idle, one that has said nothing does not hold what another has promised', () => {
  const times = new WatermarkCoalescer(2);
  expect(times.advance(0, 10)).toBeNull();
  expect(times.setIdle(0)).toBeNull();
  expect(times.setIdle(1)).toBe(10);
});

type Channel = { watermark: number; isIdle: boolean; hasEnded: boolean };

test('whatever comes in whatever order, it is that of a recount', () => {
  const step = fc.record({
    channel: fc.nat(2),
    what: fc.constantFrom('advance', 'advance', 'advance', 'idle', 'active', 'end'),
    time: fc.integer({ min: 0, max: 40 }),
  });
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const times = new WatermarkCoalescer(3);
      const all = Array.from({ length: 3 }, (): Channel => {
        return { watermark: Number.NEGATIVE_INFINITY, isIdle: false, hasEnded: false };
      });
      let highest = Number.NEGATIVE_INFINITY;
      for (const { channel, what, time } of steps) {
        const one = all[channel];
        if (one === undefined || one.hasEnded) continue;
        if (what === 'advance') {
          one.watermark = Math.max(one.watermark, time);
          one.isIdle = false;
          times.advance(channel, time);
        } else if (what === 'idle') {
          one.isIdle = true;
          times.setIdle(channel);
        } else if (what === 'active') {
          one.isIdle = false;
          times.setActive(channel);
        } else {
          one.hasEnded = true;
          times.end(channel);
        }
        const open = all.filter(({ hasEnded }) => !hasEnded);
        const counting = open.filter(({ isIdle }) => !isIdle).map(({ watermark }) => watermark);
        const idle = open.filter(({ isIdle }) => isIdle).map(({ watermark }) => watermark);
        const now = counting.length > 0 ? Math.min(...counting) : Math.max(...idle);
        if (what !== 'active') highest = Math.max(highest, now);
        expect(times.watermarkMs).toBe(highest);
      }
    }),
  );
});
