/**
 * `millrace savepoint JOB DIR`: a checkpoint of a job that runs, copied with all that it needs into a folder of the user's.
 * The job goes on; nothing of ours changes or removes the folder later.
 *
 * Before: cli/main.ts. After: cli/control/savepoint-call.ts, coordinator/job/job-checkpoints.ts.
 */
import { resolve } from 'node:path';
import {
  jobMethods,
  type SavepointReply,
  type SavepointRequest,
} from '../../coordinator/protocol/jobs.ts';
import type { CliEnv } from '../cli-env.ts';
import { type ControlCommand, type Reach, readControlCommand } from '../control/control-command.ts';
import { withJob } from '../control/reach-job.ts';
import { askLong, timeoutFlag } from '../control/savepoint-call.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';

const options: ControlCommand = {
  verb: 'savepoint',
  description: 'Keeps what a running job is at in a folder, to go on from there at any time.',
  words: ['JOB', 'DIR'],
  isOfCluster: true,
  flags: [timeoutFlag],
  examples: ['millrace savepoint ledger before-upgrade/', 'millrace savepoint ledger sp/ --json'],
  notes:
    'JOB is its name or its id, as millrace list shows them; it has to run with --checkpoint-dir. DIR is empty or not there. ' +
    'It stands alone: it may be moved, and nothing else is needed to start from it with millrace run --from-savepoint.',
};

export async function savepointCommand(
  env: CliEnv,
  args: readonly string[],
  reach?: Reach,
): Promise<ExitCode> {
  const request = readControlCommand(env, args, options);
  if (request === null) return exitCodes.done;
  const [, folder = ''] = request.words;
  const body: SavepointRequest = { folder: resolve(env.workingFolder, folder) };
  const call = { method: jobMethods.savepoint, body, flags: request.flags };
  const [{ name, id, pid }, { checkpointId, path }] = await withJob(request, reach, async (job) => [
    job.description,
    await askLong<SavepointReply>(job, call),
  ]);
  if (request.isJson) {
    env.stdout.write(`${JSON.stringify({ name, id, pid, checkpointId, savepoint: path })}\n`);
  } else env.stdout.write(`savepoint ${checkpointId} of job "${name}" is in ${path}\n`);
  return exitCodes.done;
}
