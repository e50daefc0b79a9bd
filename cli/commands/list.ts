/**
 * `millrace list`: the jobs of this user that run on this machine, each with its process, how far it is and how fast; or
 * those of a cluster, with what they wait for.
 *
 * Before: cli/main.ts. After: cli/control/job-client.ts, cli/cluster/cluster-client.ts.
 */
import { type TableOptions, tableText } from '../../base/table.ts';
import { formatCount, formatDuration } from '../../base/units.ts';
import {
  type ClusterJob,
  clientMethods,
  type JobsAnswer,
} from '../../coordinator/protocol/clients.ts';
import type { JobDescription } from '../../coordinator/protocol/jobs.ts';
import type { CliEnv } from '../cli-env.ts';
import {
  type ControlCommand,
  type ControlRequest,
  type Reach,
  readControlCommand,
  realReach,
} from '../control/control-command.ts';
import { type ClientEnv, listJobs, type RunningJob } from '../control/job-client.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';

const options: ControlCommand = {
  verb: 'list',
  description: 'Shows the jobs of this user that run on this machine, or all of a cluster.',
  words: [],
  isOfCluster: true,
  examples: ['millrace list', 'millrace list --cluster 127.0.0.1:7070 --json'],
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

const clusterColumns = [
  ...[{ title: 'name' }, { title: 'id', align: right }, { title: 'slots', align: right }],
  ...[{ title: 'since' }, { title: 'phase' }, { title: 'rows in', align: right }],
  ...[{ title: 'rows out', align: right }, { title: 'rows/s', align: right }, { title: 'why' }],
];

export async function listCommand(
  env: CliEnv,
  args: readonly string[],
  reach?: Reach,
): Promise<ExitCode> {
  const request = readControlCommand(env, args, options);
  if (request === null) return exitCodes.done;
  const { env: client, places } = reach ?? (await realReach(request));
  if (request.cluster !== null) return await listCluster(env, client, request);
  const jobs = await listJobs(client, places);
  if (request.isJson) {
    env.stdout.write(`${JSON.stringify({ jobs: jobs.map(runningJson) })}\n`);
  } else if (jobs.length === 0) {
    env.stderr.write('no job of this user runs on this machine\n');
  } else {
    env.stdout.write(tableText(columns, jobs.map(cellsOf), widthOf(env)));
  }
  return exitCodes.done;
}

async function listCluster(
  env: CliEnv,
  client: ClientEnv,
  { cluster: addresses, isJson }: ControlRequest,
): Promise<ExitCode> {
  const { withCluster } = await import('../cluster/cluster-client.ts');
  const call = { method: clientMethods.jobs, isRepeatable: true };
  const { jobs } = await withCluster(client, addresses ?? [], (cluster) =>
    cluster.ask<JobsAnswer>(call),
  );
  if (isJson) env.stdout.write(`${JSON.stringify({ jobs: jobs.map(jobJson) })}\n`);
  else if (jobs.length === 0) env.stderr.write('no job runs on the cluster, or waits\n');
  else env.stdout.write(tableText(clusterColumns, jobs.map(clusterCellsOf), widthOf(env)));
  return exitCodes.done;
}

function clusterCellsOf(job: ClusterJob): string[] {
  const { name, id, slots, reason } = job;
  return [name, id, String(slots), ...factsOf(job), reason ?? ''];
}

/** As wide as the terminal is, and as wide as need be elsewhere. */
export function widthOf({ stdout }: CliEnv): TableOptions {
  return stdout.isTerminal ? { widthMax: stdout.columns } : {};
}

/** As `--json` has a job. */
export function jobJson({ sinceMs, ...rest }: JobDescription) {
  return { ...rest, since: new Date(sinceMs).toISOString() };
}

/** A process that does not answer is known by its id only. */
function runningJson({ socket, description }: RunningJob) {
  if (description !== null) return jobJson(description);
  return { pid: socket.processId, phase: 'notAnswering' };
}

function cellsOf({ socket, description }: RunningJob): string[] {
  const pid = String(socket.processId);
  if (description === null) return ['?', '?', pid, '?', 'no answer', '?', '?', '?'];
  const { name, id } = description;
  return [name, id ?? '…', pid, ...factsOf(description)];
}

/** Since when it runs, its phase, and how far it is. */
function factsOf({ seconds, phase, rowsIn, rowsOut, rowsPerSecond }: JobDescription): string[] {
  return [
    ...[`${formatDuration(seconds * 1000)} ago`, phase],
    ...[rowsIn, rowsOut, Math.round(rowsPerSecond)].map(formatCount),
  ];
}
