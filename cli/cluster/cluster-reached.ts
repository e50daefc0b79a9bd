/**
 * A job of a cluster, as the commands that ask a job see it: as one of this machine, over the coordinator.
 *
 * Before: cli/control/reach-job.ts. After: cli/cluster/cluster-client.ts.
 */
import { codeOf, typedError } from '../../base/typed-error.ts';
import {
  type ClusterJob,
  clientMethods,
  type WatchAnswer,
} from '../../coordinator/protocol/clients.ts';
import { endPhases, type JobPhase, jobMethods } from '../../coordinator/protocol/jobs.ts';
import type { ClientEnv } from '../control/job-client.ts';
import type { JobCall, ReachedJob } from '../control/reached-job.ts';
import type { ClusterClient } from './cluster-client.ts';

/** How long a job may take to go: its tasks are ended after 5 s, its processes soon after. */
const endWaitMs = 30_000;
const endLookEveryMs = 100;

/** Methods that change something: asked once, whatever comes back. */
const changing: ReadonlySet<string> = new Set([
  ...[jobMethods.savepoint, jobMethods.stop, jobMethods.rescale],
]);

/** @param wanted - An id, or a name. @throws CLUSTER_JOB_NOT_FOUND */
export async function clusterReached(
  env: Pick<ClientEnv, 'clock' | 'timers'>,
  cluster: ClusterClient,
  wanted: string,
): Promise<ReachedJob> {
  const body = { job: wanted };
  const describe = { method: jobMethods.describe, body, isRepeatable: true };
  const description = await cluster.ask<ClusterJob>(describe);
  const { id, phase } = description;
  return {
    description,
    async ask<T>({ method, body: asked = {}, deadlineMs }: JobCall): Promise<T> {
      // What has ended can be looked at, and not be told anything.
      if (endPhases.has(phase) && method !== jobMethods.why) throw endedError(id, phase);
      const call = { method, body: { ...(asked as object), job: id }, deadlineMs };
      try {
        return await cluster.ask<T>({ ...call, isRepeatable: !changing.has(method) });
      } catch (error) {
        throw isSilence(error) ? notAnswering(id, deadlineMs, error) : error;
      }
    },
    async hasEnded() {
      const endsAtMs = env.clock.mono() + endWaitMs;
      while (env.clock.mono() < endsAtMs) {
        if (await hasClusterJobEnded(cluster, id)) return true;
        await env.timers.sleep(endLookEveryMs);
      }
      return false;
    },
  };
}

/** Whether a job has ended, or is not known any more. */
export async function hasClusterJobEnded(
  cluster: Pick<ClusterClient, 'ask'>,
  job: string,
): Promise<boolean> {
  try {
    const watch = { method: clientMethods.watch, body: { job }, isRepeatable: true };
    return (await cluster.ask<WatchAnswer>(watch)).outcome !== null;
  } catch (error) {
    if (codeOf(error) === 'CLUSTER_JOB_NOT_FOUND') return true;
    throw error;
  }
}

function endedError(id: string, phase: JobPhase) {
  return typedError('JOB_NOT_RUNNING', `job "${id}" has ended: ${phase}`, {
    hint: 'millrace history shows when; millrace list what runs now.',
  });
}

/** The coordinator was there a moment ago: it waits for the job. */
function isSilence(error: unknown): boolean {
  return error instanceof Error && codeOf(error.cause) === 'RPC_DEADLINE';
}

function notAnswering(id: string, deadlineMs: number, cause: unknown) {
  return typedError('JOB_NOT_ANSWERING', `job "${id}" did not answer within ${deadlineMs} ms`, {
    hint: 'Its workers do not answer, or are busy with something else: millrace status and millrace logs may say more.',
    retryable: true,
    cause,
  });
}
