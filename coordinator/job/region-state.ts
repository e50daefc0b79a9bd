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
import type { PartitionBytes } from '../../engine/plan/map-output-read.ts';
import { deployReady } from './deploy-regions.ts';
import {
  type Attempt,
  changed,
  initialRegion,
  liveAttempt,
  type RegionEffect,
  type RunningJob,
  type RunPlan,
  type RunStep,
  regionOf,
  stateOf,
  type TaskWrite,
} from './running-job.ts';

/** One attempt of a task that has finished. */
export interface FinishedTask extends TaskWrite {
  readonly attempt: number;
  readonly partitionBytes: PartitionBytes;
}

export function startRun(plan: RunPlan): RunStep {
  const regions = new Map(plan.regions.map(({ id }) => [id, initialRegion]));
  return deployReady({ plan, regions, restart: null });
}

/** The first attempt that has all its tasks finished wins, and the others are stopped. */
export function finishTask(
  run: RunningJob,
  { taskId, write, partitionBytes: bytes, attempt: number }: FinishedTask,
): RunStep {
  const { id } = regionOf(run, taskId);
  const state = stateOf(run, id);
  const attempt = liveAttempt(state, number);
  if (!attempt?.unfinished.has(taskId)) return { run, effects: [] };
  const unfinished = new Set(attempt.unfinished);
  unfinished.delete(taskId);
  const writes = write === null ? attempt.writes : [...attempt.writes, { taskId, write }];
  const partitionBytes = { ...attempt.partitionBytes, [taskId]: bytes };
  const next = { ...attempt, unfinished, writes, partitionBytes };
  const others = state.attempts.filter((one) => one !== attempt);
  if (unfinished.size > 0)
    return { run: changed(run, id, { attempts: [...others, next] }), effects: [] };
  const done = { number, writes, partitionBytes };
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

/** The step, and what can start after it. */
export function andDeploy({ run, effects }: RunStep): RunStep {
  const next = deployReady(run);
  return { run: next.run, effects: [...effects, ...next.effects] };
}
