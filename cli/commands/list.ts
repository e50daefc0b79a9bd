/**
 * `millrace list`: the jobs of this user that run on this machine, each with its process, how far it is and how
 * fast.
 *
 * Before: cli/main.ts. After: cli/control/job-client.ts.
 */
import { type TableOptions, tableText } from '../../base/table.ts';
import { formatCount, formatDuration } from '../../base/units.ts';
import type { CliEnv } from '../cli-env.ts';
import {
  type ControlCommand,
  type Reach,
  readControlCommand,
  realReach,
} from '../control/control-command.ts';
import { listJobs, type RunningJob } from '../control/job-client.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';

const options: ControlCommand = {
  verb: 'list',
  description: 'Shows the jobs of this user that run on this machine.',
  words: [],
  examples: ['millrace list', 'millrace list --json'],
};

const right = 'right' as const;
const columns = [
  { title: 'name' },
  // To the right: what is so is never cut, and an id has to be whole to be copied.
  { title: 'id', align: right },
  { title: 'pid', align: right },
  { title: 'since' },
  { title: 'phase' },
  { title: 'rows in', align: right },
  { title: 'rows out', align: right },
  { title: 'rows/s', align: right },
];

export async function listCommand(
  env: CliEnv,
  args: readonly string[],
  reach?: Reach,
): Promise<ExitCode> {
  const request = readControlCommand(env, args, options);
  if (request === null) return exitCodes.done;
  const { env: client, places } = reach ?? (await realReach());
  const jobs = await listJobs(client, places);
  if (request.isJson) {
    env.stdout.write(`${JSON.stringify({ jobs: jobs.map(jobJson) })}\n`);
  } else if (jobs.length === 0) {
    env.stderr.write('no job of this user runs on this machine\n');
  } else {
    env.stdout.write(tableText(columns, jobs.map(cellsOf), widthOf(env)));
  }
  return exitCodes.done;
}

/** As wide as the terminal is, and as wide as need be elsewhere. */
export function widthOf({ stdout }: CliEnv): TableOptions {
  return stdout.isTerminal ? { widthMax: stdout.columns } : {};
}

/** As `--json` has a job; a process that does not answer is known by its id only. */
export function jobJson({ socket, description }: RunningJob) {
  if (description === null) return { pid: socket.processId, phase: 'notAnswering' };
  const { sinceMs, ...rest } = description;
  return { ...rest, since: new Date(sinceMs).toISOString() };
}

function cellsOf({ socket, description }: RunningJob): string[] {
  const pid = String(socket.processId);
  if (description === null) return ['?', '?', pid, '?', 'no answer', '?', '?', '?'];
  const { name, id, seconds, phase, rowsIn, rowsOut, rowsPerSecond } = description;
  return [
    ...[name, id ?? '…', pid, `${formatDuration(seconds * 1000)} ago`, phase],
    ...[rowsIn, rowsOut, Math.round(rowsPerSecond)].map(formatCount),
  ];
}
