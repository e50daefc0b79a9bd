/** What a bench shows: medians, rates and ratios as a table, and what to keep in mind with them. */

import { tableText } from '../base/table.ts';
import { formatBytes, formatCount } from '../base/units.ts';
import { singleThreadId, yardstickId } from './contestants.ts';
import { medianOf } from './median.ts';
import { partsText } from './part-report.ts';
import type { BenchResult, ContestantResult } from './run-bench.ts';

const bytesPerMb = 1024 * 1024;

export function reportText(result: BenchResult): string {
  const { machine, input } = result;
  const runCount = result.results[0]?.runs.length ?? 0;
  const lines = [
    `${result.bench}, ${formatCount(input.sizeBytes)} bytes ${input.description}, median of ${runCount}`,
    `answers agree: ${result.answer}`,
    `${machine.cores} × ${machine.processor}, ${formatBytes(machine.memoryBytes)}, ${machine.system}, Node ${machine.node}`,
    `load ${result.loadBefore.toFixed(1)} before, ${result.loadAfter.toFixed(1)} after`,
  ];
  return `${lines.join('\n')}\n${resultTable(result)}${scalingText(result)}${partsText(result.results)}`;
}

function resultTable(result: BenchResult): string {
  const yardstick = result.results.find(({ id }) => id === yardstickId);
  const right = 'right' as const;
  return tableText(
    [
      { title: 'engine' },
      { title: 'threads', align: right },
      { title: 'seconds', align: right },
      { title: 'from – to', align: right },
      { title: 'MB/s', align: right },
      { title: 'CPU s', align: right },
      { title: 'peak memory', align: right },
      { title: 'ratio', align: right },
    ],
    result.results.map((contestant) => resultRow(contestant, yardstick, result.input.sizeBytes)),
  );
}

function resultRow(
  contestant: ContestantResult,
  yardstick: ContestantResult | undefined,
  inputBytes: number,
): string[] {
  const seconds = contestant.runs.map((run) => run.seconds);
  const median = medianOf(seconds);
  const ratio = yardstick && median / medianOf(yardstick.runs.map((run) => run.seconds));
  return [
    contestant.name,
    String(contestant.threads),
    median.toFixed(2),
    `${Math.min(...seconds).toFixed(2)} – ${Math.max(...seconds).toFixed(2)}`,
    (inputBytes / bytesPerMb / median).toFixed(0),
    medianOf(contestant.runs.map((run) => run.cpuSeconds)).toFixed(2),
    formatBytes(medianOf(contestant.runs.map((run) => run.peakMemoryBytes))),
    ratio === undefined ? '' : `${ratio.toFixed(2)} ×`,
  ];
}

/** How much faster two threads are than one. */
function scalingText(result: BenchResult): string {
  const secondsOf = (wanted: string): number => {
    const runs = result.results.find(({ id }) => id === wanted)?.runs ?? [];
    return medianOf(runs.map((run) => run.seconds));
  };
  const speedUp = secondsOf(singleThreadId) / secondsOf(yardstickId);
  return Number.isNaN(speedUp) ? '' : `Millrace: 2 threads ${speedUp.toFixed(2)} × as fast as 1\n`;
}
