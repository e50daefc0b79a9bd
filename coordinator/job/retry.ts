/**
 * What a failed task means for its job: another attempt, or the end.
 *
 *     the user's data, a bug         the job fails: the same rows would fail again
 *     may pass (a disk's I/O error,  the region runs again, in another slot first, up to 4 times
 *     a torn spill file)
 *     the thread died                the region runs once more: what a record or a function did to one thread,
 *                                    it will do to the next
 *     a map output can't be read     the region that wrote it runs again, then this one; this one is not
 *                                    blamed. Where another run may give other rows, all that has read
 *                                    any of it runs again as well.
 *     another attempt runs beside it whatever the reason, this attempt alone ends: the other one may do
 *                                    better, or meets the same and has none beside it
 *
 * Before: worker/executor.ts. After: coordinator/job/region-state.ts.
 */
import type { WireError } from '../../base/typed-error.ts';
import { andDeploy, stopAttempts } from './region-state.ts';
import {
  changed,
  deathsMax,
  liveAttempt,
  type RunningJob,
  type RunStep,
  regionOf,
  retriesMax,
  stateOf,
} from './running-job.ts';

/** Errors that another try may not meet. */
const passing: ReadonlySet<string> = new Set([
  ...['DISK_IO', 'DISK_TOO_MANY_FILES', 'NET_BROKEN'],
  ...['SPILL_DAMAGED', 'THREAD_DIED'],
]);

export interface TaskFailure {
  readonly taskId: string;
  readonly attempt: number;
  readonly error: WireError;
}

/** What follows: another attempt, or the error that the job ends with. */
export type Retry =
  | (RunStep & { readonly kind: 'goesOn' })
  | { readonly kind: 'failed'; readonly error: WireError };

export function retryAfter(run: RunningJob, failure: TaskFailure): Retry {
  const next = nextAttempt(run, failure);
  return next === null
    ? { kind: 'failed', error: lastError(run, failure) }
    : { kind: 'goesOn', ...next };
}

/** The error, with how often its task was tried where that was more than once. */
function lastError(run: RunningJob, { taskId, error }: TaskFailure): WireError {
  const { attemptCount } = stateOf(run, regionOf(run, taskId).id);
  if (attemptCount < 2) return error;
  const message = `task "${taskId}" failed in attempt ${attemptCount}, the last one: ${error.message}`;
  return { ...error, message };
}

/** Null: the job has failed. */
function nextAttempt(run: RunningJob, failure: TaskFailure): RunStep | null {
  const { taskId, attempt: number, error } = failure;
  const region = regionOf(run, taskId);
  const state = stateOf(run, region.id);
  const attempt = liveAttempt(state, number);
  if (attempt === null) return { run, effects: [] }; // It is on its way out, or gone.
  if (!region.isRepeatable) return null;
  const lost = lostOutputOf(error);
  if (lost !== null) return lostOutput(run, region.id, lost);
  const deathCount = state.deathCount + (error.code === 'THREAD_DIED' ? 1 : 0);
  const isAlone = !state.attempts.some((one) => one !== attempt && !one.isStopping);
  const isSpent = state.failureCount >= retriesMax || deathCount >= deathsMax;
  if (isAlone && (!mayPass(error) || isSpent)) return null;
  const avoidSlot = attempt.slots[taskId] ?? null;
  const failureCount = state.failureCount + 1;
  const failed = changed(run, region.id, { failureCount, deathCount, avoidSlot });
  return stopAttempts(failed, region.id, number);
}

/** Whether another try may not meet the error. */
export function mayPass({ code, retryable, cause }: WireError): boolean {
  return retryable || passing.has(code) || (cause !== undefined && mayPass(cause));
}

interface LostOutput {
  readonly taskId: string;
  readonly attempt: number;
}

/** Which task's map output could not be read; null for other errors. */
function lostOutputOf({ code, details }: WireError): LostOutput | null {
  if (code !== 'SHUFFLE_LOST') return null;
  return { taskId: String(details?.taskId), attempt: Number(details?.attempt) };
}

function lostOutput(run: RunningJob, readerId: string, lost: LostOutput): RunStep | null {
  const writer = regionOf(run, lost.taskId);
  const { done, failureCount } = stateOf(run, writer.id);
  const reader = stopAttempts(run, readerId);
  // Somebody else has said so already: the output that will be read is a newer one.
  if (done?.number !== lost.attempt) return andDeploy(reader);
  if (failureCount >= retriesMax || !writer.isRepeatable) return null;
  const failed = changed(reader.run, writer.id, { done: null, failureCount: failureCount + 1 });
  const again = writer.isIndeterminate
    ? undo(failed, writer.readers)
    : { run: failed, effects: [] };
  if (again === null) return null;
  return andDeploy({ run: again.run, effects: [...reader.effects, ...again.effects] });
}

/** Makes regions run again, and all that has read from them. */
function undo(run: RunningJob, regionIds: readonly string[]): RunStep | null {
  let next = run;
  const effects: RunStep['effects'][number][] = [];
  const reached = new Set(regionIds);
  // A set that is added to while it is gone through goes through what is added.
  for (const id of reached) {
    const region = run.plan.regions.find((one) => one.id === id);
    const { done, attempts } = stateOf(next, id);
    if (region === undefined) continue;
    const hasRun = done !== null || attempts.length > 0;
    if (hasRun && !region.isRepeatable) return null;
    const stopped = stopAttempts(changed(next, id, { done: null }), id);
    next = stopped.run;
    effects.push(...stopped.effects);
    for (const reader of region.readers) reached.add(reader);
  }
  return { run: next, effects };
}
