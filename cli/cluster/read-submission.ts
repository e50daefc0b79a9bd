/**
 * The words behind `millrace submit`, which are also those of a job that begins at times: the job's bundle and its graph, checked
 * before anything is sent.
 *
 * Before: cli/commands/submit.ts, cli/commands/schedule.ts. After: cli/job-command.ts, cli/cluster/bundle-job.ts, cli/cluster/submission.ts.
 */
import { resolve } from 'node:path';
import {
  type ClusterSubmission,
  clientMethods,
  type WorkersAnswer,
} from '../../coordinator/protocol/clients.ts';
import { checkOutput } from '../check-output.ts';
import { addCheckpointFlags } from '../checkpoint-flags.ts';
import type { CliEnv } from '../cli-env.ts';
import { type JobCommandOptions, type JobRequest, readJobCommand } from '../job-command.ts';
import { checkFile } from '../load-job.ts';
import { bundleJob, type JobBundle } from './bundle-job.ts';
import { checkSubmission } from './check-submission.ts';
import { clusterFlag } from './cluster-address.ts';
import type { ClusterClient } from './cluster-client.ts';
import { loadBundle } from './load-bundle.ts';
import { submissionOf } from './submission.ts';

export interface PreparedJob {
  readonly request: JobRequest;
  readonly bundle: JobBundle;
}

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

/** Null when help was asked for and has been printed. @throws errors of the job file and its flags */
export async function readSubmission(
  env: CliEnv,
  args: readonly string[],
): Promise<PreparedJob | null> {
  let bundle: JobBundle | null = null;
  const load: JobCommandOptions['load'] = async (file, workingFolder) => {
    const path = resolve(workingFolder, file);
    checkFile(file, path);
    bundle = await bundleJob(path, file);
    return { job: await loadBundle(bundle, { path, file }), path };
  };
  const request = await readJobCommand(env, args, { ...options, load });
  return request === null || bundle === null ? null : { request, bundle };
}

/** What can't run on a cluster is refused here. @throws as checkSubmission, checkOutput */
export function checkPrepared(env: CliEnv, { request, bundle }: PreparedJob): void {
  checkSubmission(request.graph);
  checkOutput(request.graph, env.workingFolder);
  tellPlaced(env, bundle);
}

export async function submissionFor(
  cluster: Pick<ClusterClient, 'ask'>,
  { request, bundle }: PreparedJob,
): Promise<ClusterSubmission> {
  const { parallelism } = request.engine;
  const slotsDefault = parallelism === undefined ? await largestWorker(cluster) : 1;
  return submissionOf(request, { bundle: bundle.hash, slotsDefault });
}

/** Slots where nobody says how many: all of a worker, so that its tasks are near each other. */
async function largestWorker(cluster: Pick<ClusterClient, 'ask'>): Promise<number> {
  const call = { method: clientMethods.workers, isRepeatable: true };
  const { workers } = await cluster.ask<WorkersAnswer>(call);
  return Math.max(1, ...workers.map(({ slots }) => slots));
}

function tellPlaced({ stderr }: CliEnv, { placed }: JobBundle): void {
  const [first] = placed;
  if (first === undefined) return;
  const more = placed.length === 1 ? '' : `, and ${placed.length - 1} more like it`;
  stderr.write(
    `note: "${first}" asks where it lies${more}: files beside it do not travel with the job\n`,
  );
}
