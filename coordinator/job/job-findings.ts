/**
 * Why nothing comes out of a job, or little: what two looks at it, a moment apart, have in common. What is so
 * at one moment only is how a stream flows.
 *
 *     a thread that answers nothing          it is in a call of the user's, or waits for a disk
 *     a channel that is full both times      who sends waits for who reads; the slow task is the last of such
 *                                            a chain that waits for nobody itself
 *     an operator that is busy all the time  it is what the job is as slow as
 *     a source that has nothing to read      nothing was there both times
 *     a source that is held                  it is ahead of the one that it is aligned with and that is the last
 *     an operator that waits for event time  the way back to the split that is behind all others
 *     an operator that needs all its input   a sort, a group of a bounded job: its rows come at the end
 *
 * Before: coordinator/job/job-inspection.ts. After: cli/commands/why.ts.
 */
import type { Json } from '../../engine/contracts/json.ts';
import { gatheringKinds } from '../../engine/plan/physical-graph.ts';
import type { JobInspection, OperatorInspection, TaskInspection } from './job-inspection.ts';

export type Finding =
  | {
      readonly kind: 'notAnswering';
      readonly taskId: string;
      /** The operator that it is in; null when that is not known. */
      readonly operator: string | null;
      /** Whether it has been in one and the same call all the time. */
      readonly isStuck: boolean;
    }
  | {
      readonly kind: 'backpressure';
      /** Tasks that wait for room. */
      readonly waiting: readonly string[];
      readonly edgeIds: readonly string[];
      /** Whom they wait for in the end, and what that one is busy with. */
      readonly slowTask: string;
      readonly operator: string | null;
      /** The part of the time that the slow task was busy, 0 to 1. */
      readonly busyShare: number;
    }
  | {
      readonly kind: 'busy';
      readonly operatorId: string;
      readonly operator: string;
      /** Tasks that did next to nothing else, and waited for nobody. */
      readonly tasks: readonly string[];
      /** The part of the time that they were busy with it, 0 to 1. */
      readonly share: number;
    }
  | {
      readonly kind: 'noInput';
      readonly taskId: string;
      readonly operator: string;
      readonly splits: readonly string[];
      readonly position: string | null;
      readonly state: 'waiting' | 'asking';
    }
  | {
      readonly kind: 'held';
      readonly taskId: string;
      readonly operator: string;
      /** The task that it waits for, and the name of that one's source; null where that is not known. */
      readonly behind: string;
      readonly source: string | null;
      /** How far that one is in event time; null before its first row. */
      readonly watermarkMs: number | null;
      /** How far the source itself is. */
      readonly reachedMs: number;
      readonly driftMs: number;
    }
  | {
      readonly kind: 'eventTime';
      readonly operatorId: string;
      readonly operator: string;
      /** Of its tasks the one that is behind the others. */
      readonly taskId: string;
      /** How far event time has come there, in ms since 1970; null when nothing is known yet. */
      readonly watermarkMs: number | null;
      /** How long it has been there; null when nothing has come yet. */
      readonly forMs: number | null;
      /** The tasks from there to the one that holds it back. */
      readonly path: readonly string[];
      /** Of a source: the split that is behind the others, and its newest row; null when there is none to name. */
      readonly split: { readonly id: string; readonly newestMs: number | null } | null;
      /** What the operator says of itself. */
      readonly tells: Json;
    }
  | {
      readonly kind: 'needsAllInput';
      readonly operatorId: string;
      readonly operator: string;
      /** Rows taken in so far, by all its tasks. */
      readonly rowsIn: number;
    };

/** @param before - The same job a moment earlier. */
export function findingsOf(before: JobInspection, after: JobInspection): Finding[] {
  const earlier = new Map(before.tasks.map((task) => [keyOf(task), task]));
  const pairs = after.tasks.flatMap((task): Pair[] => {
    const then = earlier.get(keyOf(task));
    return then === undefined ? [] : [{ then, now: task }];
  });
  const elapsedMs = Math.max(1, after.atMs - before.atMs);
  return [
    ...pairs.flatMap(notAnswering),
    ...backpressure(pairs, elapsedMs),
    ...busyOperators(pairs, elapsedMs),
    ...pairs.flatMap(noInput),
    ...held(pairs),
    ...eventTime(after),
    ...needsAllInput(after.tasks),
  ];
}

interface Pair {
  readonly then: TaskInspection;
  readonly now: TaskInspection;
}

function keyOf({ taskId, attempt }: TaskInspection): string {
  return `${taskId} ${attempt}`;
}

function notAnswering({ then, now }: Pair): Finding[] {
  if (now.hasAnswered) return [];
  const isStuck = now.running !== null && then.runningSinceMs === now.runningSinceMs;
  return [{ kind: 'notAnswering', taskId: now.taskId, operator: now.running, isStuck }];
}

/** One per slow task. */
function backpressure(pairs: readonly Pair[], elapsedMs: number): Finding[] {
  const steady = new Map(pairs.map((pair) => [pair.now.taskId, steadyWaits(pair)]));
  const bySlow = new Map<string, { waiting: Set<string>; edgeIds: Set<string> }>();
  for (const [taskId, waits] of steady) {
    for (const { edgeId, taskId: next } of waits) {
      for (const slow of endsOf(next, steady)) {
        const found = bySlow.get(slow) ?? { waiting: new Set(), edgeIds: new Set() };
        bySlow.set(slow, found);
        found.waiting.add(taskId);
        found.edgeIds.add(edgeId);
      }
    }
  }
  return [...bySlow].map(([slowTask, { waiting, edgeIds }]): Finding => {
    const pair = pairs.find(({ now }) => now.taskId === slowTask);
    return {
      ...{ kind: 'backpressure', slowTask, waiting: [...waiting], edgeIds: [...edgeIds] },
      ...(pair === undefined ? { operator: null, busyShare: 0 } : busiest(pair, elapsedMs)),
    };
  });
}

function steadyWaits({ then, now }: Pair) {
  return now.waitsFor.filter((wait) =>
    then.waitsFor.some(({ edgeId, taskId }) => edgeId === wait.edgeId && taskId === wait.taskId),
  );
}

/** The tasks at the ends of the chains of who waits for whom; each task is visited once, so a circle ends. */
function endsOf(
  taskId: string,
  steady: ReadonlyMap<string, readonly { readonly taskId: string }[]>,
): string[] {
  const seen = new Set<string>([taskId]);
  const ends: string[] = [];
  for (const one of seen) {
    const next = steady.get(one) ?? [];
    if (next.length === 0) ends.push(one);
    for (const { taskId: further } of next) seen.add(further);
  }
  return ends;
}

/** What a task did most between two looks at it. */
function busiest({ then, now }: Pair, elapsedMs: number) {
  const times = now.operators.map(({ busyMs }, place) => {
    return busyMs - (then.operators[place]?.busyMs ?? 0);
  });
  const most = times.indexOf(Math.max(...times));
  const sum = times.reduce((total, time) => total + time, 0);
  // A call that has not ended has not been counted yet.
  const operator = sum > 0 ? now.operators[most]?.name : now.running;
  return { operator: operator ?? null, busyShare: Math.min(1, sum / elapsedMs) };
}

/** Of a task's time, so much in one operator makes it what the task is as slow as. */
const busyShareMin = 0.7;

/** One per operator that takes most of the time of some tasks, of which none waits for another one. */
function busyOperators(pairs: readonly Pair[], elapsedMs: number): Finding[] {
  const found = new Map<string, { id: string; name: string; tasks: string[]; shares: number[] }>();
  for (const pair of pairs) {
    if (!pair.now.hasAnswered || steadyWaits(pair).length > 0) continue;
    for (const [place, { id, name, busyMs }] of pair.now.operators.entries()) {
      const share = (busyMs - (pair.then.operators[place]?.busyMs ?? 0)) / elapsedMs;
      if (share < busyShareMin) continue;
      const key = `${pair.now.vertexId} ${place}`;
      const one = found.get(key) ?? { id, name, tasks: [], shares: [] };
      found.set(key, one);
      one.tasks.push(pair.now.taskId);
      one.shares.push(Math.min(1, share));
    }
  }
  return [...found.values()].map(({ id, name, tasks, shares }) => {
    const share = shares.reduce((sum, one) => sum + one, 0) / shares.length;
    return { kind: 'busy', operatorId: id, operator: name, tasks, share };
  });
}

function noInput({ then, now }: Pair): Finding[] {
  const { source, taskId, operators } = now;
  if (source === null || then.source === null) return [];
  const { state, splits, position } = source;
  const hasNone = (one: string) => one === 'waiting' || one === 'asking';
  if (!hasNone(state) || !hasNone(then.source.state)) return [];
  if (then.source.rowCount !== source.rowCount) return [];
  const operator = operators[0]?.name ?? '';
  const waits = state === 'waiting' ? 'waiting' : 'asking';
  return [{ kind: 'noInput', taskId, operator, splits, position, state: waits }];
}

/** Sources that wait for another one. */
function held(pairs: readonly Pair[]): Finding[] {
  const sources = new Map(pairs.map(({ now }) => [now.taskId, now.operators[0]?.name ?? null]));
  return pairs.flatMap(({ then, now }): Finding[] => {
    const { taskId, operators, source } = now;
    if (source?.waitsFor === undefined || then.source?.waitsFor === undefined) return [];
    const { taskId: behind, ...times } = source.waitsFor;
    const named = { operator: operators[0]?.name ?? '', source: sources.get(behind) ?? null };
    return [{ kind: 'held', taskId, behind, ...named, ...times }];
  });
}

/** One per operator that does something when event time goes on: of the task that is behind the others. */
function eventTime({ tasks, atMs }: JobInspection): Finding[] {
  const behind = new Map<string, { task: TaskInspection; operator: OperatorInspection }>();
  for (const task of tasks) {
    for (const operator of task.operators) {
      if (!operator.waitsForTime) continue;
      const least = behind.get(operator.id);
      const isLess = least === undefined || timeOf(operator) < timeOf(least.operator);
      if (isLess) behind.set(operator.id, { task, operator });
    }
  }
  return [...behind.values()].map(({ task, operator }) => {
    const { id: operatorId, name, watermarkMs, watermarkAtMs, tells } = operator;
    const path = pathBack(tasks, task);
    const split = slowestLane(path.at(-1) ?? task);
    return {
      ...{ kind: 'eventTime', operatorId, operator: name, taskId: task.taskId, watermarkMs },
      forMs: watermarkAtMs === null ? null : Math.max(0, atMs - watermarkAtMs),
      ...{ path: path.map(({ taskId }) => taskId), split, tells },
    };
  });
}

function timeOf({ watermarkMs }: { readonly watermarkMs: number | null }): number {
  return watermarkMs ?? Number.NEGATIVE_INFINITY;
}

/** From a task to the sender that has promised least, and on; each task is visited once, so a circle ends. */
function pathBack(tasks: readonly TaskInspection[], from: TaskInspection): TaskInspection[] {
  const path = new Set([from]);
  for (const task of path) {
    const active = task.senders.filter(({ isIdle }) => !isIdle);
    const [first, ...others] = active;
    if (first === undefined) break;
    const least = others.reduce((one, other) => (timeOf(other) < timeOf(one) ? other : one), first);
    const next = tasks.find(({ taskId }) => taskId === least.taskId);
    if (next !== undefined) path.add(next);
  }
  return [...path];
}

function slowestLane({ source }: TaskInspection) {
  const [first, ...others] = source?.lanes ?? [];
  if (first === undefined) return null;
  const newestOf = ({ newestMs }: { readonly newestMs: number | null }) =>
    newestMs ?? Number.NEGATIVE_INFINITY;
  const least = others.reduce(
    (one, other) => (newestOf(other) < newestOf(one) ? other : one),
    first,
  );
  return { id: least.splitId, newestMs: least.newestMs };
}

/** One per operator whose tasks have given out nothing yet. */
function needsAllInput(tasks: readonly TaskInspection[]): Finding[] {
  const byId = new Map<string, OperatorInspection[]>();
  for (const operator of tasks.flatMap(({ operators }) => operators)) {
    if (!gatheringKinds.has(operator.kind)) continue;
    const key = `${operator.id} ${operator.name}`;
    byId.set(key, [...(byId.get(key) ?? []), operator]);
  }
  return [...byId.values()].flatMap((all): Finding[] => {
    const sum = (of: (one: OperatorInspection) => number) =>
      all.reduce((total, one) => total + of(one), 0);
    const [first] = all;
    const rowsIn = sum((one) => one.rowsIn);
    if (first === undefined || rowsIn === 0 || sum((one) => one.rowsOut) > 0) return [];
    const { id: operatorId, name: operator } = first;
    return [{ kind: 'needsAllInput', operatorId, operator, rowsIn }];
  });
}
