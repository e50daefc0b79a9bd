/**
 * Runs one job from start to end with progress on stderr and Ctrl-C obeyed; `run` and the first-start
 * demonstration share it.
 *
 * Before: cli/commands/run.ts. After: cli/embedded.ts.
 */
import type { CliEnv } from './cli-env.ts';
import type { EmbeddedRun, RunOptions } from './embedded.ts';
import { onInterrupt } from './interrupt.ts';
import type { JobSummary } from './job-summary.ts';
import { showProgress } from './progress.ts';

/** Starts the job in this process. Tests pass a fake. */
export type StartJob = (options: RunOptions) => EmbeddedRun;

/** Resolves when the job has ended, whatever the outcome, and the progress line is gone. */
export async function runJob(
  env: CliEnv,
  options: RunOptions,
  startJob?: StartJob,
): Promise<JobSummary> {
  const run = (startJob ?? (await loadEmbedded(options)))(options);
  const endProgress = showProgress(env, () => run.progress());
  const interrupt = onInterrupt(env, (signal) => {
    env.stderr.write(env.stderr.isTerminal ? '\r\x1b[2Kcancelling …\n' : 'cancelling …\n');
    run.cancel(signal === 'SIGINT' ? 'interrupted by the user' : 'ended by a signal');
  });
  const endControl = await openControl(env, options, run);
  try {
    return await run.done;
  } finally {
    await endControl();
    interrupt.stop();
    endProgress();
  }
}

/** Lets others ask the job, until the returned function is called. */
async function openControl(
  env: CliEnv,
  { graph, jobFile }: RunOptions,
  run: EmbeddedRun,
): Promise<() => Promise<void>> {
  if (run.control === undefined) return async () => undefined;
  const { startControl } = await import('./control/start-control.ts');
  return await startControl({
    ...{ name: graph.jobName, file: jobFile, processId: process.pid, run, control: run.control },
    onUnavailable: (reason) =>
      env.stderr.write(`note: millrace list will not show this job: ${reason}\n`),
  });
}

/** Starts the slot threads first: they load their code while this thread loads that of the roles. */
async function loadEmbedded({ parallelism }: RunOptions): Promise<StartJob> {
  const { PiscinaSlotRunner } = await import('../worker/threads/piscina-slot-runner.ts');
  const runner = new PiscinaSlotRunner(parallelism);
  const { startEmbedded } = await import('./embedded.ts');
  return (options) => startEmbedded(options, runner);
}
