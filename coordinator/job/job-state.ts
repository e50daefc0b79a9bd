/**
 * The life of a job, as a pure state machine.
 *
 *     preparing ──prepared──▶ running ──last region done──▶ committing ──committed──▶ finished
 *         │                      │                                │
 *         └────failed, cancel────┴──────────▶ stopping ◀──failed──┘
 *                                 stop            └──stopped──▶ failed | cancelled | stopped
 *
 * The first reason to stop is the one that counts: what fails afterwards fails because of it. A task that
 * fails is no such reason while its region may run again (retry.ts). A cancel that comes while committing
 * is too late and changes nothing, for the output may be visible. A stop comes when a savepoint is there and committed: what
 * was written behind it is taken away.
 */
import { assertNever } from '../../base/assert.ts';
import type { WireError } from '../../base/typed-error.ts';
import { copyRegion } from './deploy-regions.ts';
import {
  advanceRestart,
  prepareWhenReady,
  regionsPrepared,
  restartRegion,
} from './region-restart.ts';
import { attemptStopped, type FinishedTask, finishTask, startRun } from './region-state.ts';
import { retryAfter } from './retry.ts';
import {
  isRunDone,
  type PrepareRegions,
  type RegionEffect,
  type RunningJob,
  type RunPlan,
  type RunStep,
} from './running-job.ts';

/** Why a job ends without a result. */
export type StopReason =
  | { readonly kind: 'failed'; readonly error: WireError }
  | { readonly kind: 'cancelled'; readonly reason: string }
  /** A savepoint is there, and the job has been asked to end with it. */
  | { readonly kind: 'stopped' };

export type JobState =
  | { readonly kind: 'preparing' }
  | { readonly kind: 'running'; readonly run: RunningJob }
  | { readonly kind: 'committing'; readonly run: RunningJob }
  | { readonly kind: 'finished' }
  | { readonly kind: 'stopping'; readonly reason: StopReason }
  | { readonly kind: 'failed'; readonly error: WireError }
  | { readonly kind: 'cancelled'; readonly reason: string }
  | { readonly kind: 'stopped' };

/** Which attempt of a task an event is about. */
interface OfTask {
  readonly taskId: string;
  readonly attempt: number;
}

export type JobEvent =
  | { readonly kind: 'prepared'; readonly plan: RunPlan }
  | RunEvent
  | { readonly kind: 'committed' }
  | { readonly kind: 'failed'; readonly error: WireError }
  | { readonly kind: 'cancel'; readonly reason: string }
  | { readonly kind: 'stop' }
  | { readonly kind: 'stopped' };

type RunEvent =
  /** `write` is null for a task without a sink. */
  | (FinishedTask & { readonly kind: 'taskFinished' })
  | (OfTask & { readonly kind: 'taskFailed'; readonly error: WireError })
  /** The same of a job with checkpoints, whose region is to go on from the newest complete one. */
  | (OfTask & { readonly kind: 'restartRegion' })
  /** Of regions that are to go on from a checkpoint: the delay is over; no checkpoint is under way. */
  | { readonly kind: 'restartDue' }
  | { readonly kind: 'checkpointsQuiet' }
  /** What these regions go on from is there. */
  | { readonly kind: 'regionsPrepared'; readonly regionIds: readonly string[] }
  /** No task of the attempt runs any more. */
  | { readonly kind: 'attemptStopped'; readonly regionId: string; readonly attempt: number }
  /** The region is slow beside its siblings (scheduler/stragglers.ts). */
  | { readonly kind: 'regionIsSlow'; readonly regionId: string };

export type JobEffect =
  | RegionEffect
  | PrepareRegions
  | { readonly kind: 'commit' }
  | { readonly kind: 'stopAndAbort' }
  | { readonly kind: 'report' };

export interface JobStep {
  readonly state: JobState;
  readonly effects: readonly JobEffect[];
}

export const initialJobState: JobState = { kind: 'preparing' };

export function stepJob(state: JobState, event: JobEvent): JobStep {
  const unchanged: JobStep = { state, effects: [] };
  switch (event.kind) {
    case 'prepared':
      return state.kind === 'preparing' ? afterStep(startRun(event.plan)) : unchanged;
    case 'taskFinished':
    case 'taskFailed':
    case 'restartRegion':
    case 'restartDue':
    case 'checkpointsQuiet':
    case 'regionsPrepared':
    case 'attemptStopped':
    case 'regionIsSlow':
      return state.kind === 'running' ? stepRun(state.run, event) : unchanged;
    case 'committed':
      if (state.kind !== 'committing') return unchanged;
      return { state: { kind: 'finished' }, effects: [{ kind: 'report' }] };
    case 'failed':
      return isStoppable(state) || state.kind === 'committing'
        ? stopFor({ kind: 'failed', error: event.error })
        : unchanged;
    case 'cancel':
      return isStoppable(state) ? stopFor({ kind: 'cancelled', reason: event.reason }) : unchanged;
    case 'stop':
      return state.kind === 'running' ? stopFor({ kind: 'stopped' }) : unchanged;
    case 'stopped':
      if (state.kind !== 'stopping') return unchanged;
      return { state: state.reason, effects: [{ kind: 'report' }] };
    default:
      return assertNever(event);
  }
}

/** What befalls a task, or a region, of a job that runs. */
function stepRun(run: RunningJob, event: RunEvent): JobStep {
  switch (event.kind) {
    case 'taskFinished':
      return afterStep(finishTask(run, event));
    case 'attemptStopped':
      return afterStep(attemptGone(run, event.regionId, event.attempt));
    case 'restartRegion':
      return afterStep(restartRegion(run, event.taskId, event.attempt));
    case 'restartDue':
      return afterStep(advanceRestart(run, { isDue: true }));
    case 'checkpointsQuiet':
      return afterStep(advanceRestart(run, { isQuiet: true }));
    case 'regionsPrepared':
      return afterStep(regionsPrepared(run, event.regionIds));
    case 'regionIsSlow':
      return afterStep(copyRegion(run, event.regionId));
    case 'taskFailed': {
      const next = retryAfter(run, event);
      return next.kind === 'failed' ? stopFor(next) : afterStep(next);
    }
    default:
      return assertNever(event);
  }
}

function attemptGone(run: RunningJob, regionId: string, attempt: number): RunStep {
  const gone = attemptStopped(run, regionId, attempt);
  const next = prepareWhenReady(gone.run);
  return { run: next.run, effects: [...gone.effects, ...next.effects] };
}

function isStoppable(state: JobState): boolean {
  return state.kind === 'preparing' || state.kind === 'running';
}

function stopFor(reason: StopReason): JobStep {
  return { state: { kind: 'stopping', reason }, effects: [{ kind: 'stopAndAbort' }] };
}

/** The job goes on with its regions, or commits what they have written. */
function afterStep({ run, effects }: RunStep): JobStep {
  if (!isRunDone(run)) return { state: { kind: 'running', run }, effects };
  return { state: { kind: 'committing', run }, effects: [...effects, { kind: 'commit' }] };
}
