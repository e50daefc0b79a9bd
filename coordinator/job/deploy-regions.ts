/**
 * Which regions start now, and where. Before any of a stage does, its plan may be changed by what is known of its
 * inputs (coordinator/adaptive).
 *
 * Before: coordinator/job/region-state.ts. After: coordinator/scheduler/placement.ts.
 */
import { adaptPlan, heldVertices, type TaskView } from '../adaptive/adapt-plan.ts';
import { vertexIdOf } from '../protocol.ts';
import { homesOf, placeRegion, slotsAtHome } from '../scheduler/placement.ts';
import { type Region, regionsOf } from '../scheduler/regions.ts';
import {
  type Attempt,
  changed,
  initialRegion,
  type RegionEffect,
  type RunningJob,
  type RunPlan,
  type RunStep,
  retriesMax,
  stateOf,
} from './running-job.ts';

/**
 * Starts regions whose inputs are there, earlier stages first, in slots that are idle: a slot's memory is
 * shared out among the tasks of one region. Those that had better wait start when nothing else could.
 */
export function deployReady(run: RunningJob): RunStep {
  const { adaptive } = run.plan;
  if (adaptive === null) return deployAllowed(run, () => true);
  const adapted = adaptedRun(run);
  const held = heldVertices(adapted.plan.adaptive ?? adaptive, viewOf(adapted));
  if (held.size === 0) return deployAllowed(adapted, () => true);
  const isFree = ({ taskIds }: Region) => !taskIds.some((id) => held.has(vertexIdOf(id)));
  const started = deployAllowed(adapted, isFree);
  const isIdle = [...started.run.regions.values()].every(({ attempts }) => attempts.length === 0);
  return isIdle ? deployAllowed(adapted, () => true) : started;
}

function deployAllowed(run: RunningJob, isAllowed: (region: Region) => boolean): RunStep {
  const effects: RegionEffect[] = [];
  let next = run;
  for (const region of run.plan.regions) {
    const { id, inputs, taskIds } = region;
    const { done, attempts } = stateOf(next, id);
    if (done !== null || attempts.length > 0 || !isAllowed(region)) continue;
    if (next.restart?.regionIds.has(id) === true) continue;
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

/** The job with the plan that what is known by now allows. */
function adaptedRun(run: RunningJob): RunningJob {
  const { plan, regions } = run;
  if (plan.adaptive === null) return run;
  const adaptive = adaptPlan(plan.adaptive, viewOf(run));
  if (adaptive === plan.adaptive) return run;
  const { graph, onceIds } = adaptive;
  const found = withKnownIds(
    regionsOf(graph, ({ id }) => onceIds.has(id)),
    plan.regions,
  );
  const changedPlan: RunPlan = {
    ...plan,
    ...{ adaptive, regions: found, homes: homesOf(graph, plan.slotCount) },
  };
  const states = found.map(({ id }) => [id, regions.get(id) ?? initialRegion] as const);
  return { ...run, plan: changedPlan, regions: new Map(states) };
}

/** The regions with the ids that they had before, and new ones where they were not there. */
function withKnownIds(regions: readonly Region[], known: readonly Region[]): Region[] {
  const keyOf = ({ taskIds }: Region) => taskIds.join(' ');
  const knownIds = new Map(known.map((region) => [keyOf(region), region.id]));
  let last = Math.max(...known.map(({ id }) => Number(id.slice(1))));
  const ids = new Map(
    regions.map((region) => [region.id, knownIds.get(keyOf(region)) ?? `r${++last}`]),
  );
  const renamed = (id: string) => ids.get(id) ?? id;
  return regions.map((region) => ({
    ...region,
    id: renamed(region.id),
    inputs: region.inputs.map(renamed),
    readers: region.readers.map(renamed),
  }));
}

function viewOf(run: RunningJob): TaskView {
  const byTask = new Map(
    run.plan.regions.flatMap(({ id, taskIds }) => taskIds.map((taskId) => [taskId, id] as const)),
  );
  const stateOfTask = (taskId: string) => stateOf(run, byTask.get(taskId) ?? '');
  return {
    partitionBytes: (taskId) => stateOfTask(taskId).done?.partitionBytes[taskId] ?? null,
    hasStarted: (taskId) => stateOfTask(taskId).attemptCount > 0,
  };
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
  const slots = slotsFor(run, region, number);
  if (slots === null) return null;
  const attempt: Attempt = {
    ...{ number, slots },
    unfinished: new Set(region.taskIds),
    writes: [],
    partitionBytes: {},
    isStopping: false,
    isCopy,
  };
  return changed(run, region.id, { attempts: [...state.attempts, attempt], attemptCount: number });
}

/** Null while there is no room. */
function slotsFor(run: RunningJob, { id, taskIds }: Region, number: number) {
  const { homes, slotCount, runsTogether } = run.plan;
  if (runsTogether === true) return slotsAtHome(taskIds, homes);
  const { avoidSlot } = stateOf(run, id);
  const busy = busySlots(run);
  return placeRegion(taskIds, { homes, slotCount, number, avoidSlot, busy });
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
