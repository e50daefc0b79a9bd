/**
 * Jobs that begin at times: a cron pattern, and rules for what was missed or still runs.
 *
 *     due        │       │       │       │       │
 *     here        ran     ──── nobody leads ────▌ran     one for all that were missed, or none
 *     still runs  ███████████████ skipped
 *
 * Each due time is fired once, whoever leads: that it was (`scheduleFired`) goes into the metadata log in one step with
 * the job, whose id is made of the schedule's name and that time.
 *
 * The pattern is read by croner: time zones and their shifts are nothing to write oneself.
 * Before: coordinator/cluster/schedules.ts.
 */
import { Cron } from 'croner';
import { type TypedError, typedError } from '../../base/typed-error.ts';

export interface ScheduleSpec {
  readonly name: string;
  /** Five fields, or six with seconds in front. */
  readonly cron: string;
  /** As the system knows it, such as `Europe/Vienna`. @defaultValue UTC */
  readonly timeZone?: string;
  /** Of times that nobody was there for: the last one, or none. @defaultValue once */
  readonly missed?: 'once' | 'skip';
  /** While the job of an earlier time runs: leave this one out, or run beside it. @defaultValue skip */
  readonly overlap?: 'skip' | 'allow';
}

export interface ScheduleState {
  /** The newest time that was fired or left out; that of its making, before the first. */
  readonly doneUntilMs: number;
  readonly isRunning: boolean;
}

export type ScheduleDecision =
  /** Nothing to do until then; null where there are no more times. */
  | { readonly kind: 'wait'; readonly untilMs: number | null }
  | { readonly kind: 'fire'; readonly dueMs: number }
  /** Left out; the state moves on to it all the same. */
  | { readonly kind: 'skip'; readonly dueMs: number; readonly reason: 'missed' | 'stillRunning' };

/** How late a time may be noticed and still count as met: a failover fits in. */
const lateMsMax = 60_000;

export function decideSchedule(
  spec: ScheduleSpec,
  state: ScheduleState,
  nowMs: number,
): ScheduleDecision {
  const dueMs = lastDue(spec, state.doneUntilMs, nowMs);
  if (dueMs === null) return { kind: 'wait', untilMs: nextDue(spec, state.doneUntilMs) };
  if (spec.missed === 'skip' && nowMs - dueMs > lateMsMax) {
    return { kind: 'skip', dueMs, reason: 'missed' };
  }
  const isHeld = state.isRunning && spec.overlap !== 'allow';
  return isHeld ? { kind: 'skip', dueMs, reason: 'stillRunning' } : { kind: 'fire', dueMs };
}

/** The first time after a moment; null where there is none. @throws SCHEDULE_INVALID */
export function nextDue(spec: ScheduleSpec, afterMs: number): number | null {
  return cronOf(spec).nextRun(new Date(afterMs))?.getTime() ?? null;
}

/** The last time after a moment and up to now; times are whole seconds. */
function lastDue(spec: ScheduleSpec, afterMs: number, nowMs: number): number | null {
  const justBehind = new Date(Math.floor(nowMs / 1_000) * 1_000 + 1_000);
  const dueMs = cronOf(spec).previousRuns(1, justBehind)[0]?.getTime() ?? null;
  return dueMs === null || dueMs <= afterMs || dueMs > nowMs ? null : dueMs;
}

function cronOf({ name, cron, timeZone = 'UTC' }: ScheduleSpec): Cron {
  try {
    const parsed = new Cron(cron, { timezone: timeZone });
    parsed.nextRun(new Date(0)); // A zone that does not exist is noticed only here.
    return parsed;
  } catch (error) {
    throw invalidError(name, cron, error);
  }
}

function invalidError(name: string, cron: string, cause: unknown): TypedError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return typedError('SCHEDULE_INVALID', `schedule "${name}" with "${cron}": ${why}`, {
    hint: 'Write minute, hour, day, month and weekday, such as "0 3 * * 1-5", and a zone such as Europe/Vienna.',
    details: { name, cron },
    cause,
  });
}
