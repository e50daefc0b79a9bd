/**
 * `millrace rescale JOB --parallelism N`: a job that runs goes on with another number of tasks, in the same process: it takes a
 * checkpoint, ends its tasks, and starts others from there.
 *
 * Before: cli/main.ts. After: cli/control/savepoint-call.ts, coordinator/job/job-attempts.ts.
 */
import { typedError } from '../../base/typed-error.ts';
import { formatDuration } from '../../base/units.ts';
import {
  jobMethods,
  type RescaleReply,
  type RescaleRequest,
} from '../../coordinator/protocol/jobs.ts';
import type { CliEnv } from '../cli-env.ts';
import { type ControlCommand, type Reach, readControlCommand } from '../control/control-command.ts';
import { withJob } from '../control/reach-job.ts';
import { askLong, timeoutFlag } from '../control/savepoint-call.ts';
import { parseParallelism } from '../engine-flags.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';

const options: ControlCommand = {
  verb: 'rescale',
  description: 'Has a running job go on with another number of tasks.',
  words: ['JOB'],
  isOfCluster: true,
  flags: [
    { flag: '--parallelism <count>', description: 'slot threads and tasks from now on, 1 to 128' },
    timeoutFlag,
  ],
  examples: ['millrace rescale ledger --parallelism 4'],
  notes:
    'JOB is its name or its id, as millrace list shows them; it has to run with --checkpoint-dir. It goes on from a checkpoint ' +
    'that is taken for this, each row once. What it may not do is said before anything stops.',
};

export async function rescaleCommand(
  env: CliEnv,
  args: readonly string[],
  reach?: Reach,
): Promise<ExitCode> {
  const request = readControlCommand(env, args, options);
  if (request === null) return exitCodes.done;
  const { parallelism: text } = request.flags;
  if (text === undefined) {
    throw typedError('ARGUMENT_MISSING', '"millrace rescale" needs --parallelism', {
      hint: 'For example: millrace rescale ledger --parallelism 4.',
    });
  }
  const body: RescaleRequest = { parallelism: parseParallelism(String(text)) };
  const call = { method: jobMethods.rescale, body, flags: request.flags };
  const [{ name, id, pid }, reply] = await withJob(request, reach, async (job) => [
    job.description,
    await askLong<RescaleReply>(job, call),
  ]);
  if (request.isJson) env.stdout.write(`${JSON.stringify({ name, id, pid, ...reply })}\n`);
  else {
    const { from, to, pausedMs } = reply;
    const pause = formatDuration(pausedMs);
    env.stdout.write(
      `job "${name}" runs with parallelism ${to}, before ${from}: it stood for ${pause}\n`,
    );
  }
  return exitCodes.done;
}
