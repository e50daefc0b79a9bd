/**
 * The flags that say how a job with checkpoints is started again behind a failure.
 *
 * Before: cli/checkpoint-flags.ts. After: coordinator/checkpoint/restart-strategy.ts.
 */
import type { Command } from 'commander';
import { typedError } from '../base/typed-error.ts';
import {
  type RestartStrategy,
  restartStrategy,
} from '../coordinator/checkpoint/restart-strategy.ts';
import { countOf, timeOf } from './flag-values.ts';

/** Those that take a value. */
export const restartFlags = [
  ...['--restart-strategy', '--restart-attempts', '--restart-delay', '--restart-delay-max'],
] as const;

/** On a cluster processes are lost without the job's doing: it goes on for as long as somebody lets it, and soon. */
export type RestartPlace = 'machine' | 'cluster';

const defaults = {
  machine: { attempts: 10, maxBackoffMs: 60_000 },
  cluster: { attempts: null, maxBackoffMs: 5_000 },
} as const;

export function addRestartFlags(command: Command): void {
  command
    .option(
      '--restart-strategy <kind>',
      'none, fixed-delay or exponential-delay behind a failure (default exponential-delay)',
    )
    .option(
      '--restart-attempts <count>',
      'how often it is started again, or any (default 10, on a cluster any)',
    )
    .option('--restart-delay <time>', 'before the first of them (default 1s)')
    .option('--restart-delay-max <time>', 'before any of them (default 1min, on a cluster 5s)');
}

/** @throws FLAG_VALUE, RESTART_OPTION_INVALID */
export function restartOf(
  flags: Readonly<Record<string, unknown>>,
  place: RestartPlace,
): RestartStrategy {
  const usual = defaults[place];
  const isAny = flags.restartAttempts === 'any';
  const attempts = isAny ? null : (countOf(flags, '--restart-attempts') ?? usual.attempts);
  const firstMs = timeOf(flags, '--restart-delay') ?? 1_000;
  const kind = String(flags.restartStrategy ?? 'exponential-delay');
  switch (kind) {
    case 'none':
      return restartStrategy({ kind });
    case 'fixed-delay':
      return restartStrategy({ kind, delayMs: firstMs, attempts: attempts ?? 1_000_000_000 });
    case 'exponential-delay': {
      const maxBackoffMs =
        timeOf(flags, '--restart-delay-max') ?? Math.max(firstMs, usual.maxBackoffMs);
      return restartStrategy({ kind, attempts, initialBackoffMs: firstMs, maxBackoffMs });
    }
    default:
      throw typedError('FLAG_VALUE', `--restart-strategy: "${kind}" is no strategy`, {
        hint: 'Write none, fixed-delay or exponential-delay.',
      });
  }
}
