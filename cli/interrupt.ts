/**
 * Ctrl-C and SIGTERM while a job runs: the first one cancels it, and the job ends cleanly; another
 * one, when that takes too long, ends the process at once.
 *
 *     running ──signal──▶ cancelling ──signal, 1 s later or more──▶ ended with 130
 *                             └──signal sooner──▶ the same
 *
 * Why sooner ones are ignored: a terminal sends SIGINT to all processes of its group, and a launcher
 * passes its own on, so one key press arrives more than once.
 */

import type { CliEnv } from './cli-env.ts';
import { exitCodes } from './exit-codes.ts';

const insistAfterMs = 1_000;

export interface Interrupt {
  /** Whether a signal has come. */
  readonly isRequested: boolean;
  /** Stops listening; a signal then does what it does to any program. */
  stop(): void;
}

/** Listens from now on; `cancel` is called once, with the name of the first signal. */
export function onInterrupt(
  env: Pick<CliEnv, 'clock' | 'process' | 'stderr'>,
  cancel: (signal: string) => void,
): Interrupt {
  let requestedAtMs: number | null = null;
  const stop = env.process.onSignal((signal) => {
    const nowMs = env.clock.mono();
    if (requestedAtMs === null) {
      requestedAtMs = nowMs;
      cancel(signal);
    } else if (nowMs - requestedAtMs >= insistAfterMs) {
      env.stderr.write('\nended at once; temporary files may be left beside the output\n');
      env.process.exit(exitCodes.interrupted);
    }
  });
  return {
    get isRequested() {
      return requestedAtMs !== null;
    },
    stop,
  };
}
