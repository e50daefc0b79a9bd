/** Goal: a rate is that of the last seconds. */
import { expect, test } from 'vitest';
import { RateMeter } from '../../base/rate-meter.ts';

test('the rate follows the last seconds', () => {
  const meter = new RateMeter();
  expect(meter.add(0, 0)).toBe(0);
  expect(meter.add(1_000, 100)).toBe(100);
  expect(meter.add(2_000, 400)).toBe(200);
  // The sample at 0 is out of the window now.
  expect(meter.add(4_000, 700)).toBe(200);
});

test('a counter that begins anew has no rate until it has grown again', () => {
  const meter = new RateMeter();
  meter.add(0, 0);
  meter.add(1_000, 5_000);
  expect(meter.add(1_500, 100)).toBe(0);
  expect(meter.add(2_000, 300)).toBe(400);
});
