/**
 * `millrace down`: ends the cluster that `millrace up` has started in a folder, and waits until it is gone. Where none is up there is
 * nothing to do.
 *
 * Before: cli/main.ts. After: cli/up/up-file.ts, cli/up/processes.ts.
 */
import { formatDuration } from '../../base/units.ts';
import type { CliEnv } from '../cli-env.ts';
import { type ControlCommand, readControlCommand } from '../control/control-command.ts';
import { shortPath } from '../error-text.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { endProcesses, signalProcess } from '../up/processes.ts';
import { readUpFile, removeUpFile } from '../up/up-file.ts';
import { dataFlag, dataOf } from './up.ts';

/** Workers have 15 s, then the coordinator has. */
const endWithinMs = 35_000;

const options: ControlCommand = {
  verb: 'down',
  description: 'Ends the cluster that millrace up has started.',
  words: [],
  flags: [dataFlag],
  examples: ['millrace down', 'millrace down --data cluster-1 --json'],
  notes: 'Jobs with checkpoints go on from the newest when it is up again.',
};

export async function downCommand(env: CliEnv, args: readonly string[]): Promise<ExitCode> {
  const request = readControlCommand(env, args, options);
  if (request === null) return exitCodes.done;
  const data = dataOf(env, request);
  const folder = shortPath(data, env.workingFolder);
  const startedAtMs = env.clock.mono();
  const state = readUpFile(data);
  if (state === null) {
    if (request.isJson) env.stdout.write(`${JSON.stringify({ status: 'notUp', data })}\n`);
    else env.stderr.write(`no cluster is up in ${folder}\n`);
    return exitCodes.done;
  }
  const up = { name: 'up', pid: state.pid, identity: state.identity };
  if (!env.process.hasEnded(up.identity)) signalProcess(env, up, 'SIGTERM');
  // Those of a process that was killed end by themselves, too.
  await endProcesses(env, [up, ...state.processes], endWithinMs);
  removeUpFile(data);
  const endMs = env.clock.mono() - startedAtMs;
  if (request.isJson) {
    env.stdout.write(`${JSON.stringify({ status: 'down', data, seconds: endMs / 1000 })}\n`);
  } else env.stderr.write(`the cluster of ${folder} is down, after ${formatDuration(endMs)}\n`);
  return exitCodes.done;
}
