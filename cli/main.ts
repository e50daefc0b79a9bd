/**
 * The command line: finds the command and loads only what it needs, for every start pays for each
 * import. A command answers with an exit code; an error that reaches this file is shown here.
 *
 * Before: cli/launch.mjs. After: cli/commands/run.ts, cli/commands/explain.ts.
 */
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { nearestName } from '../base/nearest-name.ts';
import { toWire, typedError } from '../base/typed-error.ts';
import { type CliEnv, createCliEnv } from './cli-env.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';

interface Usage {
  readonly name: string;
  readonly usage: string;
  readonly description: string;
  /** Whether it may be about a cluster that the configuration names. @defaultValue false */
  readonly asksCluster?: boolean;
  /** Loads the command, and runs it. */
  readonly run: (env: CliEnv, args: readonly string[]) => Promise<ExitCode>;
}

const usages: readonly Usage[] = [
  {
    name: 'run',
    usage: 'FILE [flags]',
    description: 'run a job on this machine',
    run: async (env, args) => (await import('./commands/run.ts')).runCommand(env, args),
  },
  {
    name: 'submit',
    asksCluster: true,
    usage: 'FILE [flags]',
    description: 'send a job to a cluster',
    run: async (env, args) => (await import('./commands/submit.ts')).submitCommand(env, args),
  },
  {
    name: 'explain',
    usage: 'FILE [flags]',
    description: 'show the plans of a job',
    run: async (env, args) => (await import('./commands/explain.ts')).explainCommand(env, args),
  },
  {
    name: 'list',
    asksCluster: true,
    usage: '[flags]',
    description: 'show the jobs that run on this machine, or on a cluster',
    run: async (env, args) => (await import('./commands/list.ts')).listCommand(env, args),
  },
  {
    name: 'status',
    asksCluster: true,
    usage: 'JOB [flags]',
    description: 'show how far a running job is, by operator',
    run: async (env, args) => (await import('./commands/status.ts')).statusCommand(env, args),
  },
  {
    name: 'why',
    asksCluster: true,
    usage: 'JOB [OPERATOR] [flags]',
    description: 'say why nothing comes out of a running job',
    run: async (env, args) => (await import('./commands/why.ts')).whyCommand(env, args),
  },
  {
    name: 'state',
    asksCluster: true,
    usage: 'get|read … [flags]',
    description: "show an operator's state, of a job that runs or in a checkpoint",
    run: async (env, args) => (await import('./commands/state.ts')).stateCommand(env, args),
  },
  {
    name: 'checkpoints',
    asksCluster: true,
    usage: 'DIR|JOB [flags]',
    description: 'show the checkpoints in a folder, or of a running job',
    run: async (env, args) =>
      (await import('./commands/checkpoints.ts')).checkpointsCommand(env, args),
  },
  {
    name: 'savepoint',
    asksCluster: true,
    usage: 'JOB DIR [flags]',
    description: 'keep what a running job is at in a folder',
    run: async (env, args) => (await import('./commands/savepoint.ts')).savepointCommand(env, args),
  },
  {
    name: 'stop',
    asksCluster: true,
    usage: 'JOB [flags]',
    description: 'end a running job with a savepoint, to be gone on with',
    run: async (env, args) => (await import('./commands/stop.ts')).stopCommand(env, args),
  },
  {
    name: 'rescale',
    asksCluster: true,
    usage: 'JOB --parallelism N [flags]',
    description: 'have a running job go on with another number of tasks',
    run: async (env, args) => (await import('./commands/rescale.ts')).rescaleCommand(env, args),
  },
  {
    name: 'autoscale',
    asksCluster: true,
    usage: 'JOB [flags]',
    description: 'give a running job the slots that its work asks for',
    run: async (env, args) => (await import('./commands/autoscale.ts')).autoscaleCommand(env, args),
  },
  {
    name: 'cancel',
    asksCluster: true,
    usage: 'JOB [flags]',
    description: 'end a running job',
    run: async (env, args) => (await import('./commands/cancel.ts')).cancelCommand(env, args),
  },
  {
    name: 'logs',
    asksCluster: true,
    usage: 'JOB [flags]',
    description: 'show what a job of a cluster has printed',
    run: async (env, args) => (await import('./commands/logs.ts')).logsCommand(env, args),
  },
  {
    name: 'history',
    asksCluster: true,
    usage: '[flags]',
    description: 'show the jobs of a cluster that have ended',
    run: async (env, args) => (await import('./commands/history.ts')).historyCommand(env, args),
  },
  {
    name: 'quota',
    asksCluster: true,
    usage: '[NAMESPACE] [flags]',
    description: 'show or set what the jobs of a namespace may have',
    run: async (env, args) => (await import('./commands/quota.ts')).quotaCommand(env, args),
  },
  {
    name: 'schedule',
    asksCluster: true,
    usage: 'NAME --cron TIMES [flags] -- FILE [flags]',
    description: 'have a job begin at times, on a cluster',
    run: async (env, args) => (await import('./commands/schedule.ts')).scheduleCommand(env, args),
  },
  {
    name: 'schedules',
    asksCluster: true,
    usage: '[flags]',
    description: 'show the jobs of a cluster that begin at times',
    run: async (env, args) => (await import('./commands/schedules.ts')).schedulesCommand(env, args),
  },
  {
    name: 'unschedule',
    asksCluster: true,
    usage: 'NAME [flags]',
    description: 'have a job begin at times no more',
    run: async (env, args) =>
      (await import('./commands/unschedule.ts')).unscheduleCommand(env, args),
  },
  {
    name: 'workers',
    asksCluster: true,
    usage: '[flags]',
    description: 'show the workers of a cluster',
    run: async (env, args) => (await import('./commands/workers.ts')).workersCommand(env, args),
  },
  {
    name: 'up',
    usage: '[flags]',
    description: 'start a cluster on this machine, and run it',
    run: async (env, args) => (await import('./commands/up.ts')).upCommand(env, args),
  },
  {
    name: 'down',
    usage: '[flags]',
    description: 'end the cluster that millrace up has started',
    run: async (env, args) => (await import('./commands/down.ts')).downCommand(env, args),
  },
  {
    name: 'coordinator',
    usage: '[flags]',
    description: 'run the coordinator of a cluster',
    run: async (env, args) =>
      (await import('./commands/coordinator.ts')).coordinatorCommand(env, args),
  },
  {
    name: 'config',
    usage: '[flags]',
    description: 'show the configuration, and where each value comes from',
    run: async (env, args) => (await import('./commands/config.ts')).configCommand(env, args),
  },
  {
    name: 'worker',
    usage: '[flags]',
    description: 'offer slots of this machine to a cluster',
    run: async (env, args) => (await import('./commands/worker.ts')).workerCommand(env, args),
  },
];
const commands = usages.map(({ name }) => name);
/** Those that start no job. */
const controls: ReadonlySet<string> = new Set([
  ...['list', 'status', 'why', 'state', 'checkpoints', 'savepoint', 'stop', 'rescale', 'cancel'],
  ...['logs', 'history', 'workers', 'quota', 'schedule', 'schedules', 'unschedule', 'autoscale'],
  'config',
  'worker',
  'up',
  'down',
]);

const examples = `
Examples:
  millrace run jobs/wordcount/job.ts --input README.md --output words.csv
  millrace run jobs/wordcount/job.ts --help
  millrace explain jobs/wordcount/job.ts --input README.md
  millrace list
  millrace why wordcount
`;

/** Runs the command line; resolves with the exit code of the process. */
export async function main(argv: readonly string[], env: CliEnv = createCliEnv()): Promise<number> {
  try {
    return await dispatch(env, argv);
  } catch (error) {
    return showError(env, argv, error);
  }
}

async function dispatch(env: CliEnv, argv: readonly string[]): Promise<ExitCode> {
  let exitCode: ExitCode = exitCodes.done;
  const program = new Command('millrace')
    .description('Runs stream and batch jobs written in TypeScript.')
    .version(versionOf(), '-v, --version', 'show the version')
    .helpOption('-h, --help', 'show this')
    .helpCommand(false)
    .configureHelp({ subcommandTerm: (command) => `${command.name()} ${command.usage()}` })
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => env.stdout.write(text),
      writeErr: (text) => env.stderr.write(text),
      // Every error is shown in one place and form, with its code: below.
      outputError: () => undefined,
    })
    .addHelpText('after', examples);
  for (const { name, usage, description, asksCluster = false, run } of usages) {
    // Flags are read by the command itself: which ones there are depends on the job file.
    program
      .command(name)
      .description(description)
      .usage(usage)
      .argument('[arguments...]')
      .helpOption(false)
      .allowUnknownOption()
      .passThroughOptions()
      .action(async (args: string[]) => {
        exitCode = await run(asksCluster ? await configured(env) : env, args);
      });
  }
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === 'commander.unknownCommand') throw noCommandError(argv[0] ?? '');
    if (error.code === 'commander.unknownOption') throw noFlagError(argv[0] ?? '');
    return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
  }
  return exitCode;
}

async function configured(env: CliEnv): Promise<CliEnv> {
  return (await import('./config/configured-client.ts')).configuredClient(env);
}

function noCommandError(name: string) {
  const nearest = nearestName(name, commands);
  const meant = nearest === null ? '' : `Did you mean "millrace ${nearest}"? `;
  return typedError('COMMAND_NOT_FOUND', `there is no command "${name}"`, {
    hint: `${meant}The commands are ${commands.slice(0, -1).join(', ')} and ${commands.at(-1)}; millrace --help explains them.`,
  });
}

function noFlagError(flag: string) {
  return typedError('FLAG_NOT_FOUND', `there is no flag ${flag} before a command`, {
    hint: `Write the command first: millrace run job.ts ${flag} …`,
  });
}

function versionOf(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** Shows an error that came before a job was started. */
async function showError(env: CliEnv, argv: readonly string[], thrown: unknown): Promise<number> {
  const { writeError } = await import('./error-text.ts');
  const error = toWire(thrown);
  if (argv.includes('--json') && controls.has(argv[0] ?? '')) {
    const { errorJson } = await import('./summary.ts');
    env.stdout.write(`${JSON.stringify({ status: 'failed', error: errorJson(error) })}\n`);
  } else if (argv.includes('--json')) {
    const { failureJson } = await import('./summary.ts');
    const file = argv.slice(1).find((arg) => !arg.startsWith('-'));
    env.stdout.write(failureJson(file ?? '', error));
  }
  writeError(env, error);
  if (notReachable.has(error.code)) return exitCodes.notReachable;
  if (error.code === 'SAVEPOINT_FAILED') return exitCodes.jobFailed;
  return error.kind === 'internal' ? exitCodes.jobFailed : exitCodes.usage;
}

/** What was asked is not there, or does not answer: another time the same command may do. */
const notReachable: ReadonlySet<string> = new Set([
  ...['JOB_NOT_ANSWERING', 'JOB_NOT_RUNNING', 'STATE_NOT_ANSWERED', 'RPC_BUSY'],
  ...['CLUSTER_NOT_REACHABLE', 'CLUSTER_NOT_LEADING', 'CLUSTER_JOB_NOT_FOUND'],
]);
