/**
 * Regions of a job with checkpoints that run again alone, from the newest complete one, while the others go on: as pure
 * functions over plain data.
 *
 *     a task fails ─▶ stopping ──its tasks are gone, the restart strategy's delay is over,──▶ preparing ─▶ running
 *                        ▲       no checkpoint is under way                                      │
 *                        └───────────────────── another region fails ◀──────────────────────────┘
 *
 * What fails while regions are being started again is started again with them, and counts as the same failure: threads
 * that die take tasks of several regions along.
 *
 * Why this is consistent: a checkpoint is one cut through all regions, and no row goes from one region to another. So that
 * some are as they were at the cut and others have gone on is a state that the job could have been in.
 *
 * Not here: whether a failure is one that regions may survive (job-restarts.ts), what is read and made ready (job-master.ts).
 *
 * Before: coordinator/job/job-state.ts. After: coordinator/job/region-state.ts.
 */
import { andDeploy, stopAttempts } from './region-state.ts';
import {
  liveAttempt,
  type RegionRestart,
  type RunningJob,
  type RunStep,
  regionOf,
  stateOf,
} from './running-job.ts';

const begun: RegionRestart = {
  regionIds: new Set(),
  isDue: false,
  isQuiet: false,
  isPreparing: false,
};

/** A task of a region has failed: all its tasks are stopped. What an attempt says that is on its way out changes nothing. */
export function restartRegion(run: RunningJob, taskId: string, attempt: number): RunStep {
  const { id } = regionOf(run, taskId);
  if (liveAttempt(stateOf(run, id), attempt) === null) return { run, effects: [] };
  const before = run.restart ?? begun;
  const regionIds = new Set([...before.regionIds, id]);
  // Checkpoints that the region had a part in are given up now.
  const restart = { ...before, regionIds, isQuiet: false, isPreparing: false };
  return stopAttempts({ ...run, restart }, id);
}

/** The delay is over; or no checkpoint is under way any more. */
export function advanceRestart(
  run: RunningJob,
  change: Partial<Pick<RegionRestart, 'isDue' | 'isQuiet'>>,
): RunStep {
  if (run.restart === null) return { run, effects: [] };
  return prepareWhenReady({ ...run, restart: { ...run.restart, ...change } });
}

/** What they go on from is there: they are deployed, unless another one has failed meanwhile, which takes them along. */
export function regionsPrepared(run: RunningJob, regionIds: readonly string[]): RunStep {
  const { restart } = run;
  const isAll = restart?.isPreparing === true && restart.regionIds.size === regionIds.length;
  if (!isAll) return { run, effects: [] };
  return andDeploy({ run: { ...run, restart: null }, effects: [] });
}

/** An attempt of a region is gone, perhaps the last that was waited for. */
export function prepareWhenReady(run: RunningJob): RunStep {
  const { restart } = run;
  if (restart === null || restart.isPreparing || !restart.isDue || !restart.isQuiet) {
    return { run, effects: [] };
  }
  const ids = [...restart.regionIds];
  if (ids.some((id) => stateOf(run, id).attempts.length > 0)) return { run, effects: [] };
  return {
    run: { ...run, restart: { ...restart, isPreparing: true } },
    effects: [{ kind: 'prepareRegions', regionIds: ids }],
  };
}
