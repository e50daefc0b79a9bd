/**
 * What the commands have in common that ask a job which runs, or look at what one has left: words, `--json`, `--help`,
 * and the surroundings to reach a job with.
 *
 * Before: cli/main.ts. After: cli/control/job-client.ts.
 */
import { Command, CommanderError } from 'commander';
import type { Address } from '../../base/env/net.ts';
import { typedError } from '../../base/typed-error.ts';
import type { CliEnv } from '../cli-env.ts';
import { clusterFlag, clusterOf } from '../cluster/cluster-address.ts';
import type { TlsFiles } from '../config/config.ts';
import { clientTls, readTls } from '../config/configured-client.ts';
import type { ClientEnv } from './job-client.ts';
import type { JobPlaces } from './job-folder.ts';

export interface ControlCommand {
  /** `state get` has two words. */
  readonly verb: string;
  readonly description: string;
  /** What follows it: `JOB`, or `[OPERATOR]` where it may be left out. */
  readonly words: readonly string[];
  /** Those that it has beside `--json` and `--help`. @defaultValue none */
  readonly flags?: readonly CommandFlag[];
  /** Whether it may be about a cluster, with `--cluster`. @defaultValue false */
  readonly isOfCluster?: boolean;
  readonly examples: readonly string[];
  /** Facts about it that a person may look for. */
  readonly notes?: string;
}

export interface CommandFlag {
  /** `--verify`, or `--key <key>` where it takes a value. */
  readonly flag: string;
  readonly description: string;
}

export interface ControlRequest {
  readonly words: readonly string[];
  readonly isJson: boolean;
  /** Coordinators of the cluster that it is about; null for this machine. */
  readonly cluster: readonly Address[] | null;
  /** Of connections to the cluster; null for plain ones. */
  readonly tls: TlsFiles | null;
  /** By name: a text, or true for one that takes none. */
  readonly flags: Readonly<Record<string, string | true | undefined>>;
}

/** How to reach jobs. Tests give others. */
export interface Reach {
  readonly env: ClientEnv;
  readonly places: JobPlaces;
}

/**
 * Reads the arguments after the verb; null when help was asked for and has been printed.
 *
 * @throws ARGUMENT_MISSING, ARGUMENT_NOT_EXPECTED, FLAG_NOT_FOUND, FLAG_VALUE
 */
export function readControlCommand(
  env: CliEnv,
  args: readonly string[],
  options: ControlCommand,
): ControlRequest | null {
  const { verb, words, examples, isOfCluster = false } = options;
  const flags = flagsOf(options);
  const command = commandOf(env, options);
  if (args.includes('--help') || args.includes('-h')) {
    env.stdout.write(command.helpInformation());
    return null;
  }
  try {
    command.parse([...args], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    throw flagError(verb, { args, flags, error });
  }
  const given = command.args;
  const needed = words.filter((word) => !word.startsWith('['));
  const missing = needed[given.length];
  if (missing !== undefined) {
    throw typedError('ARGUMENT_MISSING', `"millrace ${verb}" needs ${missing}`, {
      hint: `For example: ${examples[0] ?? ''}.`,
    });
  }
  const excess = given[words.length];
  if (excess !== undefined) {
    throw typedError('ARGUMENT_NOT_EXPECTED', `"${excess}" was not expected`, {
      hint: `Write millrace ${[verb, ...words].join(' ')}; quote what has spaces.`,
    });
  }
  const { json, cluster, ...others } = command.opts();
  return {
    words: given,
    isJson: json === true,
    cluster: isOfCluster ? clusterOf(env, cluster) : null,
    tls: isOfCluster ? clientTls(env) : null,
    flags: others,
  };
}

function flagsOf({ flags = [], isOfCluster = false }: ControlCommand): readonly CommandFlag[] {
  return isOfCluster ? [...flags, clusterFlag] : flags;
}

function flagError(
  verb: string,
  about: {
    readonly args: readonly string[];
    readonly flags: readonly CommandFlag[];
    readonly error: CommanderError;
  },
) {
  const { args, flags, error } = about;
  if (error.code === 'commander.optionMissingArgument') {
    const flag = flags.find(({ flag: one }) => error.message.includes(one))?.flag ?? '';
    return typedError('FLAG_VALUE', `"millrace ${verb}" needs a value after ${flag}`, {
      hint: `Write ${flag}.`,
    });
  }
  const known = ['--json', '--help', ...flags.map(({ flag }) => flag.split(' ')[0] ?? '')];
  const flag = args.find((arg) => arg.startsWith('-') && !known.includes(arg)) ?? '';
  const names = `${known.slice(0, -1).join(', ')} and ${known.at(-1)}`;
  return typedError('FLAG_NOT_FOUND', `"millrace ${verb}" has no flag ${flag}`, {
    hint: `Its only flags are ${names}; what follows -- is no flag.`,
  });
}

/** The real way to jobs; what it needs is loaded only now. @throws TLS_CERTIFICATE, TLS_FILE */
export async function realReach({ tls: files }: Pick<ControlRequest, 'tls'>): Promise<Reach> {
  const [{ createRealEnv }, { jobPlaces }] = await Promise.all([
    import('../../base/env/real-env.ts'),
    import('./job-folder.ts'),
  ]);
  const { clock } = createRealEnv();
  return { env: createRealEnv({ tls: await readTls({ clock }, files) }), places: jobPlaces() };
}

function commandOf(env: CliEnv, options: ControlCommand): Command {
  const { verb, description, words, examples, notes } = options;
  const command = new Command(`millrace ${verb}`)
    .usage([...words, '[flags]'].join(' '))
    .description(notes === undefined ? description : `${description}\n\n${notes}`)
    .helpOption('-h, --help', 'show this')
    .option('--json', 'print one JSON object on stdout')
    .argument('[words...]')
    .exitOverride()
    .configureOutput({ writeErr: () => undefined, outputError: () => undefined })
    .configureHelp({ helpWidth: env.stdout.columns, visibleArguments: () => [] });
  for (const one of flagsOf(options)) command.option(one.flag, one.description);
  const { helpInformation } = command;
  const shown = examples.map((example) => `  ${example}\n`).join('');
  command.helpInformation = (context) =>
    `${helpInformation.call(command, context)}\nExamples:\n${shown}`;
  return command;
}
