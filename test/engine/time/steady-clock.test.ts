/** Goal: time goes on, whatever is done to the host's clock. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SteadyClock } from '../../../engine/time/steady-clock.ts';

test('a host whose clock is set back: time goes on by the monotonic clock, then by the host again', () => {
  const host = { monoMs: 50, wallMs: 1_000_000 };
  const clock = new SteadyClock({ mono: () => host.monoMs, wall: () => host.wallMs });
  const after = (monoMs: number, wallMs: number) => {
    host.monoMs += monoMs;
    host.wallMs += wallMs;
    return clock.now();
  };
  expect(after(0, 0)).toBe(1_000_000);
  expect(after(10, 10)).toBe(1_000_010);
  expect(after(10, -500)).toBe(1_000_020);
  expect(after(5, 5)).toBe(1_000_025);
  expect(after(5, 600)).toBe(1_000_115); // Set forward, beyond where it was.
});

test('time never falls, and goes on at least as the monotonic clock does', () => {
  const step = fc.tuple(fc.nat(1_000), fc.integer({ min: -100_000, max: 100_000 }));
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const host = { monoMs: 0, wallMs: 1_000_000_000 };
      const clock = new SteadyClock({ mono: () => host.monoMs, wall: () => host.wallMs });
      let before = clock.now();
      for (const [monoMs, wallMs] of steps) {
        host.monoMs += monoMs;
        host.wallMs += wallMs;
        const now = clock.now();
        expect(now).toBeGreaterThanOrEqual(before + monoMs);
        expect(now).toBeGreaterThanOrEqual(host.wallMs);
        before = now;
      }
    }),
  );
});

test('it goes on from a time that another one has shown', () => {
  const host = { monoMs: 100, wallMs: 1_000 };
  const clock = new SteadyClock({ mono: () => host.monoMs, wall: () => host.wallMs });
  clock.setLeast(5_000);
  expect(clock.now()).toBe(5_000);
  host.monoMs += 7;
  expect(clock.now()).toBe(5_007);
  host.wallMs = 6_000;
  expect(clock.now()).toBe(6_000);
});
