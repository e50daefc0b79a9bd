/** Goal: the table shows medians, rates and ratios to Millrace, and works without some contestants. */
import { expect, test } from 'vitest';
import { medianOf } from '../../bench/median.ts';
import { reportText } from '../../bench/report.ts';
import type { BenchResult } from '../../bench/run-bench.ts';

const mb = 1024 ** 2;
const runs = (...seconds: number[]) =>
  seconds.map((value) => ({ seconds: value, cpuSeconds: value * 2, peakMemoryBytes: 300 * mb }));

const result: BenchResult = {
  bench: 'wordcount',
  size: '1GB',
  input: { path: 'text', sizeBytes: 1024 * mb, description: 'of English text' },
  machine: { processor: 'P', cores: 2, memoryBytes: 8 * mb, system: 'S', node: 'v24' },
  loadBefore: 0.12,
  loadAfter: 2.04,
  answer: '142,699,465 words, 258,950 distinct',
  results: [
    { id: 'millrace', name: 'Millrace', threads: 2, runs: runs(2, 4, 2) },
    { id: 'millrace-1', name: 'Millrace', threads: 1, runs: runs(3.6, 3.6, 3.6) },
    { id: 'duckdb', name: 'DuckDB', threads: 2, runs: runs(19, 20, 21) },
  ],
};

test.each`
  values          | median
  ${[3]}          | ${3}
  ${[3, 1, 2]}    | ${2}
  ${[4, 1, 2, 3]} | ${2.5}
  ${[]}           | ${Number.NaN}
`('the median of $values is $median', ({ values, median }) => {
  expect(medianOf(values)).toBe(median);
});

test('a row has the median, the spread, the rate and the ratio', () => {
  const text = reportText(result);
  expect(text).toContain('wordcount, 1,073,741,824 bytes of English text, median of 3');
  expect(text).toContain('answers agree: 142,699,465 words, 258,950 distinct');
  expect(text).toContain('load 0.1 before, 2.0 after');
  expect(text).toMatch(
    /│ Millrace │ +2 │ +2\.00 │ +2\.00 – 4\.00 │ +512 │ +4\.00 │ +300\.0 MB │ +1\.00 × │/,
  );
  expect(text).toMatch(/│ DuckDB {3}│ +2 │ +20\.00 │ +19\.00 – 21\.00 │ +51 │ .* 10\.00 × │/);
  expect(text).toContain('Millrace: 2 threads 1.80 × as fast as 1');
});

test('without Millrace there is no ratio', () => {
  const text = reportText({ ...result, results: result.results.slice(2) });
  expect(text).not.toContain('×  │');
  expect(text).not.toContain('as fast as');
});
