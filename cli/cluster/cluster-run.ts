/**
 * A job that has been sent to a cluster, until its end: how far it is, asked every 100 ms, and its summary. A coordinator that
 * does not answer is asked again for a minute, for another one may take over; the job goes on all the same.
 *
 * Before: cli/commands/submit.ts. After: cli/cluster/cluster-client.ts.
 */
import { pathToFileURL } from 'node:url';
import { codeOf, typedError, type WireError } from '../../base/typed-error.ts';
import {
  clientMethods,
  type WatchAnswer,
  watchIntervalMs,
} from '../../coordinator/protocol/clients.ts';
import type { ClientEnv } from '../control/job-client.ts';
import type { RunProgress } from '../embedded.ts';
import { submittedRoot } from '../error-text.ts';
import { type JobSummary, jobSummaryOf } from '../job-summary.ts';
import type { ClusterClient } from './cluster-client.ts';

const silentMsMax = 60_000;

export interface WatchedJob {
  readonly jobId: string;
  /** The folder of the user's files, as the bundle has it. */
  readonly root: string;
}

export interface ClusterRun {
  progress(): RunProgress;
  /** Rejects when the cluster does not answer any more. */
  readonly done: Promise<JobSummary>;
}

const nothing: RunProgress = {
  ...{ phase: 'starting', rowsIn: 0, bytesIn: 0, bytesTotal: 0, rowsOut: 0, deadLetters: 0 },
  ...{ seconds: 0, stages: [], share: 0 },
};

/** Watches a job, until its end or until the signal is aborted. */
export function watchJob(
  env: Pick<ClientEnv, 'clock' | 'timers'>,
  cluster: Pick<ClusterClient, 'ask'>,
  { jobId, root, signal }: WatchedJob & { readonly signal: AbortSignal },
): ClusterRun {
  let progress = nothing;
  const watch = async (): Promise<JobSummary> => {
    let seenAtMs = env.clock.mono();
    while (true) {
      signal.throwIfAborted();
      try {
        const call = { method: clientMethods.watch, body: { job: jobId }, isRepeatable: true };
        const answer = await cluster.ask<WatchAnswer>(call);
        seenAtMs = env.clock.mono();
        if (answer.outcome !== null) return summaryOf(answer, answer.outcome, root);
        progress = progressOf(answer);
      } catch (error) {
        if (!isSilence(error)) throw error;
        if (env.clock.mono() - seenAtMs > silentMsMax) throw lostError(jobId, error);
      }
      await env.timers.sleep(watchIntervalMs);
    }
  };
  return { progress: () => progress, done: watch() };
}

function isSilence(error: unknown): boolean {
  return ['CLUSTER_NOT_REACHABLE', 'CLUSTER_NOT_LEADING'].includes(codeOf(error) ?? '');
}

function progressOf({ job, progress }: WatchAnswer): RunProgress {
  const { phase, seconds, reason } = job;
  const shown = { ...nothing, ...progress, seconds };
  if (phase === 'queued') return { ...shown, phase: 'starting', note: reason ?? 'queued' };
  if (phase === 'starting') return { ...shown, phase };
  if (phase === 'restarting') {
    const why = reason === null ? '' : `: ${reason}`;
    return { ...shown, phase: 'starting', note: `starting again${why}` };
  }
  return { ...shown, phase: phase === 'committing' ? phase : 'running' };
}

function summaryOf(
  { job: { id, name, seconds } }: WatchAnswer,
  outcome: NonNullable<WatchAnswer['outcome']>,
  root: string,
): JobSummary {
  const error = outcome.error === null ? null : withFiles(outcome.error, root);
  const own = { job: name, id, seconds, peakMemoryBytes: null };
  return jobSummaryOf({ ...outcome, error }, own);
}

/** The error with the user's own files in its stacks, which the workers know by their names in the bundle only. */
function withFiles(error: WireError, root: string): WireError {
  const { stack, cause } = error;
  return {
    ...error,
    ...(stack !== undefined && {
      stack: stack.replaceAll(submittedRoot, pathToFileURL(`${root}/`).href),
    }),
    ...(cause !== undefined && { cause: withFiles(cause, root) }),
  };
}

function lostError(jobId: string, cause: unknown) {
  const message = `the cluster has not answered for ${silentMsMax / 1000} s`;
  return typedError('CLUSTER_NOT_REACHABLE', message, {
    hint: `The job may go on all the same: millrace status ${jobId} says so when a coordinator is there again.`,
    retryable: true,
    cause,
  });
}
