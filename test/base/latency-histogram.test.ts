/** Goal: percentiles are those of a sorted list, to 3 % and never below, however many histograms are put together. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  countsOf,
  histogramCells,
  LatencyHistogram,
  summarizeLatency,
} from '../../base/latency-histogram.ts';

function countsFor(durations: readonly number[]): readonly number[] {
  const cells = new Float64Array(histogramCells);
  const histogram = new LatencyHistogram(cells);
  for (const duration of durations) histogram.record(duration);
  return countsOf(cells);
}

/** The reference: the least of the durations up to which that share of them lies. */
function percentile(durations: readonly number[], share: number): number {
  const sorted = [...durations].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

const duration = fc.oneof(
  fc.double({ min: 0, max: 0.05, noNaN: true }),
  fc.double({ min: 0, max: 50, noNaN: true }),
  fc.double({ min: 0, max: 4_000_000, noNaN: true }),
);

test('percentiles are those of a sorted list, to 3 % and a microsecond, and never below', () => {
  fc.assert(
    fc.property(fc.array(duration, { minLength: 1, maxLength: 200 }), fc.nat(200), (all, cut) => {
      const parts = [all.slice(0, cut), all.slice(cut)].map(countsFor);
      const summary = summarizeLatency(parts);
      expect(summary?.count).toBe(all.length);
      const shares = [
        [0.5, summary?.p50Ms],
        [0.9, summary?.p90Ms],
        [0.99, summary?.p99Ms],
        [0.999, summary?.p999Ms],
        [1, summary?.maxMs],
      ] as const;
      for (const [share, found = Number.NaN] of shares) {
        const exact = percentile(all, share);
        expect(found).toBeGreaterThanOrEqual(exact);
        expect(found).toBeLessThanOrEqual(exact * 1.0321 + 0.002);
      }
    }),
  );
});

test.each`
  durationMs                  | leastMs    | mostMs
  ${-5}                       | ${0}       | ${0.001}
  ${Number.NaN}               | ${0}       | ${0.001}
  ${0}                        | ${0}       | ${0.001}
  ${1e12}                     | ${4294967} | ${4294968}
  ${Number.POSITIVE_INFINITY} | ${4294967} | ${4294968}
`('a duration of $durationMs ms counts as one from $leastMs to $mostMs', (row) => {
  const found = summarizeLatency([countsFor([row.durationMs])])?.maxMs;
  expect(found).toBeGreaterThanOrEqual(row.leastMs);
  expect(found).toBeLessThanOrEqual(row.mostMs);
});

test('a duration that was measured many times counts as often', () => {
  const cells = new Float64Array(histogramCells);
  const histogram = new LatencyHistogram(cells);
  histogram.record(1, 98);
  histogram.record(100, 2);
  expect(summarizeLatency([countsOf(cells)])).toMatchObject({ count: 100, p90Ms: 1.008 });
  expect(summarizeLatency([countsOf(cells)])?.p99Ms).toBeGreaterThan(99);
});

test('nothing was measured', () => {
  expect(summarizeLatency([])).toBeNull();
  expect(summarizeLatency([[], []])).toBeNull();
});
