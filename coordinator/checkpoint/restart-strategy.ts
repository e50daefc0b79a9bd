/**
 * What follows when an attempt of a job has failed: another one, after a while, or the end of the job. A pure step
 * function over the failures so far; names, defaults and meanings are those of Flink's restart strategies.
 *
 *     none                never again
 *     fixed-delay         so many times, each after the same delay
 *     exponential-delay   each after a longer delay, up to a longest one, scattered so that jobs that failed together
 *                         do not come back together; after a quiet time the first delay counts again
 *     failure-rate        as long as no more than so many failures come within an interval
 *
 * Not here: whether a failure is one that another attempt would meet again (job/retry.ts).
 *
 * @see Apache Flink, `RestartStrategyOptions`.
 * Before: coordinator/checkpoint/checkpoint-state.ts. After: coordinator/coordinator.ts.
 */
import { assert, assertNever } from '../../base/assert.ts';
import { nearestName } from '../../base/nearest-name.ts';
import { typedError } from '../../base/typed-error.ts';
import { formatDuration } from '../../base/units.ts';
import { type OptionRange, rangeProblem } from './option-range.ts';

export interface FixedDelay {
  readonly kind: 'fixed-delay';
  /** How often the job is started again, from 0 on. @defaultValue 1 */
  readonly attempts: number;
  /** Milliseconds between a failure and the next attempt. @defaultValue 1,000 */
  readonly delayMs: number;
}

export interface ExponentialDelay {
  readonly kind: 'exponential-delay';
  /** The first delay, in milliseconds. @defaultValue 1,000 */
  readonly initialBackoffMs: number;
  /** The longest one. @defaultValue 60,000 */
  readonly maxBackoffMs: number;
  /** How many times as long as the last one the next is, from 1 on. @defaultValue 1.5 */
  readonly backoffMultiplier: number;
  /** How long a job has to run without a failure for the first delay to count again. @defaultValue 3,600,000 */
  readonly resetBackoffThresholdMs: number;
  /** How much of a delay, 0 to 1, chance adds to it or takes off. @defaultValue 0.1 */
  readonly jitterFactor: number;
  /** How often the job is started again without such a quiet time; null: for ever. @defaultValue null */
  readonly attempts: number | null;
}

export interface FailureRate {
  readonly kind: 'failure-rate';
  /** How many failures within an interval are followed by another attempt. @defaultValue 1 */
  readonly maxFailuresPerInterval: number;
  /** @defaultValue 60,000 */
  readonly failureRateIntervalMs: number;
  /** @defaultValue 1,000 */
  readonly delayMs: number;
}

export type RestartStrategy =
  | { readonly kind: 'none' }
  | FixedDelay
  | ExponentialDelay
  | FailureRate;

/** A strategy as given, without what is left to defaults. */
export type RestartOptions = {
  [K in RestartStrategy['kind']]: { readonly kind: K } & Partial<
    Extract<RestartStrategy, { readonly kind: K }>
  >;
}[RestartStrategy['kind']];

const defaults: { [K in RestartStrategy['kind']]: Extract<RestartStrategy, { kind: K }> } = {
  none: { kind: 'none' },
  'fixed-delay': { kind: 'fixed-delay', attempts: 1, delayMs: 1_000 },
  'exponential-delay': {
    ...{ kind: 'exponential-delay', initialBackoffMs: 1_000, maxBackoffMs: 60_000 },
    ...{ backoffMultiplier: 1.5, resetBackoffThresholdMs: 3_600_000 },
    ...{ jitterFactor: 0.1, attempts: null },
  },
  'failure-rate': {
    ...{ kind: 'failure-rate', maxFailuresPerInterval: 1 },
    ...{ failureRateIntervalMs: 60_000, delayMs: 1_000 },
  },
};

const delay: OptionRange = { min: 0, max: 86_400_000 };
const count: OptionRange = { min: 0, max: 1_000_000_000 };
const ranges: Readonly<Record<string, OptionRange>> = {
  attempts: count,
  maxFailuresPerInterval: count,
  delayMs: delay,
  initialBackoffMs: { min: 1, max: delay.max },
  maxBackoffMs: { min: 1, max: delay.max },
  backoffMultiplier: { min: 1, max: 1_000 },
  resetBackoffThresholdMs: { min: 1, max: 365 * delay.max },
  failureRateIntervalMs: { min: 1, max: 365 * delay.max },
  jitterFactor: { min: 0, max: 1 },
};

/**
 * A strategy with what was not given filled in.
 * @throws RESTART_OPTION_INVALID
 */
export function restartStrategy(given: RestartOptions): RestartStrategy {
  if (!Object.hasOwn(defaults, given.kind)) throw noStrategy(given.kind);
  const strategy = { ...defaults[given.kind], ...given } as RestartStrategy;
  for (const [name, value] of Object.entries(strategy)) {
    const range = ranges[name];
    if (range === undefined || value === null) continue;
    const problem = rangeProblem(name, Number(value), range);
    if (problem !== null) throw invalid(`${problem}, in restart strategy "${given.kind}"`);
  }
  if (strategy.kind === 'exponential-delay' && strategy.initialBackoffMs > strategy.maxBackoffMs) {
    const { initialBackoffMs, maxBackoffMs } = strategy;
    throw invalid(`the first delay, ${initialBackoffMs} ms, is above the longest, ${maxBackoffMs}`);
  }
  return strategy;
}

/** What is known of the failures of a job so far. */
export interface RestartState {
  /** All of them; of `exponential-delay` since the last quiet time. */
  readonly failureCount: number;
  /** Of `failure-rate`: when those of the last interval were. */
  readonly failuresMs: readonly number[];
  /** Of `exponential-delay`: the delay before chance, and when the attempt after the last failure began. */
  readonly backoffMs: number;
  readonly restartedMs: number;
}

export const initialRestarts: RestartState = {
  failureCount: 0,
  failuresMs: [],
  backoffMs: 0,
  restartedMs: 0,
};

export interface RestartStep {
  readonly state: RestartState;
  /** Milliseconds to the next attempt; null when there is none. */
  readonly delayMs: number | null;
  /** Why there is none, for the message of the job's failure; empty where there is one. */
  readonly reason: string;
}

/** @param failure - When it was, and a number in [0, 1) drawn for it. */
export function stepRestart(
  state: RestartState,
  failure: { readonly nowMs: number; readonly chance: number },
  strategy: RestartStrategy,
): RestartStep {
  assert(failure.chance >= 0, 'chance is at least 0');
  assert(failure.chance < 1, 'chance is below 1');
  switch (strategy.kind) {
    case 'none':
      return ended(counted(state), 'its restart strategy is "none"');
    case 'fixed-delay':
      return afterFixedDelay(counted(state), strategy);
    case 'exponential-delay':
      return afterBackoff(state, failure, strategy);
    case 'failure-rate':
      return withinRate(counted(state), failure.nowMs, strategy);
    default:
      return assertNever(strategy);
  }
}

function afterFixedDelay(state: RestartState, { attempts, delayMs }: FixedDelay): RestartStep {
  if (state.failureCount > attempts) return ended(state, `it was started again ${attempts} times`);
  return { state, delayMs, reason: '' };
}

function afterBackoff(
  before: RestartState,
  { nowMs, chance }: { readonly nowMs: number; readonly chance: number },
  strategy: ExponentialDelay,
): RestartStep {
  const { initialBackoffMs, maxBackoffMs, backoffMultiplier, jitterFactor, attempts } = strategy;
  const quietMs = nowMs - before.restartedMs;
  const isFirst = before.failureCount === 0 || quietMs >= strategy.resetBackoffThresholdMs;
  const longerMs = Math.min(before.backoffMs * backoffMultiplier, maxBackoffMs);
  const backoffMs = isFirst ? initialBackoffMs : longerMs;
  const failureCount = isFirst ? 1 : before.failureCount + 1;
  const scatteredMs = backoffMs * (1 + jitterFactor * (2 * chance - 1));
  const delayMs = Math.round(Math.min(scatteredMs, maxBackoffMs));
  const state = { ...before, failureCount, backoffMs, restartedMs: nowMs + delayMs };
  if (attempts !== null && failureCount > attempts) {
    return ended(state, `it was started again ${attempts} times`);
  }
  return { state, delayMs, reason: '' };
}

function withinRate(before: RestartState, nowMs: number, strategy: FailureRate): RestartStep {
  const { maxFailuresPerInterval: max, failureRateIntervalMs: intervalMs, delayMs } = strategy;
  const recent = before.failuresMs.filter((atMs) => atMs > nowMs - intervalMs);
  const state = { ...before, failuresMs: [...recent, nowMs] };
  if (recent.length < max) return { state, delayMs, reason: '' };
  const rate = `${recent.length + 1} failures within ${formatDuration(intervalMs)}`;
  return ended(state, `it had ${rate}, and ${max} are allowed`);
}

function counted(state: RestartState): RestartState {
  return { ...state, failureCount: state.failureCount + 1 };
}

function ended(state: RestartState, reason: string): RestartStep {
  return { state, delayMs: null, reason };
}

function noStrategy(kind: string) {
  const names = Object.keys(defaults);
  const nearest = nearestName(kind, names);
  return typedError('RESTART_OPTION_INVALID', `there is no restart strategy "${kind}"`, {
    hint: `${nearest === null ? '' : `Did you mean "${nearest}"? `}There are ${names.join(', ')}.`,
  });
}

function invalid(message: string) {
  return typedError('RESTART_OPTION_INVALID', message, {
    hint: 'Times are in milliseconds; leave an option out for its default.',
  });
}
