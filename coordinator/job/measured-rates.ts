/**
 * What the autoscaler needs to know of a job, from two looks at it: the rows that each operator of a task handled in between, the
 * time in which it did, and whom it reads from.
 *
 * A source is given no rows by another operator: what it puts out stands for what it took in. What waits outside is not known, so a job that
 * lags is seen to be full, and grows step by step.
 *
 * Before: coordinator/job/job-inspection.ts. After: coordinator/scheduler/autoscale.ts.
 */
import type { AutoscaleLook, OperatorRates } from '../scheduler/autoscale.ts';
import type { JobInspection, TaskInspection } from './job-inspection.ts';

interface Sum {
  readonly name: string;
  readonly isSource: boolean;
  readonly inputs: Set<string>;
  readonly tasks: Set<string>;
  rowsIn: number;
  rowsOut: number;
  busyMs: number;
}

/** Null where the two have no task in common: the job has begun again in between, or runs no more. */
export function measuredRates(before: JobInspection, after: JobInspection): AutoscaleLook | null {
  const earlier = new Map(before.tasks.map((task) => [lifeOf(task), task]));
  const sums = new Map<string, Sum>();
  for (const task of after.tasks) {
    const was = earlier.get(lifeOf(task));
    if (was !== undefined) addTask(sums, was, task, after.tasks);
  }
  const spanMs = after.atMs - before.atMs;
  if (sums.size === 0 || spanMs <= 0) return null;
  const slots = Math.max(...[...sums.values()].map(({ tasks }) => tasks.size));
  return { nowMs: after.atMs, spanMs, slots, operators: ratesOf(sums) };
}

function addTask(
  sums: Map<string, Sum>,
  was: TaskInspection,
  task: TaskInspection,
  all: readonly TaskInspection[],
): void {
  const { vertexId, taskId, operators, senders } = task;
  for (const [place, { name, rowsIn, rowsOut, busyMs }] of operators.entries()) {
    const inputs = place > 0 ? [keyOf(vertexId, place - 1)] : sendersOf(senders, all);
    const old = was.operators[place] ?? { rowsIn: 0, rowsOut: 0, busyMs: 0 };
    const key = keyOf(vertexId, place);
    const isSource = place === 0 && task.source !== null;
    const none = { rowsIn: 0, rowsOut: 0, busyMs: 0 };
    const sum = sums.get(key) ?? { name, isSource, inputs: new Set(), tasks: new Set(), ...none };
    for (const input of inputs) sum.inputs.add(input);
    sum.tasks.add(taskId);
    sum.rowsIn += rowsIn - old.rowsIn;
    sum.rowsOut += rowsOut - old.rowsOut;
    sum.busyMs += busyMs - old.busyMs;
    sums.set(key, sum);
  }
}

/** The last operators of the tasks that it has rows from. */
function sendersOf(
  senders: TaskInspection['senders'],
  all: readonly TaskInspection[],
): readonly string[] {
  const ids = new Set(senders.map(({ taskId }) => taskId));
  const tasks = all.filter(({ taskId, operators }) => ids.has(taskId) && operators.length > 0);
  return tasks.map(({ vertexId, operators }) => keyOf(vertexId, operators.length - 1));
}

/** Each behind those that it reads from; of two with one name each has its place beside it. */
function ratesOf(sums: ReadonlyMap<string, Sum>): OperatorRates[] {
  const names = [...sums.values()].map(({ name }) => name);
  const label = (key: string) => {
    const name = sums.get(key)?.name ?? key;
    return names.filter((one) => one === name).length > 1 ? `${name} (${key})` : name;
  };
  const ordered = new Map<string, OperatorRates>();
  const visit = (key: string) => {
    const sum = sums.get(key);
    if (sum === undefined || ordered.has(key)) return;
    const { rowsOut, busyMs, isSource, tasks } = sum;
    for (const input of sum.inputs) visit(input);
    ordered.set(key, {
      ...{ name: label(key), parallelism: tasks.size, rowsOut, busyMs, backlogRows: 0 },
      rowsIn: isSource ? Math.max(sum.rowsIn, rowsOut) : sum.rowsIn,
      inputs: [...sum.inputs].map(label),
    });
  };
  for (const key of sums.keys()) visit(key);
  return [...ordered.values()];
}

function keyOf(vertexId: string, place: number): string {
  return `${vertexId}/${place}`;
}

/** Counters begin anew with each attempt. */
function lifeOf({ taskId, attempt }: TaskInspection): string {
  return `${taskId}#${attempt}`;
}
