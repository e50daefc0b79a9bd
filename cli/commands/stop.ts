/**
 * `millrace stop JOB`: ends a job with a savepoint, so that it can go on from there. All that came before the savepoint is
 * visible, and nothing that came behind it. It waits until the job is gone.
 *
 * Before: cli/main.ts. After: cli/control/savepoint-call.ts, coordinator/job/job-checkpoints.ts.
 */
import { resolve } from 'node:path';
import {
  jobMethods,
  type SavepointReply,
  type StopRequest,
} from '../../coordinator/protocol/jobs.ts';
import type { CliEnv } from '../cli-env.ts';
import { type ControlCommand, type Reach, readControlCommand } from '../control/control-command.ts';
import { withJob } from '../control/reach-job.ts';
import { askLong, timeoutFlag } from '../control/savepoint-call.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';

const options: ControlCommand = {
  verb: 'stop',
  description: 'Ends a running job with a savepoint, to be gone on with.',
  words: ['JOB'],
  isOfCluster: true,
  flags: [
    {
      flag: '--savepoint <folder>',
      description: 'copy the savepoint there: a folder that is empty or not there',
    },
    {
      flag: '--drain',
      description:
        'end the sources: windows are given out as they are, for a job that is not to go on',
    },
    timeoutFlag,
  ],
  examples: ['millrace stop ledger', 'millrace stop ledger --savepoint sp/ --json'],
  notes:
    'JOB is its name or its id, as millrace list shows them; it has to run with --checkpoint-dir. Without --savepoint it goes ' +
    'on with millrace run --restore latest, with it also by --from-savepoint. Where the savepoint fails the job goes on.',
};

export async function stopCommand(
  env: CliEnv,
  args: readonly string[],
  reach?: Reach,
): Promise<ExitCode> {
  const request = readControlCommand(env, args, options);
  if (request === null) return exitCodes.done;
  const { savepoint, drain } = request.flags;
  const folder = typeof savepoint === 'string' ? resolve(env.workingFolder, savepoint) : null;
  const body: StopRequest = { folder, drains: drain === true };
  const call = { method: jobMethods.stop, body, flags: request.flags };
  const { name, id, pid, checkpointId, path, isGone } = await withJob(
    request,
    reach,
    async (job) => {
      const reply = await askLong<SavepointReply>(job, call);
      return { ...job.description, ...reply, isGone: await job.hasEnded() };
    },
  );
  if (request.isJson) {
    const status = isGone ? 'stopped' : 'stopping';
    const facts = { name, id, pid, status, checkpointId, savepoint: path };
    env.stdout.write(`${JSON.stringify(facts)}\n`);
  } else {
    const state = isGone ? 'is stopped' : 'is being stopped, and has not ended yet';
    env.stdout.write(`job "${name}" ${state}: savepoint ${checkpointId} is in ${path}\n`);
  }
  return exitCodes.done;
}
