/**
 * Calls that are tried again: with pauses that double, until a deadline. What is not retryable, and what was
 * last met when the deadline is over, is thrown as it is.
 */
import { assert } from '../../base/assert.ts';
import type { Clock } from '../../base/env/clock.ts';
import type { Timers } from '../../base/env/timers.ts';
import { isRetryable } from './kafka-errors.ts';

/** What the connector needs of the outside world, beside the client's own sockets. */
export interface KafkaEnv {
  readonly clock: Pick<Clock, 'mono'>;
  readonly timers: Pick<Timers, 'after'>;
}

/** The parts of a connector's context that Kafka needs; every process that runs jobs has them. */
export function kafkaEnvOf({ clock, timers }: Partial<KafkaEnv>): KafkaEnv {
  assert(clock !== undefined && timers !== undefined, 'whoever runs jobs has a clock and timers');
  return { clock, timers };
}

const firstPauseMs = 20;
const pauseMsMax = 1_000;

/** The pause behind another one. */
export function nextPauseMs(pauseMs: number): number {
  return pauseMs === 0 ? firstPauseMs : Math.min(pauseMs * 2, pauseMsMax);
}

/** @param work - Is given what is left of the time. */
export async function retrying<T>(
  { clock, timers }: KafkaEnv,
  timeoutMs: number,
  work: (leftMs: number) => Promise<T>,
): Promise<T> {
  const endMs = clock.mono() + timeoutMs;
  for (let pauseMs = firstPauseMs; ; pauseMs = nextPauseMs(pauseMs)) {
    try {
      return await work(Math.max(1, endMs - clock.mono()));
    } catch (error) {
      if (!isRetryable(error) || clock.mono() + pauseMs >= endMs) throw error;
    }
    await new Promise<void>((resolve) => timers.after(pauseMs, resolve));
  }
}

/** What the promise gives, or what `late` throws when time is over first. */
export async function within<T>(
  { timers }: KafkaEnv,
  timeoutMs: number,
  promise: Promise<T>,
  late: () => Error,
): Promise<T> {
  const over = Promise.withResolvers<never>();
  const cancel = timers.after(timeoutMs, () => over.reject(late()));
  try {
    return await Promise.race([promise, over.promise]);
  } finally {
    cancel();
  }
}
