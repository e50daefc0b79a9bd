/**
 * The checkpoints of a job that runs, for people: a line for each, the newest last, with how long the slowest task took for each
 * part of it; then why some failed.
 *
 * Before: cli/commands/checkpoints.ts. After: coordinator/job/checkpoints-view.ts.
 */
import { tableText } from '../base/table.ts';
import { formatBytes, formatDuration } from '../base/units.ts';
import type { TaskStatistics } from '../coordinator/checkpoint/checkpoint-history.ts';
import type {
  CheckpointsView,
  RestartsView,
  ShownCheckpoint,
} from '../coordinator/job/checkpoints-view.ts';

const right = 'right' as const;
const durations = ['took', 'delay', 'align', 'sync', 'async'].map((title) => ({
  title,
  align: right,
}));
const sizes = ['written', 'in flight', 'all'].map((title) => ({ title, align: right }));
const columns = [
  ...[{ title: 'id', align: right }, { title: 'time' }, { title: 'kind' }, { title: 'state' }],
  ...[...durations, ...sizes],
];
const taskColumns = [{ title: 'id', align: right }, { title: 'task' }, ...durations, ...sizes];

interface TextOptions {
  readonly width: { readonly widthMax?: number };
  /** Whether tasks have lines of their own. */
  readonly showsTasks: boolean;
}

export function checkpointsText(
  { underWay, ended, counts }: CheckpointsView,
  restarts: RestartsView,
  { width, showsTasks }: TextOptions,
): string {
  const shown = [...ended, ...underWay];
  const failed = shown.filter(({ reason }) => reason !== '');
  const reasons = failed.map(
    (one) => `checkpoint ${one.checkpointId} ${one.state}: ${one.reason}\n`,
  );
  const starts = restarts.last.map(
    ({ atMs, code, message, taskIds }) =>
      `${taskIds?.join(' ') ?? 'all tasks'} started again at ${timeText(atMs)}: ${code}, ${message}\n`,
  );
  const tasks = showsTasks ? shown.flatMap(taskCells) : [];
  const totals = Object.entries(counts).flatMap(([name, count]) =>
    count === 0 ? [] : [`${count} ${name}`],
  );
  return [
    shown.length === 0 ? 'no checkpoint yet\n' : tableText(columns, shown.map(cellsOf), width),
    ...(tasks.length === 0 ? [] : [tableText(taskColumns, tasks, width)]),
    ...reasons,
    ...starts,
    totals.length === 0 ? '' : `${totals.join(', ')}\n`,
  ].join('');
}

function cellsOf(one: ShownCheckpoint): string[] {
  const { checkpointId, triggeredAtMs, kind, state, durationMs, tasks, sizeBytes } = one;
  return [
    ...[String(checkpointId), timeText(triggeredAtMs), kind, state, formatDuration(durationMs)],
    ...partsOf(tasks),
    ...[formatBytes(sizeBytes), sumText(tasks, 'inFlightBytes'), sumText(tasks, 'fullBytes')],
  ];
}

function taskCells({ checkpointId, tasks }: ShownCheckpoint): string[][] {
  return tasks.map((task) => [
    ...[String(checkpointId), task.taskId, formatDuration(task.durationMs), ...partsOf([task])],
    ...[
      formatBytes(task.sizeBytes),
      sumText([task], 'inFlightBytes'),
      sumText([task], 'fullBytes'),
    ],
  ]);
}

/** Start delay, alignment, synchronous and asynchronous part, of the task in which each took longest. */
function partsOf(tasks: readonly TaskStatistics[]): string[] {
  const longest = (of: (task: TaskStatistics) => number | undefined) =>
    formatDuration(Math.max(0, ...tasks.map((task) => of(task) ?? 0)));
  return [
    longest(({ startDelayMs }) => startDelayMs),
    longest(({ alignmentMs }) => alignmentMs),
    longest(({ syncMs }) => syncMs),
    longest(({ asyncMs }) => asyncMs),
  ];
}

function sumText(tasks: readonly TaskStatistics[], field: 'inFlightBytes' | 'fullBytes'): string {
  return formatBytes(tasks.reduce((sum, task) => sum + (task[field] ?? 0), 0));
}

function timeText(atMs: number): string {
  return new Date(atMs).toISOString().replace(/\.\d+Z$/, 'Z');
}
