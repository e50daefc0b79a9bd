/**
 * Sends a job to a cluster: its bundle, part by part, where it is not there, and then the job. Who asks gives the job its id, so
 * that the same, sent twice, is one job: a connection that breaks is no reason to doubt.
 *
 *     "is HASH there?" ──no──▶ part 0, 1, … last ──▶ submit ──BUNDLE_MISSING: another coordinator leads──▶ once more
 *
 * Before: cli/commands/submit.ts. After: cli/cluster/cluster-client.ts.
 */
import { codeOf } from '../../base/typed-error.ts';
import {
  type ClusterSubmission,
  clientMethods,
  type PutBundleAnswer,
  type PutBundleRequest,
  type SubmitAnswer,
  type SubmitRequest,
} from '../../coordinator/protocol/clients.ts';
import { bundlePartBytes } from '../../coordinator/protocol/members.ts';
import type { JobBundle } from './bundle-job.ts';
import type { ClusterCall, ClusterClient } from './cluster-client.ts';

/** The coordinator plans the job before it answers: it lists the inputs, and reads what it must of them. */
const submitDeadlineMs = 60_000;
const tries = 3;

type SentBundle = Pick<JobBundle, 'hash' | 'bytes'>;

export interface SentJob {
  readonly jobId: string;
  readonly job: ClusterSubmission;
  readonly bundle: SentBundle;
}

/** @throws CLUSTER_NOT_REACHABLE, SLOTS_NOT_THERE, and what keeps the job from being planned */
export async function sendJob(
  cluster: Pick<ClusterClient, 'ask'>,
  { jobId, job, bundle }: SentJob,
): Promise<string> {
  const body: SubmitRequest = { jobId, job };
  const call = { method: clientMethods.submit, body, deadlineMs: submitDeadlineMs };
  const answer = await askWithBundle<SubmitAnswer>(cluster, bundle, {
    ...call,
    isRepeatable: true,
  });
  return answer.jobId;
}

/** Asks what needs the bundle to be there; the call may be repeated. */
export async function askWithBundle<T>(
  cluster: Pick<ClusterClient, 'ask'>,
  bundle: SentBundle,
  call: ClusterCall,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    await putBundle(cluster, bundle);
    try {
      return await cluster.ask<T>(call);
    } catch (error) {
      if (codeOf(error) !== 'BUNDLE_MISSING' || attempt === tries) throw error;
    }
  }
}

async function putBundle(cluster: Pick<ClusterClient, 'ask'>, bundle: SentBundle): Promise<void> {
  const { hash } = bundle;
  if (await put(cluster, { hash, part: 0, data: '', isLast: false })) return;
  for (let attempt = 1; ; attempt++) {
    try {
      return await putParts(cluster, bundle);
    } catch (error) {
      // A part that was sent twice, or went to a coordinator that has not seen those before it.
      if (codeOf(error) !== 'BUNDLE_DAMAGED' || attempt === tries) throw error;
    }
  }
}

async function putParts(
  cluster: Pick<ClusterClient, 'ask'>,
  { hash, bytes }: SentBundle,
): Promise<void> {
  for (let part = 0; part * bundlePartBytes < bytes.length; part++) {
    const end = Math.min(bytes.length, (part + 1) * bundlePartBytes);
    const data = Buffer.from(bytes.subarray(part * bundlePartBytes, end)).toString('base64');
    // Another client may have sent the same meanwhile.
    if (await put(cluster, { hash, part, data, isLast: end === bytes.length })) return;
  }
}

/** Whether all of it is there. */
async function put(cluster: Pick<ClusterClient, 'ask'>, body: PutBundleRequest): Promise<boolean> {
  const call = { method: clientMethods.putBundle, body, isRepeatable: true };
  return (await cluster.ask<PutBundleAnswer>(call)).isStored;
}
