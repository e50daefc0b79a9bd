/** The table of the checkpoint bench: a line for each figure, a column for each contestant, and the goal. */
import { loadavg } from 'node:os';
import { tableText } from '../base/table.ts';
import { formatBytes, formatCount } from '../base/units.ts';
import type {
  BackpressureMeasure,
  CheckpointMeasure,
  CheckpointResult,
  Stretch,
} from './checkpoint-result.ts';
import { machineOf } from './machine.ts';
import { medianOf } from './median.ts';

interface Line {
  readonly title: string;
  readonly of: (measure: CheckpointMeasure) => number | null;
  readonly text: (value: number) => string;
  /** Of Millrace; null: there is none. */
  readonly goal: { readonly text: string; readonly isMet: (value: number) => boolean } | null;
}

const perSecond = ({ rows, seconds }: Stretch) => rows / seconds;
const perCpuSecond = ({ rows, cpuSeconds }: Stretch) => rows / cpuSeconds;
const count = (value: number) => formatCount(Math.round(value));
const milliseconds = (value: number) => `${value.toFixed(0)} ms`;
const atMost = (ms: number) => ({ text: `≤ ${ms} ms`, isMet: (value: number) => value <= ms });
const ratio = (value: number) => value.toFixed(3);
const goal95 = { text: '≥ 0.95', isMet: (value: number) => value >= 0.95 };

const lines: readonly Line[] = [
  { title: 'rows/s without', of: (one) => perSecond(one.without), text: count, goal: null },
  { title: 'rows/s, each second', of: (one) => perSecond(one.with), text: count, goal: null },
  {
    title: 'ratio',
    of: (one) => perSecond(one.with) / perSecond(one.without),
    ...{ text: ratio, goal: goal95 },
  },
  { title: 'rows/CPU s without', of: (one) => perCpuSecond(one.without), text: count, goal: null },
  {
    title: 'ratio of CPU time',
    of: (one) => perCpuSecond(one.with) / perCpuSecond(one.without),
    ...{ text: ratio, goal: goal95 },
  },
  {
    title: 'incremental',
    of: (one) => one.incremental.durationMs,
    text: milliseconds,
    goal: atMost(1000),
  },
  { title: '  bytes', of: (one) => one.incremental.bytes, text: formatBytes, goal: null },
  { title: 'full', of: (one) => one.full.durationMs, text: milliseconds, goal: null },
  { title: '  bytes', of: (one) => one.full.bytes, text: formatBytes, goal: null },
  {
    title: 'sync, 99 %',
    of: (one) => one.syncP99Ms,
    text: (ms) => `${ms.toFixed(1)} ms`,
    goal: atMost(5),
  },
  {
    title: 'kill to first row',
    of: (one) => one.killToRowMs,
    text: milliseconds,
    goal: atMost(2000),
  },
  { title: 'kill to first file', of: (one) => one.killToFileMs, text: milliseconds, goal: null },
  {
    title: 'rescale 2 to 4',
    of: (one) => one.rescalePauseMs,
    text: milliseconds,
    goal: atMost(3000),
  },
];

export function checkpointReport(results: readonly CheckpointResult[], size: string): string {
  const { cores, processor, memoryBytes, system, node } = machineOf();
  const right = 'right' as const;
  const head = [
    `checkpoints of ${size} of state, median of ${results[0]?.measured.length ?? 0}`,
    `${cores} × ${processor}, ${formatBytes(memoryBytes)}, ${system}, Node ${node}, load ${loadavg()[0]?.toFixed(1)}`,
  ];
  const medianIn = ({ measured }: CheckpointResult, { of }: Line): number | null => {
    const values = measured.map(of).filter((value) => value !== null && !Number.isNaN(value));
    return values.length === 0 ? null : medianOf(values as number[]);
  };
  const rows = lines.map((line) => {
    const cells = results.map((result) => {
      const value = medianIn(result, line);
      return value === null ? '' : line.text(value);
    });
    const millrace = results.find(({ contestant }) => contestant === 'millrace');
    const own = millrace === undefined ? null : medianIn(millrace, line);
    return [line.title, ...cells, goalText(line, own)];
  });
  const columns = [...results.map(({ contestant }) => contestant), 'goal'];
  const titles = [{ title: 'measured' }, ...columns.map((title) => ({ title, align: right }))];
  const backpressure = results.flatMap((result) => result.backpressure);
  return `${head.join('\n')}\n${tableText(titles, rows)}${backpressureText(backpressure)}`;
}

function goalText({ goal }: Line, value: number | null): string {
  if (goal === null || value === null) return goal?.text ?? '';
  return `${goal.text}, ${goal.isMet(value) ? 'met' : 'missed'}`;
}

function backpressureText(measured: readonly BackpressureMeasure[]): string {
  if (measured.length === 0) return '';
  const of = (key: keyof BackpressureMeasure) => medianOf(measured.map((one) => one[key]));
  const [unloaded, aligned, unaligned] = [of('unloadedMs'), of('alignedMs'), of('unalignedMs')];
  const isMet = unaligned <= 2 * unloaded && aligned > unaligned;
  return (
    `behind a slow function, Millrace: unloaded ${milliseconds(unloaded)}, aligned ${milliseconds(aligned)}, ` +
    `unaligned ${milliseconds(unaligned)} (goal: at most twice the unloaded, ${isMet ? 'met' : 'missed'})\n`
  );
}
