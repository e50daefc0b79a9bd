/**
 * Safe mode: after a start the namenode waits until datanodes have reported nearly all blocks, as a pure state machine.
 *
 *     waiting ──minimum share, and datanodes, reported──▶ settling ──for settleMs without falling below──▶ off
 *        ▲                     fell below                    │                                              │
 *        └───────────────────────────────────────────────────┘          manual ◀──── a person ──────────────┘
 *
 * Until it is off nothing is written, copied or deleted: a namenode that has heard half of its datanodes would take the other half's
 * blocks for lost, and what the first half has for all there is. It does not come back by itself: later losses are re-replication's.
 * What a person has begun only a person ends.
 *
 * Times are monotonic. @see Apache Hadoop HDFS, `BlockManagerSafeMode`
 */
import { assertNever } from '../../../base/assert.ts';

export type SafeModeState =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'manual' }
  | { readonly kind: 'off' }
  | { readonly kind: 'settling'; readonly sinceMs: number };

export type SafeModeEvent =
  /** At an interval, and when reports came. */
  | {
      readonly kind: 'counted';
      readonly nowMs: number;
      /** Blocks of which a live replica is reported, of those that are closed. */
      readonly reportedCount: number;
      readonly blockCount: number;
      readonly datanodeCount: number;
    }
  | { readonly kind: 'enter' | 'leave' };

export interface SafeModeLimits {
  /** Of the blocks, 0 to 1. */
  readonly shareMin: number;
  readonly datanodesMin: number;
  /** Others are about to report: what is copied before they have is copied for nothing. */
  readonly settleMs: number;
}

/** As in HDFS, which settles for 30 s with heartbeats every 3 s; here they come each second. */
const defaultSafeModeLimits: SafeModeLimits = {
  ...{ shareMin: 0.999, datanodesMin: 0, settleMs: 10_000 },
};

export function stepSafeMode(
  state: SafeModeState,
  event: SafeModeEvent,
  limits: SafeModeLimits = defaultSafeModeLimits,
): SafeModeState {
  switch (event.kind) {
    case 'enter':
      return { kind: 'manual' };
    case 'leave':
      return { kind: 'off' };
    case 'counted':
      return count(state, event, limits);
    default:
      return assertNever(event);
  }
}

function count(
  state: SafeModeState,
  event: Extract<SafeModeEvent, { readonly kind: 'counted' }>,
  { shareMin, datanodesMin, settleMs }: SafeModeLimits,
): SafeModeState {
  if (state.kind === 'manual' || state.kind === 'off') return state;
  // Rounded down, so that of few blocks not all have to be there at 0.999; of one, and at 1, all.
  const needed = Math.max(Math.floor(event.blockCount * shareMin), Math.min(event.blockCount, 1));
  const isEnough = event.reportedCount >= needed && event.datanodeCount >= datanodesMin;
  if (!isEnough) return { kind: 'waiting' };
  // Nothing to wait for in a new cluster.
  if (event.blockCount === 0) return { kind: 'off' };
  if (state.kind === 'waiting') return { kind: 'settling', sinceMs: event.nowMs };
  return event.nowMs - state.sinceMs >= settleMs ? { kind: 'off' } : state;
}
