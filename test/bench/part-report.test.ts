/** Goal: parts are shown with medians, ratios to Millrace and geometric means. */
import { expect, test } from 'vitest';
import { geometricMeanOf, partsText } from '../../bench/part-report.ts';
import type { ContestantResult } from '../../bench/run-bench.ts';

function resultOf(
  id: string,
  parts: readonly Readonly<Record<string, number>>[],
): ContestantResult {
  const run = { seconds: 1, cpuSeconds: 1, peakMemoryBytes: 1 };
  return {
    ...{ id, name: id, threads: 2 },
    runs: parts.map((partSeconds) => ({ ...run, partSeconds })),
  };
}

test('seconds of parts, and how they compare', () => {
  const ours = resultOf('millrace', [
    { h1: 1, h2: 4 },
    { h1: 3, h2: 4 },
    { h1: 2, h2: 5 },
  ]);
  const theirs = resultOf('other', [{ h1: 1, h2: 16 }]);
  const lines = partsText([ours, theirs]).split('\n');
  const cells = lines.map((line) => line.split(/[│┌┬]/).map((cell) => cell.trim()));
  const rows = cells.map((row) => row.filter((cell) => cell !== ''));
  expect(rows).toContainEqual(['h1', '2.000', '1.00 ×', '1.000', '0.50 ×']);
  expect(rows).toContainEqual(['h2', '4.000', '1.00 ×', '16.000', '4.00 ×']);
  expect(rows).toContainEqual(['geometric mean', '2.828', '1.00 ×', '4.000', '1.41 ×']);
});

test('a bench without parts has no such table', () => {
  const run = { seconds: 1, cpuSeconds: 1, peakMemoryBytes: 1 };
  expect(partsText([{ id: 'a', name: 'a', threads: 1, runs: [run] }])).toBe('');
});

test('a geometric mean', () => {
  expect(geometricMeanOf([0.1, 10])).toBeCloseTo(1, 12);
  expect(geometricMeanOf([2, 4, 8])).toBeCloseTo(4, 12);
});
