/**
 * `millrace run FILE`: runs a job in this process, on all cores, and waits for its end.
 *
 * Before: cli/main.ts. After: cli/job-command.ts, cli/run-job.ts.
 */

import { reportTable } from '../../coordinator/compatibility/report-text.ts';
import type { CheckpointRequest } from '../../coordinator/job/checkpointed-job.ts';
import { checkOutput } from '../check-output.ts';
import { addCheckpointFlags } from '../checkpoint-flags.ts';
import type { CliEnv } from '../cli-env.ts';
import type { RunOptions } from '../embedded.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { type JobCommandOptions, readJobCommand } from '../job-command.ts';
import type { ProgramConsole } from '../program-ends.ts';
import { runJob, type StartJob } from '../run-job.ts';
import { tellSummary } from '../summary.ts';

const options: JobCommandOptions = {
  verb: 'run',
  description: 'Runs a job on this machine.',
  addFlags(command, isTaken) {
    if (!isTaken('format')) {
      command.option(
        '--format <format>',
        "csv, ndjson, parquet, arrow or arrows, whatever the output's name says",
      );
    }
    addCheckpointFlags(command);
    command
      .option('--memory <size>', 'memory for all slots together, such as 512MB or 2GB')
      .option('--spill-dir <folder>', 'where rows go that do not fit into the memory')
      .option('--no-speculation', 'no second copy of a task that is slow beside its siblings')
      .option('--overwrite', 'replace an output folder that exists')
      .option('--json', 'print a summary as one JSON object on stdout');
  },
};

export async function runCommand(
  env: CliEnv,
  args: readonly string[],
  startJob?: StartJob,
): Promise<ExitCode> {
  const request = await readJobCommand(env, args, options);
  if (request === null) return exitCodes.done;
  const { isJson, ...given } = request;
  const runOptions = { ...given, program: { ...given.program, console: consoleOf(env, isJson) } };
  const { graph } = runOptions;
  checkOutput(graph, env.workingFolder);
  const summary = await runJob(env, withReport(env, runOptions), startJob);
  return tellSummary(env, summary, { graph, isJson });
}

/** What becomes of each state is shown before the job goes on, unless all of it is as it was. */
function withReport<Options extends RunOptions>(env: CliEnv, options: Options): Options {
  const { checkpoints } = options;
  if (checkpoints === undefined) return options;
  const onFindings: CheckpointRequest['onFindings'] = (findings) => {
    if (findings.every(({ verdict }) => verdict === 'same')) return;
    const { stderr } = env;
    if (stderr.isTerminal) stderr.write('\r\x1b[2K');
    stderr.write(
      reportTable(findings, stderr.isTerminal ? stderr.columns : Number.POSITIVE_INFINITY),
    );
  };
  return { ...options, checkpoints: { ...checkpoints, onFindings } };
}

/** Where `console.sink` prints: on stdout, unless `--json` has that for its object. */
function consoleOf({ stdout, stderr }: CliEnv, isJson: boolean): ProgramConsole {
  const output = isJson ? stderr : stdout;
  return {
    columns: output.isTerminal ? output.columns : Number.POSITIVE_INFINITY,
    write: (text) => {
      // The line of progress is drawn again below what is printed.
      if (stderr.isTerminal) stderr.write('\r\x1b[2K');
      output.write(text);
    },
  };
}
