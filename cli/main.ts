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

const commands = ['run', 'explain'];

const examples = `
Examples:
  millrace run jobs/wordcount/job.ts --input README.md --output words.csv
  millrace run jobs/wordcount/job.ts --help
  millrace explain jobs/wordcount/job.ts --input README.md
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
  const add = (
    usage: { readonly name: string; readonly description: string },
    run: (args: readonly string[]) => Promise<ExitCode>,
  ): void => {
    // Flags are read by the command itself: which ones there are depends on the job file.
    program
      .command(usage.name)
      .description(usage.description)
      .usage('FILE [flags]')
      .argument('[arguments...]')
      .helpOption(false)
      .allowUnknownOption()
      .passThroughOptions()
      .action(async (args: string[]) => {
        exitCode = await run(args);
      });
  };
  add({ name: 'run', description: 'run a job on this machine' }, async (args) => {
    const { runCommand } = await import('./commands/run.ts');
    return runCommand(env, args);
  });
  add({ name: 'explain', description: 'show the plans of a job' }, async (args) => {
    const { explainCommand } = await import('./commands/explain.ts');
    return explainCommand(env, args);
  });
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

function noCommandError(name: string) {
  const nearest = nearestName(name, commands);
  const meant = nearest === null ? '' : `Did you mean "millrace ${nearest}"? `;
  return typedError('COMMAND_NOT_FOUND', `there is no command "${name}"`, {
    hint: `${meant}The commands are ${commands.join(' and ')}; millrace --help explains them.`,
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
  if (argv.includes('--json')) {
    const { failureJson } = await import('./summary.ts');
    const file = argv.slice(1).find((arg) => !arg.startsWith('-'));
    env.stdout.write(failureJson(file ?? '', error));
  }
  writeError(env, error);
  return error.kind === 'internal' ? exitCodes.jobFailed : exitCodes.usage;
}
