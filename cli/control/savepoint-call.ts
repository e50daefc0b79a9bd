/**
 * Asks a job for what takes as long as its state is large: a savepoint, or the end with one. How long to wait is the
 * user's to say; the job does not give up when who asked has gone.
 *
 * Before: cli/commands/savepoint.ts, cli/commands/stop.ts. After: cli/control/reach-job.ts.
 */
import { codeOf, typedError } from '../../base/typed-error.ts';
import { parseDuration } from '../../base/units.ts';
import type { CommandFlag, ControlRequest } from './control-command.ts';
import type { ReachedJob } from './reached-job.ts';

export const timeoutFlag: CommandFlag = {
  flag: '--timeout <time>',
  description: 'how long to wait for it, such as 90s (default 10min)',
};

const timeoutDefaultMs = 600_000;

interface LongCall {
  readonly method: string;
  readonly body: unknown;
  readonly flags: ControlRequest['flags'];
}

/** @throws FLAG_VALUE, JOB_NOT_ANSWERING, JOB_NOT_RUNNING, and what the job answers with. */
export async function askLong<T>(
  { ask }: Pick<ReachedJob, 'ask'>,
  { method, body, flags }: LongCall,
): Promise<T> {
  const deadlineMs = timeoutOf(flags.timeout);
  try {
    return await ask<T>({ method, body, deadlineMs });
  } catch (error) {
    if (codeOf(error) !== 'JOB_NOT_ANSWERING') throw error;
    throw typedError('JOB_NOT_ANSWERING', `the job was not done within ${deadlineMs} ms`, {
      hint: 'It may still be at it: millrace status JOB shows whether it runs. A larger --timeout waits longer.',
      retryable: true,
      cause: error,
    });
  }
}

function timeoutOf(text: string | true | undefined): number {
  if (text === undefined) return timeoutDefaultMs;
  const timeoutMs = parseDuration(String(text));
  if (timeoutMs !== null && timeoutMs > 0) return timeoutMs;
  throw typedError('FLAG_VALUE', `--timeout: "${text}" is no time above 0`, {
    hint: 'Write a number with its unit: 500ms, 90s, 10min.',
  });
}
