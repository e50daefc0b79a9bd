/** Goal: what clocks of a zone show, at and around their changes, and when they show it. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { instantiateKernels } from '../../../../engine/kernels/kernels.ts';
import { SlotMemory } from '../../../../engine/memory/slot-memory.ts';
import { ZoneClock } from '../../../../engine/operators/windows/zone-clock.ts';

const memory = new SlotMemory({ budgetBytes: 1 << 20 });
instantiateKernels(memory.memory);
const clockOf = (timeZone: string | null) => new ZoneClock(memory.scope('tested'), timeZone);
const hour = 3_600_000;

test.each`
  timeZone              | instant                   | local
  ${null}               | ${'2026-03-29T01:00:00Z'} | ${'2026-03-29T01:00:00Z'}
  ${'Europe/Berlin'}    | ${'2026-03-29T00:59:59Z'} | ${'2026-03-29T01:59:59Z'}
  ${'Europe/Berlin'}    | ${'2026-03-29T01:00:00Z'} | ${'2026-03-29T03:00:00Z'}
  ${'Europe/Berlin'}    | ${'2026-10-25T00:59:59Z'} | ${'2026-10-25T02:59:59Z'}
  ${'Europe/Berlin'}    | ${'2026-10-25T01:00:00Z'} | ${'2026-10-25T02:00:00Z'}
  ${'America/New_York'} | ${'2026-03-08T07:00:00Z'} | ${'2026-03-08T03:00:00Z'}
  ${'Asia/Kolkata'}     | ${'2026-03-08T07:00:00Z'} | ${'2026-03-08T12:30:00Z'}
  ${'Asia/Kolkata'}     | ${'1999-12-31T18:30:00Z'} | ${'2000-01-01T00:00:00Z'}
`('$timeZone shows $local at $instant', ({ timeZone, instant, local }) => {
  expect(clockOf(timeZone).localOf(Date.parse(instant))).toBe(Date.parse(local));
});

test('a time that clocks show twice is the first, one that they leave out the moment of the change', () => {
  const clock = clockOf('Europe/Berlin');
  const instantOf = (local: string) => new Date(clock.instantOf(Date.parse(local))).toISOString();
  expect(instantOf('2026-10-25T02:30:00Z')).toBe('2026-10-25T00:30:00.000Z');
  expect(instantOf('2026-10-25T03:00:00Z')).toBe('2026-10-25T02:00:00.000Z');
  expect(instantOf('2026-03-29T03:00:00Z')).toBe('2026-03-29T01:00:00.000Z');
  expect(instantOf('2026-03-29T02:30:00Z')).toBe('2026-03-29T01:30:00.000Z');
});

test('the first moment at which clocks show what they show now is now, or an hour or less ago', () => {
  const clock = clockOf('America/New_York');
  const moments = fc.date({
    min: new Date('1971-01-01'),
    max: new Date('2099-01-01'),
    noInvalidDate: true,
  });
  fc.assert(
    fc.property(moments, (date) => {
      const instant = date.getTime();
      const first = clock.instantOf(clock.localOf(instant));
      expect(clock.localOf(first)).toBe(clock.localOf(instant));
      expect([0, hour]).toContain(instant - first);
    }),
  );
});

test('the table for kernels is in the memory until it is closed', () => {
  const clock = clockOf('Europe/Berlin');
  const [address, count] = clock.shiftsAt();
  expect(count).toBeGreaterThan(100);
  expect(memory.float64[(address >>> 3) + 1]).toBe(hour);
  expect(clockOf(null).shiftsAt()).toEqual([0, 0]);
  clock.close();
  memory.assertEmpty();
});
