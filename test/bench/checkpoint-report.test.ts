/** Goal: the table of the checkpoint bench has what was measured, and says which goals were met; gaps without rows are found. */
import { expect, test } from 'vitest';
import { longestGapMs, quantile99 } from '../../bench/checkpoint-process.ts';
import { checkpointReport } from '../../bench/checkpoint-report.ts';
import type { CheckpointMeasure } from '../../bench/checkpoint-result.ts';

const stretch = (rows: number) => ({ rows, seconds: 1, cpuSeconds: 2 });
const none = { count: 0, durationMs: Number.NaN, bytes: Number.NaN };
const millrace: CheckpointMeasure = {
  ...{ without: stretch(1_000_000), with: stretch(900_000) },
  ...{ full: none, incremental: { count: 3, durationMs: 400, bytes: 1_000_000 } },
  ...{ syncP99Ms: 4, killToRowMs: 1999, killToFileMs: 2500, rescalePauseMs: 3500 },
};
const flink = { ...millrace, killToRowMs: null, killToFileMs: null, rescalePauseMs: null };

test('a column for each, and the goals of Millrace', () => {
  const backpressure = [{ unloadedMs: 30, alignedMs: 9000, unalignedMs: 60 }];
  const report = checkpointReport(
    [
      { contestant: 'millrace', measured: [millrace], backpressure },
      { contestant: 'flink-heap', measured: [flink], backpressure: [] },
    ],
    '1GB',
  );
  const cellsOf = (title: string) => {
    const line = report.split('\n').find((one) => one.includes(`│ ${title} `)) ?? '';
    return line.split('│').map((cell) => cell.trim());
  };
  expect(cellsOf('ratio')).toEqual(['', 'ratio', '0.900', '0.900', '≥ 0.95, missed', '']);
  expect(cellsOf('rows/CPU s without')[2]).toBe('500,000');
  expect(cellsOf('full').slice(2, 4)).toEqual(['', '']);
  expect(cellsOf('sync, 99 %')[4]).toBe('≤ 5 ms, met');
  expect(cellsOf('kill to first row').slice(2, 5)).toEqual(['1999 ms', '', '≤ 2000 ms, met']);
  expect(cellsOf('rescale 2 to 4')[4]).toBe('≤ 3000 ms, missed');
  expect(report).toContain('unaligned 60 ms (goal: at most twice the unloaded, met)');
});

test.each`
  times               | fromMs | gapMs
  ${[]}               | ${0}   | ${0}
  ${[10, 20, 50, 55]} | ${0}   | ${30}
  ${[10, 20, 50, 55]} | ${25}  | ${25}
  ${[50, 20]}         | ${10}  | ${30}
`('rows at $times, from $fromMs on: none for $gapMs ms', ({ times, fromMs, gapMs }) => {
  const lines = times.map((atMs: number) => ({ atMs, rows: 1 }));
  expect(longestGapMs(lines, fromMs)).toBe(gapMs);
});

test('the value that 99 of a hundred do not exceed', () => {
  expect(quantile99([])).toBe(null);
  expect(quantile99([3])).toBe(3);
  expect(quantile99(Array.from({ length: 200 }, (_, at) => at + 1))).toBe(198);
});
