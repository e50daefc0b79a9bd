/**
 * `millrace cancel JOB`: ends a job as Ctrl-C in its terminal would: nothing is written, temporary files are
 * removed. It waits until the job is gone.
 *
 * Before: cli/main.ts. After: cli/control/reach-job.ts.
 */
import { typedError } from '../../base/typed-error.ts';
import { type CancelReply, jobMethods } from '../../coordinator/protocol/jobs.ts';
import type { CliEnv } from '../cli-env.ts';
import {
  type ControlCommand,
  type ControlRequest,
  type Reach,
  readControlCommand,
} from '../control/control-command.ts';
import { placeOf, withJob } from '../control/reach-job.ts';
import type { ReachedJob } from '../control/reached-job.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';

const options: ControlCommand = {
  verb: 'cancel',
  description: 'Ends a job that runs on this machine, or on a cluster: nothing is written.',
  words: ['JOB'],
  isOfCluster: true,
  examples: ['millrace cancel wordcount', 'millrace cancel wordcount-1f2e3d4c --json'],
  notes: 'JOB is its name or its id, as millrace list shows them.',
};

const callDeadlineMs = 10_000;

export async function cancelCommand(
  env: CliEnv,
  args: readonly string[],
  reach?: Reach,
): Promise<ExitCode> {
  const request = readControlCommand(env, args, options);
  if (request === null) return exitCodes.done;
  return await withJob(request, reach, (job) => cancel(env, request, job));
}

async function cancel(
  env: CliEnv,
  request: ControlRequest,
  { description, ask, hasEnded }: ReachedJob,
): Promise<ExitCode> {
  const call = { method: jobMethods.cancel, deadlineMs: callDeadlineMs };
  const { isCancelled } = await ask<CancelReply>(call);
  const { name, id, pid } = description;
  if (!isCancelled) throw tooLate(name);
  const isGone = await hasEnded();
  const status = isGone ? 'cancelled' : 'cancelling';
  if (request.isJson) env.stdout.write(`${JSON.stringify({ name, id, pid, status })}\n`);
  else env.stdout.write(`job "${name}" (${placeOf(description)}) ${statusText(isGone)}\n`);
  return exitCodes.done;
}

function statusText(isGone: boolean): string {
  return isGone ? 'is cancelled: nothing was written' : 'is being cancelled, and has not ended yet';
}

function tooLate(name: string) {
  return typedError('JOB_NOT_RUNNING', `job "${name}" is writing its result already`, {
    hint: 'It is done in a moment: what it writes appears whole. Remove the result if it is not wanted.',
  });
}
