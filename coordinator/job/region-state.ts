/**
 * The regions of a running job and their attempts, as pure functions over plain data.
 *
 *     waiting ──inputs done, a slot free──▶ running ──last task finished──▶ done
 *        ▲                                     │ a task failed                │ its map output was lost,
 *        │                                     ▼                              │ or it read what may now
 *        └────────────stopped──────────── stopping ◀──────────────────────────┘ be other rows
 *
 * A region is done with one of its attempts: the first whose tasks have all finished. What others have
 * written is never read and never committed. An attempt is gone only when its worker says so; until then
 * nothing new is started for its region, and nothing is committed. A copy, the second attempt of a region that
 * is slow, is the exception: it runs beside the first.
 *
 * Not here: why a failure is worth another attempt (retry.ts), the life of the job (job-state.ts).
 */
import { assert } from '../../base/assert.ts';
import type { Json } from '../../engine/contracts/json.ts';
import { placeRegion } from '../scheduler/placement.ts';
import type { Region } from '../scheduler/regions.ts';

/** What a task's sink writer wrote. */
export interface TaskWrite {
  readonly taskId: string;
  readonly write: Json;
}

/** A region's tasks at work, or being stopped. */
export interface Attempt {
  readonly number: number;
  /** Task id → slot. */
  readonly slots: Readonly<Record<string, number>>;
  readonly unfinished: ReadonlySet<string>;
  readonly writes: readonly TaskWrite[];
  readonly isStopping: boolean;
  /** Whether it was started beside another one that is slow. */
  readonly isCopy: boolean;
}

export interface RegionState {
  readonly attempts: readonly Attempt[];
  /** Attempts so far. */
  readonly attemptCount: number;
  /** Attempts that failed, or whose map output was lost. */
  readonly failureCount: number;
  /** Copies so far, and those of them that came in first. */
  readonly copyCount: number;
  readonly copyWonCount: number;
  /** The slot that failed last. */
  readonly avoidSlot: number | null;
  /** The attempt whose work counts. */
  readonly done: { readonly number: number; readonly writes: readonly TaskWrite[] } | null;
}

/** What is known of a job's tasks before the first one starts. */
export interface RunPlan {
  /** In the order of their stages. */
  readonly regions: readonly Region[];
  readonly slotCount: number;
  /** Task id → the slot that it has where nothing else counts. */
  readonly homes: Readonly<Record<string, number>>;
}

export interface RunningJob {
  readonly plan: RunPlan;
  readonly regions: ReadonlyMap<string, RegionState>;
}

export type RegionEffect = {
  readonly kind: 'deploy' | 'stopAttempt';
  readonly regionId: string;
  readonly attempt: number;
};

export interface RunStep {
  readonly run: RunningJob;
  readonly effects: readonly RegionEffect[];
}

/** How often a region may fail before the job does: one attempt, and four more. */
export const retriesMax = 4;

const initialRegion: RegionState = {
  attempts: [],
  attemptCount: 0,
  failureCount: 0,
  copyCount: 0,
  copyWonCount: 0,
  avoidSlot: null,
  done: null,
};

export function startRun(plan: RunPlan): RunStep {
  const regions = new Map(plan.regions.map(({ id }) => [id, initialRegion]));
  return deployReady({ plan, regions });
}

export function isRunDone({ regions }: RunningJob): boolean {
  return [...regions.values()].every(
    ({ done, attempts }) => done !== null && attempts.length === 0,
  );
}

/** What the attempts that count have written. */
export function writesOf({ regions }: RunningJob): TaskWrite[] {
  return [...regions.values()].flatMap(({ done }) => done?.writes ?? []);
}

export function regionOf({ plan }: RunningJob, taskId: string): Region {
  const region = plan.regions.find(({ taskIds }) => taskIds.includes(taskId));
  assert(region !== undefined, 'a task belongs to a region of its job');
  return region;
}

export function stateOf({ regions }: RunningJob, regionId: string): RegionState {
  return regions.get(regionId) ?? initialRegion;
}

/** The attempt, unless it is gone or on its way out. */
export function liveAttempt(state: RegionState, number: number): Attempt | null {
  return state.attempts.find((one) => one.number === number && !one.isStopping) ?? null;
}

/** The first attempt that has all its tasks finished wins, and the others are stopped. */
export function finishTask(
  run: RunningJob,
  { taskId, write, attempt: number }: TaskWrite & { readonly attempt: number },
): RunStep {
  const { id } = regionOf(run, taskId);
  const state = stateOf(run, id);
  const attempt = liveAttempt(state, number);
  if (!attempt?.unfinished.has(taskId)) return { run, effects: [] };
  const unfinished = new Set(attempt.unfinished);
  unfinished.delete(taskId);
  const writes = write === null ? attempt.writes : [...attempt.writes, { taskId, write }];
  const next = { ...attempt, unfinished, writes };
  const others = state.attempts.filter((one) => one !== attempt);
  if (unfinished.size > 0)
    return { run: changed(run, id, { attempts: [...others, next] }), effects: [] };
  const done = { number, writes };
  const copyWonCount = state.copyWonCount + (attempt.isCopy ? 1 : 0);
  const stopped = stopAttempts(changed(run, id, { attempts: others, done, copyWonCount }), id);
  return andDeploy(stopped);
}

/** An attempt is gone; what waited for that may start. */
export function attemptStopped(run: RunningJob, regionId: string, number: number): RunStep {
  const { attempts } = stateOf(run, regionId);
  const left = attempts.filter((one) => one.number !== number);
  return deployReady(changed(run, regionId, { attempts: left }));
}

/** Stops attempts of a region that are not stopping yet: all, or the one with that number. */
export function stopAttempts(run: RunningJob, regionId: string, only?: number): RunStep {
  const { attempts } = stateOf(run, regionId);
  const isMeant = ({ number }: Attempt) => only === undefined || number === only;
  const effects = attempts.flatMap((attempt): RegionEffect[] =>
    isMeant(attempt) && !attempt.isStopping
      ? [{ kind: 'stopAttempt', regionId, attempt: attempt.number }]
      : [],
  );
  const stopping = attempts.map((one) => (isMeant(one) ? { ...one, isStopping: true } : one));
  return { run: changed(run, regionId, { attempts: stopping }), effects };
}

export function changed(run: RunningJob, id: string, part: Partial<RegionState>): RunningJob {
  const regions = new Map(run.regions);
  regions.set(id, { ...stateOf(run, id), ...part });
  return { ...run, regions };
}

/** The step, and what can start after it. */
export function andDeploy({ run, effects }: RunStep): RunStep {
  const next = deployReady(run);
  return { run: next.run, effects: [...effects, ...next.effects] };
}

/**
 * Starts regions whose inputs are there, earlier stages first, in slots that are idle: a slot's memory is
 * shared out among the tasks of one region.
 */
function deployReady(run: RunningJob): RunStep {
  const effects: RegionEffect[] = [];
  let next = run;
  for (const region of run.plan.regions) {
    const { id, inputs, taskIds } = region;
    const { done, attempts } = stateOf(next, id);
    if (done !== null || attempts.length > 0) continue;
    if (!inputs.every((input) => stateOf(next, input).done !== null)) continue;
    const started = addAttempt(next, region, false);
    // Later regions must not take the slots again and again that a larger one waits for.
    if (started === null && taskIds.length > 1) break;
    if (started === null) continue;
    next = started;
    effects.push({ kind: 'deploy', regionId: id, attempt: stateOf(next, id).attemptCount });
  }
  return { run: next, effects };
}

/**
 * Runs a region that is slow a second time, in slots that are idle; the first attempt to finish wins. One that
 * is on its way out, or has failed as often as it may, gets no copy.
 */
export function copyRegion(run: RunningJob, regionId: string): RunStep {
  const region = run.plan.regions.find(({ id }) => id === regionId);
  const { done, attempts, failureCount, copyCount } = stateOf(run, regionId);
  const [slow, ...others] = attempts;
  const isAlone = slow !== undefined && !slow.isStopping && others.length === 0;
  const mayCopy = region?.isRepeatable === true && failureCount < retriesMax;
  if (done !== null || !isAlone || !mayCopy) return { run, effects: [] };
  const started = addAttempt(run, region, true);
  if (started === null) return { run, effects: [] };
  const { attemptCount: attempt } = stateOf(started, regionId);
  return {
    run: changed(started, regionId, { copyCount: copyCount + 1 }),
    effects: [{ kind: 'deploy', regionId, attempt }],
  };
}

/** One more attempt of a region; null when its slots are busy. */
function addAttempt(run: RunningJob, region: Region, isCopy: boolean): RunningJob | null {
  const state = stateOf(run, region.id);
  const number = state.attemptCount + 1;
  const { homes, slotCount } = run.plan;
  const { avoidSlot } = state;
  const busy = busySlots(run);
  const slots = placeRegion(region.taskIds, { homes, slotCount, number, avoidSlot, busy });
  if (slots === null) return null;
  const attempt: Attempt = {
    ...{ number, slots },
    unfinished: new Set(region.taskIds),
    writes: [],
    isStopping: false,
    isCopy,
  };
  return changed(run, region.id, { attempts: [...state.attempts, attempt], attemptCount: number });
}

/** Slots with a task that has not finished. */
function busySlots({ regions }: RunningJob): ReadonlySet<number> {
  const attempts = [...regions.values()].flatMap((region) => region.attempts);
  return new Set(
    attempts.flatMap(({ slots, unfinished }) =>
      [...unfinished].map((taskId) => slots[taskId] ?? 0),
    ),
  );
}
