/**
 * The job that a command is about, and the way to it: its socket on this machine, or the coordinator of its cluster.
 *
 * Before: cli/commands/status.ts and others. After: cli/control/job-client.ts, cli/cluster/cluster-reached.ts.
 */
import type { JobDescription } from '../../coordinator/protocol/jobs.ts';
import { type ControlRequest, type Reach, realReach } from './control-command.ts';
import { askJob, findJob, hasEnded } from './job-client.ts';
import type { ReachedJob } from './reached-job.ts';

/**
 * Does something with the job that the first word names.
 * @throws JOB_NOT_RUNNING, JOB_AMBIGUOUS, CLUSTER_JOB_NOT_FOUND, CLUSTER_NOT_REACHABLE, and as `use` does
 */
export async function withJob<T>(
  { words, cluster, tls }: Pick<ControlRequest, 'words' | 'cluster' | 'tls'>,
  reach: Reach | undefined,
  use: (job: ReachedJob) => Promise<T>,
): Promise<T> {
  const { env, places } = reach ?? (await realReach({ tls }));
  const [wanted = ''] = words;
  if (cluster !== null) {
    const [{ withCluster }, { clusterReached }] = await Promise.all([
      import('../cluster/cluster-client.ts'),
      import('../cluster/cluster-reached.ts'),
    ]);
    return await withCluster(env, cluster, async (client) =>
      use(await clusterReached(env, client, wanted)),
    );
  }
  const { socket, description } = await findJob(env, places, wanted);
  return await use({
    description,
    ask: (call) => askJob(env, socket, call),
    hasEnded: () => hasEnded(env, socket),
  });
}

/** Where a job runs, for people. */
export function placeOf({ id, pid }: JobDescription): string {
  if (pid === null) return id ?? 'no id yet';
  return id ?? `process ${pid}`;
}
