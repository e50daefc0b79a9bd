/**
 * `millrace submit FILE`: sends a job to a cluster, and with `--wait` stays until its end, with the progress, the summary and
 * the exit code that `millrace run` would have. Ctrl-C then leaves the job alone.
 *
 * Before: cli/main.ts. After: cli/job-command.ts, cli/cluster/bundle-job.ts, cli/cluster/send-job.ts.
 */
import { resolve } from 'node:path';
import { fromWire } from '../../base/typed-error.ts';
import {
  clientMethods,
  type WatchAnswer,
  type WorkersAnswer,
  watchIntervalMs,
} from '../../coordinator/protocol/clients.ts';
import { checkOutput } from '../check-output.ts';
import { addCheckpointFlags } from '../checkpoint-flags.ts';
import type { CliEnv } from '../cli-env.ts';
import { bundleJob, type JobBundle } from '../cluster/bundle-job.ts';
import { checkSubmission } from '../cluster/check-submission.ts';
import { clusterFlag, clusterNeeded, clusterOf } from '../cluster/cluster-address.ts';
import { type ClusterClient, withCluster } from '../cluster/cluster-client.ts';
import { watchJob } from '../cluster/cluster-run.ts';
import { loadBundle } from '../cluster/load-bundle.ts';
import { sendJob } from '../cluster/send-job.ts';
import { submissionOf } from '../cluster/submission.ts';
import { clientTls } from '../config/configured-client.ts';
import { type Reach, realReach } from '../control/control-command.ts';
import type { ClientEnv } from '../control/job-client.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { onInterrupt } from '../interrupt.ts';
import { type JobCommandOptions, type JobRequest, readJobCommand } from '../job-command.ts';
import { checkFile } from '../load-job.ts';
import { showProgress } from '../progress.ts';
import { tellSummary } from '../summary.ts';

/** With `--fail-fast`, before the job is left to itself. */
const looksMax = 10;

const options: JobCommandOptions = {
  verb: 'submit',
  description:
    'Sends a job to a cluster. Paths are seen from this folder; workers have to find the same files there.',
  addFlags(command, isTaken) {
    if (!isTaken('format')) {
      command.option(
        '--format <format>',
        "csv, ndjson, parquet, arrow or arrows, whatever the output's name says",
      );
    }
    addCheckpointFlags(command);
    command
      .option(clusterFlag.flag, clusterFlag.description)
      .option('--priority <number>', 'jobs of a higher one get slots first (default 0)')
      .option('--namespace <name>', 'whose quota counts (default "default")')
      .option('--fail-fast', 'refuse a job that needs more slots than there are')
      .option('--memory <size>', 'memory for all slots together (default 512MB for each)')
      .option('--no-speculation', 'no second copy of a task that is slow beside its siblings')
      .option('--overwrite', 'replace an output folder that exists')
      .option('--wait', 'stay until the job has ended')
      .option('--json', 'print one JSON object on stdout');
  },
};

export async function submitCommand(
  env: CliEnv,
  args: readonly string[],
  reach?: Reach,
): Promise<ExitCode> {
  let bundle: JobBundle | null = null;
  const load: JobCommandOptions['load'] = async (file, workingFolder) => {
    const path = resolve(workingFolder, file);
    checkFile(file, path);
    bundle = await bundleJob(path, file);
    return { job: await loadBundle(bundle, { path, file }), path };
  };
  const request = await readJobCommand(env, args, { ...options, load });
  if (request === null || bundle === null) return exitCodes.done;
  const addresses = clusterNeeded('submit', clusterOf(env, request.engine.cluster));
  checkSubmission(request.graph);
  checkOutput(request.graph, env.workingFolder);
  tellPlaced(env, bundle);
  const submitted = { request, bundle, addresses };
  const client = (reach ?? (await realReach({ tls: clientTls(env) }))).env;
  return await withCluster(client, addresses, (cluster) =>
    submit({ env, client, cluster }, submitted),
  );
}

interface Submitted {
  readonly request: JobRequest;
  readonly bundle: JobBundle;
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
  const slotsDefault = engine.parallelism === undefined ? await largestWorker(cluster) : 1;
  const job = submissionOf(request, { bundle: bundle.hash, slotsDefault });
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

/** Slots where nobody says how many: all of a worker, so that its tasks are near each other. */
async function largestWorker(cluster: ClusterClient): Promise<number> {
  const call = { method: clientMethods.workers, isRepeatable: true };
  const { workers } = await cluster.ask<WorkersAnswer>(call);
  return Math.max(1, ...workers.map(({ slots }) => slots));
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

function tellPlaced({ stderr }: CliEnv, { placed }: JobBundle): void {
  const [first] = placed;
  if (first === undefined) return;
  const more = placed.length === 1 ? '' : `, and ${placed.length - 1} more like it`;
  stderr.write(
    `note: "${first}" asks where it lies${more}: files beside it do not travel with the job\n`,
  );
}
