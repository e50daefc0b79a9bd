/**
 * What a command does on a cluster: finds which one is meant, connects, and ends the connection.
 *
 * Before: cli/commands/workers.ts and its like. After: cli/cluster/cluster-client.ts.
 */
import { type ControlRequest, type Reach, realReach } from '../control/control-command.ts';
import type { ClientEnv } from '../control/job-client.ts';
import { clusterNeeded } from './cluster-address.ts';
import type { ClusterClient } from './cluster-client.ts';

export interface ClusterCommand {
  readonly verb: string;
  readonly request: ControlRequest;
  /** How to reach it; tests give others. */
  readonly reach: Reach | undefined;
}

/** @throws ARGUMENT_MISSING without a cluster; CLUSTER_NOT_REACHABLE, CLUSTER_VERSION, and what the work throws */
export async function onCluster<T>(
  { verb, request, reach }: ClusterCommand,
  work: (cluster: ClusterClient, client: ClientEnv) => Promise<T>,
): Promise<T> {
  const addresses = clusterNeeded(verb, request.cluster);
  const { env: client } = reach ?? (await realReach(request));
  const { withCluster } = await import('./cluster-client.ts');
  return await withCluster(client, addresses, (cluster) => work(cluster, client));
}
