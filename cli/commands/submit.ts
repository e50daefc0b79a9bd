/**
 * `millrace submit FILE`: sends a job to a cluster, and with `--wait` stays until its end, with the progress, the summary and
 * the exit code that `millrace run` would have. Ctrl-C then leaves the job alone.
 *
 * Before: cli/main.ts. After: cli/cluster/read-submission.ts, cli/cluster/send-job.ts.
 */
import { fromWire } from '../../base/typed-error.ts';
import {
  clientMethods,
  type WatchAnswer,
  watchIntervalMs,
} from '../../coordinator/protocol/clients.ts';
import type { CliEnv } from '../cli-env.ts';
import { clusterNeeded, clusterOf } from '../cluster/cluster-address.ts';
import { type ClusterClient, withCluster } from '../cluster/cluster-client.ts';
import { watchJob } from '../cluster/cluster-run.ts';
import {
  checkPrepared,
  type PreparedJob,
  readSubmission,
  submissionFor,
} from '../cluster/read-submission.ts';
import { sendJob } from '../cluster/send-job.ts';
import { clientTls } from '../config/configured-client.ts';
import { type Reach, realReach } from '../control/control-command.ts';
import type { ClientEnv } from '../control/job-client.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { onInterrupt } from '../interrupt.ts';
import { showProgress } from '../progress.ts';
import { tellSummary } from '../summary.ts';

/** With `--fail-fast`, before the job is left to itself. */
const looksMax = 10;

export async function submitCommand(
  env: CliEnv,
  args: readonly string[],
  reach?: Reach,
): Promise<ExitCode> {
  const prepared = await readSubmission(env, args);
  if (prepared === null) return exitCodes.done;
  const { engine } = prepared.request;
  const addresses = clusterNeeded('submit', clusterOf(env, engine.cluster));
  checkPrepared(env, prepared);
  const submitted = { ...prepared, addresses };
  const client = (reach ?? (await realReach({ tls: clientTls(env) }))).env;
  return await withCluster(client, addresses, (cluster) =>
    submit({ env, client, cluster }, submitted),
  );
}

interface Submitted extends PreparedJob {
  readonly addresses: readonly string[];
}

interface Way {
  readonly env: CliEnv;
  readonly client: ClientEnv;
  readonly cluster: ClusterClient;
}

async function submit(way: Way, submitted: Submitted): Promise<ExitCode> {
  const { env, client, cluster } = way;
  const { request, bundle, addresses } = submitted;
  const { graph, engine, isJson } = request;
  const job = await submissionFor(cluster, submitted);
  const wanted = `${graph.jobName}-${client.secrets.hex(4)}`;
  const jobId = await sendJob(cluster, { jobId: wanted, job, bundle });
  const next = `--cluster ${addresses.join(',')}`;
  if (job.isFailFast && engine.wait !== true) await checkSlots(way, jobId);
  if (engine.wait === true) return await wait(way, { ...submitted, jobId, next });
  if (isJson) {
    const facts = { job: graph.jobName, id: jobId, status: 'submitted', slots: job.parallelism };
    env.stdout.write(`${JSON.stringify(facts)}\n`);
  } else {
    env.stdout.write(`${jobId}\n`);
    env.stderr.write(`job "${graph.jobName}" is submitted: ${nextText(jobId, next)}\n`);
  }
  return exitCodes.done;
}

/** Whether there are slots is decided behind the answer: in a moment. @throws SLOTS_NOT_THERE */
async function checkSlots({ client, cluster }: Way, jobId: string): Promise<void> {
  for (let look = 0; look < looksMax; look++) {
    const call = { method: clientMethods.watch, body: { job: jobId }, isRepeatable: true };
    const { job, outcome } = await cluster.ask<WatchAnswer>(call);
    if (outcome?.error?.code === 'SLOTS_NOT_THERE') throw fromWire(outcome.error);
    if (job.phase !== 'queued' || job.reason !== null) return;
    await client.timers.sleep(watchIntervalMs);
  }
}

async function wait(
  { env, client, cluster }: Way,
  { request, bundle, jobId, next }: Submitted & { readonly jobId: string; readonly next: string },
): Promise<ExitCode> {
  const { graph, isJson } = request;
  const left = new AbortController();
  const run = watchJob(client, cluster, { jobId, root: bundle.root, signal: left.signal });
  const endProgress = showProgress(env, () => run.progress());
  const { promise: isLeft, resolve: leave } = Promise.withResolvers<null>();
  const interrupt = onInterrupt(env, () => leave(null));
  // Abandoned, it ends with the signal.
  run.done.catch(() => undefined);
  try {
    const summary = await Promise.race([run.done, isLeft]);
    endProgress();
    if (summary !== null) return tellSummary(env, summary, { graph, isJson });
    env.stderr.write(`job "${graph.jobName}" goes on: ${nextText(jobId, next)}\n`);
    return exitCodes.interrupted;
  } finally {
    left.abort();
    interrupt.stop();
    endProgress();
  }
}

function nextText(jobId: string, next: string): string {
  return `millrace status ${jobId} ${next} shows how far it is, millrace cancel ends it`;
}
