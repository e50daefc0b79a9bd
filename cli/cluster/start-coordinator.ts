/**
 * The coordinator of a cluster in this process: where its lease, its log and its bundles are, wired to the role.
 *
 *     DATA/lease, DATA/metadata.log       one coordinator, which owns the files
 *     etcd                                several: the lease and the log are there
 *     DATA/bundles/HASH.mjs               in both cases; several coordinators share the folder
 *
 * Before: cli/commands/coordinator.ts. After: coordinator/cluster/cluster-role.ts.
 */
import type { Env } from '../../base/env/env.ts';
import { createRealHttpClient } from '../../base/env/real-http-client.ts';
import { connectors } from '../../connectors/registry.ts';
import { type ClusterRole, startClusterRole } from '../../coordinator/cluster/cluster-role.ts';
import { EtcdGateway } from '../../coordinator/etcd/etcd-gateway.ts';
import { openEtcdLog } from '../../coordinator/etcd/etcd-log.ts';
import { createEtcdRegister } from '../../coordinator/etcd/etcd-register.ts';
import { openFileRegister } from '../../coordinator/lease/file-register.ts';
import type { LeaseRegister } from '../../coordinator/lease/lease-register.ts';
import { openFileLog } from '../../coordinator/metadata/file-log.ts';
import type { MetadataLog } from '../../coordinator/metadata/metadata-log.ts';

export interface CoordinatorProcessOptions {
  /** By which others know it. */
  readonly name: string;
  readonly listen: string;
  /** A folder, made when it is not there. */
  readonly data: string;
  /** Addresses of etcd; none: the lease and the log are files. */
  readonly etcd: readonly string[];
  readonly onLeading: (term: number | null) => void;
}

/** Where a cluster's keys begin in etcd. */
const etcdPrefix = '/millrace/cluster';
/** A standby takes over within 5 s: less than that, and a margin for who is slow. */
const leaseMs = 4_000;

/** @throws NET_ADDRESS_IN_USE, METADATA_LOG_IN_USE, errors of the disk and of etcd */
export async function startCoordinatorProcess(
  env: Env,
  { name, listen, data, etcd, onLeading }: CoordinatorProcessOptions,
): Promise<ClusterRole> {
  const bundleFolder = `${data}/bundles`;
  await env.disk.makeDir(bundleFolder, true);
  const { register, log } = await metadataOf(env, { data, etcd });
  try {
    return await startClusterRole(env, {
      ...{
        coordinatorId: name,
        listen,
        register,
        log,
        bundleFolder,
        connectors,
        onLeading,
        leaseMs,
      },
    });
  } catch (error) {
    await log.close();
    throw error;
  }
}

async function metadataOf(
  env: Env,
  { data, etcd }: Pick<CoordinatorProcessOptions, 'data' | 'etcd'>,
): Promise<{ readonly register: LeaseRegister; readonly log: MetadataLog }> {
  if (etcd.length === 0) {
    // The log has an owner: who opens it first is alone with the lease, too.
    const log = await openFileLog(env, `${data}/metadata.log`);
    return { log, register: await openFileRegister(env, `${data}/lease`) };
  }
  const gateway = new EtcdGateway(createRealHttpClient(), { endpoints: etcd });
  return {
    log: await openEtcdLog(env, gateway, `${etcdPrefix}/log`),
    register: createEtcdRegister(gateway, `${etcdPrefix}/lease`),
  };
}
