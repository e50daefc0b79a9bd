/**
 * `millrace cancel JOB`: ends a job as Ctrl-C in its terminal would: nothing is written, temporary files are
 * removed. It waits until the job is gone.
 *
 * Before: cli/main.ts. After: cli/control/job-client.ts.
 */
import { typedError } from '../../base/typed-error.ts';
import { jobMethods } from '../../coordinator/protocol/jobs.ts';
import type { CliEnv } from '../cli-env.ts';
import { type ControlCommand, type Reach, readControlCommand } from '../control/control-command.ts';
import { askJob, hasEnded } from '../control/job-client.ts';
import { reachJob } from '../control/reach-job.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';

const options: ControlCommand = {
  verb: 'cancel',
  description: 'Ends a job that runs on this machine: nothing is written.',
  words: ['JOB'],
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
  const { way, socket, description } = await reachJob(request, reach);
  const call = { method: jobMethods.cancel, deadlineMs: callDeadlineMs };
  const { isCancelled } = await askJob<{ isCancelled: boolean }>(way.env, socket, call);
  const { name, id, pid } = description;
  if (!isCancelled) throw tooLate(name);
  const isGone = await hasEnded(way.env, socket);
  const status = isGone ? 'cancelled' : 'cancelling';
  if (request.isJson) env.stdout.write(`${JSON.stringify({ name, id, pid, status })}\n`);
  else env.stdout.write(`job "${name}" (${id ?? `process ${pid}`}) ${statusText(isGone)}\n`);
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
