/**
 * `millrace state get JOB OPERATOR KEY`: the state that an operator of a job has for a key, while the job runs. The
 * thread that owns the key answers it itself, between two slices of its work. `millrace state read` looks into a
 * checkpoint (state-read.ts).
 *
 * Before: cli/main.ts. After: coordinator/job/key-state.ts.
 */
import { nearestName } from '../../base/nearest-name.ts';
import { typedError } from '../../base/typed-error.ts';
import type { KeyStatePart } from '../../coordinator/job/key-state.ts';
import { jobMethods, type StateReply, type StateRequest } from '../../coordinator/protocol/jobs.ts';
import type { CliEnv } from '../cli-env.ts';
import { type ControlCommand, type Reach, readControlCommand } from '../control/control-command.ts';
import { withJob } from '../control/reach-job.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';

const options: ControlCommand = {
  verb: 'state get',
  description: 'Shows what an operator of a running job has in its state for a key.',
  words: ['JOB', 'OPERATOR', 'KEY'],
  isOfCluster: true,
  examples: [
    'millrace state get fraud limits 4711',
    'millrace state get sessions visits \'["DE", 42]\' --json',
  ],
  notes:
    'JOB is its name or its id, OPERATOR the name or the id of an operator, as millrace status shows them. ' +
    'KEY is a value of the key column, or a JSON list where the key has several columns. ' +
    'Of aggregates in two phases there may be parts in several tasks. The state in a checkpoint is shown by ' +
    'millrace state read DIR OPERATOR.',
};

const callDeadlineMs = 15_000;

export async function stateCommand(
  env: CliEnv,
  args: readonly string[],
  reach?: Reach,
): Promise<ExitCode> {
  const [verb = '', ...rest] = args;
  if (verb === 'read') return (await import('./state-read.ts')).stateReadCommand(env, rest);
  if (verb !== 'get' && verb !== '--help' && verb !== '-h') throw noVerb(verb);
  const request = readControlCommand(env, verb === 'get' ? rest : args, options);
  if (request === null) return exitCodes.done;
  const [, operator = '', key = ''] = request.words;
  const body: StateRequest = { operator, key };
  const call = { method: jobMethods.stateOf, body, deadlineMs: callDeadlineMs };
  const [description, { found }] = await withJob(request, reach, async (job) => [
    job.description,
    await job.ask<StateReply>(call),
  ]);
  if (request.isJson) {
    const { name, id } = description;
    const parts = (found?.parts ?? []).map(({ taskId: task, value }) => ({ task, value }));
    const state = { isFound: found !== null, parts };
    env.stdout.write(`${JSON.stringify({ name, id, operator, key, ...state })}\n`);
  } else if (found === null) {
    env.stderr.write(`operator "${operator}" has no state for key ${key}\n`);
  } else {
    const [only, ...others] = found.parts;
    const isOne = only !== undefined && others.length === 0;
    const shown = isOne ? only.value : byTask(found.parts);
    env.stdout.write(`${JSON.stringify(shown, null, 2)}\n`);
  }
  return exitCodes.done;
}

function byTask(parts: readonly KeyStatePart[]): Record<string, unknown> {
  return Object.fromEntries(parts.map(({ taskId, value }) => [`task ${taskId}`, value]));
}

function noVerb(verb: string) {
  const nearest = nearestName(verb, ['get', 'read']);
  const what = verb === '' ? '"millrace state" needs a verb' : `"millrace state" has no "${verb}"`;
  return typedError(verb === '' ? 'ARGUMENT_MISSING' : 'COMMAND_NOT_FOUND', what, {
    hint:
      `${nearest === null ? '' : `Did you mean ${nearest}? `}Write millrace state get JOB OPERATOR KEY of a job that ` +
      'runs, or millrace state read DIR OPERATOR of a checkpoint.',
  });
}
