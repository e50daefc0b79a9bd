/**
 * What can be said of the checkpoints of a job that runs, or has run: those under way, the last ones that have ended with why
 * they failed, of all attempts, and why there was more than one attempt. Plain data, for `millrace checkpoints` and the summary.
 *
 * Before: coordinator/job/job-attempts.ts. After: coordinator/checkpoint/checkpoint-history.ts.
 */
import type { WireError } from '../../base/typed-error.ts';
import type { CheckpointsState } from '../checkpoint/attempt-checkpoints.ts';
import {
  type CheckpointOutcome,
  type CheckpointStatistics,
  emptyHistory,
  endedMax,
  statisticsOf,
} from '../checkpoint/checkpoint-history.ts';
import type { CheckpointPhase } from '../checkpoint/pending-checkpoint.ts';

// Type aliases, not interfaces: only those are assignable to `Json`.
export type ShownCheckpoint = CheckpointStatistics & {
  /** Of the attempt. */
  readonly epoch: number;
  /** Milliseconds since 1970, by the coordinator's clock. */
  readonly triggeredAtMs: number;
  readonly state: CheckpointPhase | CheckpointOutcome;
  /** Why it failed; empty where it did not. */
  readonly reason: string;
};

export type CheckpointsView = {
  /** Oldest first. */
  readonly underWay: readonly ShownCheckpoint[];
  /** The last ones, oldest first. */
  readonly ended: readonly ShownCheckpoint[];
  /** Of all that have ended. */
  readonly counts: Readonly<Record<CheckpointOutcome, number>>;
};

/** Why a job was started again. */
export type Restart = {
  /** Milliseconds since 1970, by the coordinator's clock. */
  readonly atMs: number;
  readonly code: string;
  readonly message: string;
  /** Tasks that were started again alone; absent where all of them were. */
  readonly taskIds?: readonly string[];
};

export type RestartsView = {
  readonly count: number;
  /** The last ones, oldest first. */
  readonly last: readonly Restart[];
};

export const noCheckpoints: CheckpointsView = {
  ...{ underWay: [], ended: [], counts: emptyHistory.counts },
};
export const noRestarts: RestartsView = { count: 0, last: [] };

/** @param nowMs - By the clock of the state's events, and since 1970. */
export function viewOf(
  { epoch, checkpoints, history }: CheckpointsState,
  nowMs: { readonly mono: number; readonly wall: number },
): CheckpointsView {
  const shown = (triggeredMs: number) => ({
    epoch,
    triggeredAtMs: Math.round(nowMs.wall - (nowMs.mono - triggeredMs)),
  });
  return {
    underWay: checkpoints.map((pending) => ({
      ...statisticsOf(pending, nowMs.mono),
      ...{ ...shown(pending.triggeredMs), state: pending.phase, reason: '' },
    })),
    ended: history.ended.map(({ triggeredMs, outcome, ...rest }) => ({
      ...{ ...rest, ...shown(triggeredMs), state: outcome },
    })),
    counts: history.counts,
  };
}

/** Of attempts one after the other. */
export function joinViews(before: CheckpointsView, after: CheckpointsView): CheckpointsView {
  const outcomes = Object.keys(after.counts) as CheckpointOutcome[];
  const counts = outcomes.map((one) => [one, before.counts[one] + after.counts[one]]);
  return {
    underWay: after.underWay,
    ended: [...before.ended, ...after.ended].slice(-endedMax),
    counts: Object.fromEntries(counts),
  };
}

const restartsMax = 32;

export function withRestart(
  { count, last }: RestartsView,
  atMs: number,
  { code, message }: WireError,
  taskIds?: readonly string[],
): RestartsView {
  const restart: Restart = { atMs, code, message, ...(taskIds !== undefined && { taskIds }) };
  return { count: count + 1, last: [...last, restart].slice(-restartsMax) };
}
