/**
 * The life of a job attempt, as a pure state machine.
 *
 *     preparing ──prepared──▶ running ──last task finished──▶ committing ──committed──▶ finished
 *         │                      │                                │
 *         └────failed, cancel────┴──────────▶ stopping ◀──failed──┘
 *                                                 └──stopped──▶ failed | cancelled
 *
 * The first reason to stop is the one that counts: what fails afterwards fails because of it. A
 * cancel that comes while committing is too late and changes nothing, for the output may be visible.
 */
import { assertNever } from '../../base/assert.ts';
import type { WireError } from '../../base/typed-error.ts';
import type { Json } from '../../engine/contracts/json.ts';

/** Why a job ends without a result. */
export type StopReason =
  | { readonly kind: 'failed'; readonly error: WireError }
  | { readonly kind: 'cancelled'; readonly reason: string };

/** What a task's sink writer wrote. */
export interface TaskWrite {
  readonly taskId: string;
  readonly write: Json;
}

export type JobState =
  | { readonly kind: 'preparing' }
  | {
      readonly kind: 'running';
      readonly unfinished: ReadonlySet<string>;
      readonly writes: readonly TaskWrite[];
    }
  | { readonly kind: 'committing'; readonly writes: readonly TaskWrite[] }
  | { readonly kind: 'finished' }
  | { readonly kind: 'stopping'; readonly reason: StopReason }
  | { readonly kind: 'failed'; readonly error: WireError }
  | { readonly kind: 'cancelled'; readonly reason: string };

export type JobEvent =
  | { readonly kind: 'prepared'; readonly taskIds: readonly string[] }
  /** `write` is null for a task without a sink. */
  | { readonly kind: 'taskFinished'; readonly taskId: string; readonly write: Json }
  | { readonly kind: 'committed' }
  | { readonly kind: 'failed'; readonly error: WireError }
  | { readonly kind: 'cancel'; readonly reason: string }
  | { readonly kind: 'stopped' };

export type JobEffect = 'none' | 'deploy' | 'commit' | 'stopAndAbort' | 'report';

export interface JobStep {
  readonly state: JobState;
  readonly effect: JobEffect;
}

export const initialJobState: JobState = { kind: 'preparing' };

export function stepJob(state: JobState, event: JobEvent): JobStep {
  const unchanged: JobStep = { state, effect: 'none' };
  switch (event.kind) {
    case 'prepared':
      if (state.kind !== 'preparing') return unchanged;
      return {
        state: { kind: 'running', unfinished: new Set(event.taskIds), writes: [] },
        effect: 'deploy',
      };
    case 'taskFinished':
      return state.kind === 'running' ? finishTask(state, event.taskId, event.write) : unchanged;
    case 'committed':
      if (state.kind !== 'committing') return unchanged;
      return { state: { kind: 'finished' }, effect: 'report' };
    case 'failed':
      return isStoppable(state) || state.kind === 'committing'
        ? stopFor({ kind: 'failed', error: event.error })
        : unchanged;
    case 'cancel':
      return isStoppable(state) ? stopFor({ kind: 'cancelled', reason: event.reason }) : unchanged;
    case 'stopped':
      return state.kind === 'stopping' ? { state: state.reason, effect: 'report' } : unchanged;
    default:
      return assertNever(event);
  }
}

function isStoppable(state: JobState): boolean {
  return state.kind === 'preparing' || state.kind === 'running';
}

function stopFor(reason: StopReason): JobStep {
  return { state: { kind: 'stopping', reason }, effect: 'stopAndAbort' };
}

function finishTask(
  state: Extract<JobState, { kind: 'running' }>,
  taskId: string,
  write: Json,
): JobStep {
  if (!state.unfinished.has(taskId)) return { state, effect: 'none' };
  const unfinished = new Set(state.unfinished);
  unfinished.delete(taskId);
  const writes = write === null ? state.writes : [...state.writes, { taskId, write }];
  if (unfinished.size > 0) return { state: { ...state, unfinished, writes }, effect: 'none' };
  return { state: { kind: 'committing', writes }, effect: 'commit' };
}
