/**
 * `millrace history`: the jobs of a cluster that have ended, the newest first, and how.
 *
 * Before: cli/main.ts. After: cli/cluster/cluster-client.ts.
 */
import type { WireError } from '../../base/typed-error.ts';
import { formatCount, formatDuration } from '../../base/units.ts';
import {
  clientMethods,
  type EndedJob,
  type HistoryAnswer,
} from '../../coordinator/protocol/clients.ts';
import type { CliEnv } from '../cli-env.ts';
import { onCluster } from '../cluster/on-cluster.ts';
import { showList } from '../cluster/show-list.ts';
import { type ControlCommand, type Reach, readControlCommand } from '../control/control-command.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';

const options: ControlCommand = {
  verb: 'history',
  description: 'Shows the jobs of a cluster that have ended, and how.',
  words: [],
  isOfCluster: true,
  examples: [
    'millrace history --cluster 127.0.0.1:7070',
    'millrace history --cluster 127.0.0.1:7070 --json',
  ],
};

const right = 'right' as const;
const columns = [
  ...[{ title: 'name' }, { title: 'id', align: right }, { title: 'status' }, { title: 'ended' }],
  ...[
    { title: 'after', align: right },
    { title: 'rows in', align: right },
  ],
  ...[{ title: 'rows out', align: right }, { title: 'error' }],
];

export async function historyCommand(
  env: CliEnv,
  args: readonly string[],
  reach?: Reach,
): Promise<ExitCode> {
  const request = readControlCommand(env, args, options);
  if (request === null) return exitCodes.done;
  const call = { method: clientMethods.history, isRepeatable: true };
  const { jobs } = await onCluster({ verb: 'history', request, reach }, (cluster) =>
    cluster.ask<HistoryAnswer>(call),
  );
  // Only then is it loaded.
  const errorJson = request.isJson ? (await import('../summary.ts')).errorJson : null;
  showList(env, request.isJson, {
    ...{ name: 'jobs', items: jobs, columns, cellsOf },
    ...(errorJson && { jsonOf: (job: EndedJob) => endedJson(job, errorJson) }),
    none: 'no job of the cluster has ended yet',
  });
  return exitCodes.done;
}

function endedJson({ sinceMs, endedMs, error, ...rest }: EndedJob, json: (e: WireError) => object) {
  return {
    ...rest,
    since: new Date(sinceMs).toISOString(),
    ended: new Date(endedMs).toISOString(),
    ...(error !== null && { error: json(error) }),
  };
}

function cellsOf(job: EndedJob): string[] {
  const { name, id, status, sinceMs, endedMs, rowsIn, rowsOut, error } = job;
  const ended = new Date(endedMs).toISOString().replace(/\.\d+Z$/, 'Z');
  const failure = error === null ? '' : `${error.code}: ${error.message}`;
  return [
    ...[name, id, status, ended, formatDuration(endedMs - sinceMs)],
    ...[formatCount(rowsIn), formatCount(rowsOut), failure],
  ];
}
