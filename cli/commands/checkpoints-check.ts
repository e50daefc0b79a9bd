/**
 * `millrace checkpoints check FILE DIR`: whether a job can go on from a checkpoint or savepoint, and what becomes of each state.
 * Looks at the manifest and builds the job; nothing is started, stopped or written.
 *
 * Before: cli/commands/checkpoints.ts. After: coordinator/compatibility/compatibility.ts, coordinator/compatibility/report-text.ts.
 */
import { resolve } from 'node:path';
import { createRealDisk } from '../../base/env/real-disk.ts';
import { typedError } from '../../base/typed-error.ts';
import { describeOperators } from '../../coordinator/checkpoint/manifest-of.ts';
import { checkpointIn } from '../../coordinator/checkpoint/store/checkpoint-places.ts';
import { compatibilityOf } from '../../coordinator/compatibility/compatibility.ts';
import { canGoOn, hintsText, reportTable } from '../../coordinator/compatibility/report-text.ts';
import { planJob } from '../../coordinator/planner/planner.ts';
import { declaredStates } from '../../engine/plan/declared-state.ts';
import type { CliEnv } from '../cli-env.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { type JobCommandOptions, readJobCommand } from '../job-command.ts';

const options: JobCommandOptions = {
  verb: 'checkpoints check',
  words: 'FILE DIR',
  description:
    'Shows what becomes of each state when a job goes on from a checkpoint, without starting it.',
  addFlags(command) {
    command
      .option('--allow-non-restored-state', 'state of what the job has no more may be left out')
      .option('--json', 'print the report as one JSON object');
  },
};

export async function checkpointsCheckCommand(
  env: CliEnv,
  args: readonly string[],
): Promise<ExitCode> {
  const { folder, rest } = withoutFolder(args);
  const request = await readJobCommand(env, rest, options);
  if (request === null) return exitCodes.done;
  if (folder === null) throw noFolder();
  const { graph, parallelism, partitions = parallelism, allowsDropped } = request;
  const found = await checkpointIn(createRealDisk(), resolve(env.workingFolder, folder), 'sizes');
  const { manifest, path } = found;
  const physical = planJob(graph, { parallelism: partitions, mode: 'streaming' });
  const job = { declared: declaredStates(graph), operators: describeOperators(physical) };
  const findings = compatibilityOf(manifest, job);
  const isCompatible = canGoOn(findings, allowsDropped);
  if (request.isJson) {
    const { jobName, checkpointId } = manifest;
    const report = {
      job: graph.jobName,
      from: { job: jobName, checkpointId, path },
      isCompatible,
      findings,
    };
    env.stdout.write(`${JSON.stringify(report)}\n`);
  } else {
    env.stdout.write(
      reportTable(findings, env.stdout.isTerminal ? env.stdout.columns : Number.POSITIVE_INFINITY),
    );
    env.stdout.write(hintsText(findings, allowsDropped));
    const can = isCompatible ? 'can' : 'can not';
    env.stdout.write(
      `job "${graph.jobName}" ${can} go on from checkpoint ${manifest.checkpointId}\n`,
    );
  }
  return isCompatible ? exitCodes.done : exitCodes.usage;
}

/** DIR is the second word, behind the job file and in front of flags. */
function withoutFolder(args: readonly string[]) {
  const [file, folder] = args;
  const isNamed = file?.startsWith('-') === false && folder?.startsWith('-') === false;
  if (!isNamed) return { folder: null, rest: args };
  return { folder, rest: [file, ...args.slice(2)] };
}

function noFolder() {
  return typedError(
    'ARGUMENT_MISSING',
    '"millrace checkpoints check" needs a job file and a folder',
    {
      hint: 'For example: millrace checkpoints check job.ts chk/. Both come before flags and the parameters of the job.',
    },
  );
}
