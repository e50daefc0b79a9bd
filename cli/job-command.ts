/**
 * What `run` and `explain` have in common: find the job file among the arguments, load the job, read
 * its parameters from flags, build its logical graph. All mistakes up to here are the user's to
 * correct, and nothing has been started.
 *
 * After: cli/load-job.ts, cli/job-flags.ts, engine/api/build-job.ts.
 */
import { resolve } from 'node:path';
import { Command } from 'commander';
import { typedError } from '../base/typed-error.ts';
import { sinkFormatNames } from '../connectors/formats/format-builders.ts';
import type { Shuffle } from '../coordinator/planner/plan-step.ts';
import type { JobDefinition } from '../engine/api/define-job.ts';
import type { RunFlags } from '../engine/api/endpoints.ts';
import type { ParamSpecs } from '../engine/api/param.ts';
import type { CheckpointMode } from '../engine/contracts/checkpoint-mode.ts';
import { checkpointFlags, checkpointRequestOf, parseCheckpointMode } from './checkpoint-flags.ts';
import type { CliEnv } from './cli-env.ts';
import type { RunOptions } from './embedded.ts';
import {
  memoryBytesOf,
  parseAdaptive,
  parseLatencyInterval,
  parseMode,
  parseParallelism,
  parsePartitions,
  parseRate,
  parseShuffle,
} from './engine-flags.ts';
import {
  addParamOptions,
  exampleFlagsOf,
  type ParsedFlags,
  paramValuesOf,
  parseFlags,
  requiredOf,
} from './job-flags.ts';
import { loadJob } from './load-job.ts';

export interface JobCommandOptions {
  readonly verb: 'run' | 'submit' | 'explain' | 'checkpoints check';
  /** What follows the verb. @defaultValue FILE */
  readonly words?: string;
  readonly description: string;
  /** Adds the flags that only this verb has; of those that a job may take over, the ones that it has not taken. */
  addFlags(command: Command, isTaken: (flag: 'format') => boolean): void;
  /** How the job is had from its file. @defaultValue loadJob */
  readonly load?: typeof loadJob;
}

/** A command line that has been understood, with the job it is about. */
export interface JobRequest extends RunOptions {
  readonly shuffle: Shuffle;
  readonly isAdaptive: boolean;
  readonly isJson: boolean;
  /** Of `explain`: whether to show what operators run as. */
  readonly showsCode: boolean;
  /** Whether state of what the job has no more may be left out. */
  readonly allowsDropped: boolean;
  /** How barriers of its checkpoints go. @defaultValue aligned */
  readonly checkpointMode?: CheckpointMode;
  /** All flags of the engine, as they were given. */
  readonly engine: ParsedFlags['engine'];
}

const helpFlags = ['--help', '-h'];
const flagsHeading = 'Flags of the engine:';
const paramsHeading = 'Parameters of the job:';

/** Reads the arguments after the verb; null when help was asked for and has been printed. */
export async function readJobCommand(
  env: CliEnv,
  args: readonly string[],
  options: JobCommandOptions,
): Promise<JobRequest | null> {
  const isHelp = args.some((arg) => helpFlags.includes(arg));
  const { file, flags } = splitJobFile(args.filter((arg) => !helpFlags.includes(arg)));
  if (file === null) {
    if (!isHelp) throw missingFileError(options.verb);
    env.stdout.write(commandFor(env, options.words ?? 'FILE', options).helpInformation());
    return null;
  }
  const { job, path } = await (options.load ?? loadJob)(file, env.workingFolder);
  const command = commandFor(env, file, options, job);
  if (isHelp) {
    env.stdout.write(command.helpInformation());
    return null;
  }
  return requestOf(
    env,
    { job, file, path, verb: options.verb },
    parseFlags(command, job.params, flags),
  );
}

interface Subject {
  readonly job: JobDefinition;
  readonly file: string;
  readonly path: string;
  readonly verb: JobCommandOptions['verb'];
}

async function requestOf(
  env: CliEnv,
  { job, file, path, verb }: Subject,
  { raw, engine }: ParsedFlags,
): Promise<JobRequest> {
  const isStarted = verb === 'run' || verb === 'submit';
  const given = isStarted ? raw : { ...placeholdersOf(job), ...raw };
  const values = paramValuesOf(job.params, given, { file, verb });
  const params = verb === 'submit' ? withWholePaths(job.params, values, env.workingFolder) : values;
  const { parallelism: parallelismText, memory, spillDir } = engine;
  const parallelism =
    typeof parallelismText === 'string' ? parseParallelism(parallelismText) : env.process.cores;
  const memoryText = typeof memory === 'string' ? memory : undefined;
  const shuffle = parseShuffle(engine.shuffle);
  const partitions = parsePartitions(engine.partitions, shuffle);
  const flags = {
    ...runFlagsOf(engine),
    ...(verb === 'submit' && { folder: env.workingFolder }),
  };
  const mode = parseMode(engine.executionMode);
  const latencyIntervalMs = parseLatencyInterval(engine.latencyInterval);
  const place = verb === 'submit' ? 'cluster' : 'machine';
  const { workingFolder } = env;
  const checkpoints = isStarted ? checkpointRequestOf(engine, { workingFolder, place }) : null;
  const checkpointMode = parseCheckpointMode(engine.checkpointMode);
  const { buildJob } = await import('../engine/api/build-job.ts');
  const { graph, feeds } = buildJob(job, params, flags);
  return {
    jobFile: path,
    params,
    flags,
    parallelism,
    shuffle,
    ...(partitions !== null && { partitions }),
    isAdaptive: parseAdaptive(engine.adaptive),
    ...(mode !== null && { mode }),
    ...(latencyIntervalMs !== undefined && { latencyIntervalMs }),
    ...(checkpoints !== null && { checkpoints }),
    ...(checkpointMode !== undefined && { checkpointMode }),
    speculates: engine.speculation !== false,
    // Of a cluster's slots nothing is known here.
    memoryBytes: verb === 'submit' ? 0 : memoryBytesOf(memoryText, parallelism, env),
    ...(typeof spillDir === 'string' && { spillDir: resolve(env.workingFolder, spillDir) }),
    isJson: engine.json === true,
    showsCode: engine.code === true,
    allowsDropped: engine.allowNonRestoredState === true,
    graph,
    program: { feeds },
    engine,
  };
}

/** Workers don't know the folder that paths are seen from here. */
function withWholePaths(
  specs: ParamSpecs,
  values: Readonly<Record<string, unknown>>,
  workingFolder: string,
): Record<string, unknown> {
  const wholeOf = ([name, value]: [string, unknown]) => {
    const isPath = specs[name]?.type === 'path' && typeof value === 'string';
    return [name, isPath ? wholePathOf(workingFolder, value) : value];
  };
  return Object.fromEntries(Object.entries(values).map(wholeOf));
}

/** As it is seen from the folder; a slash at its end says that it is a folder itself, and stays. */
export function wholePathOf(folder: string, path: string): string {
  if (hasScheme(path)) return path;
  const whole = resolve(folder, path);
  return path.endsWith('/') && whole !== '/' ? `${whole}/` : whole;
}

/** `s3://bucket/key` is the same everywhere. */
function hasScheme(path: string): boolean {
  return /^[a-z][a-z0-9+.-]+:\/\//i.test(path);
}

/** A plan can be shown without knowing where the output goes: `<output>` stands for it. */
function placeholdersOf({ params }: JobDefinition): Record<string, string> {
  const isText = (name: string) => params[name]?.type === 'path' || params[name]?.type === 'utf8';
  const texts = requiredOf(params).filter((name) => isText(name) && !params[name]?.choices);
  return Object.fromEntries(texts.map((name) => [name, `<${name}>`]));
}

function orText(names: readonly string[]): string {
  return `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
}

function runFlagsOf({
  overwrite,
  format,
  rate: rateText,
}: Readonly<Record<string, unknown>>): RunFlags {
  const rate = parseRate(rateText);
  if (format !== undefined && !sinkFormatNames.includes(String(format))) {
    throw typedError('FLAG_VALUE', `--format: "${format}" is not ${orText(sinkFormatNames)}`, {
      hint: 'Write --format csv, for example; without it the name of the output decides.',
    });
  }
  return {
    overwrite: overwrite === true,
    ...(format !== undefined && { format: String(format) }),
    ...(rate !== undefined && { rate }),
  };
}

/** The command with the flags of engine and job: for parsing them and for `--help`. */
function commandFor(
  env: CliEnv,
  file: string,
  { verb, description, addFlags }: JobCommandOptions,
  job?: JobDefinition,
): Command {
  const command = new Command(`millrace ${verb} ${file}`)
    .usage('[flags]')
    .description(job === undefined ? description : `${description}\n\nJob "${job.name}"`)
    .helpOption('-h, --help', 'show this')
    .configureHelp({ helpWidth: env.stdout.columns });
  if (job !== undefined) addParamOptions(command, job.params, paramsHeading);
  command.optionsGroup(flagsHeading);
  const slots = verb === 'submit' ? 'as many as the largest worker has' : env.process.cores;
  command.option('--parallelism <count>', `slot threads to use (default ${slots})`);
  command.option('--shuffle <where>', 'rows between tasks: in memory, or on disk (default memory)');
  command.option('--partitions <count>', 'tasks of a stage on disk (default as many as slots)');
  command.option('--adaptive <on|off>', 'change the plan by sizes while the job runs (default on)');
  command.option('--execution-mode <mode>', 'batch or streaming, whatever the job says');
  command.option(
    '--latency-interval <ms>',
    'between latency marks of a stream; 0 for none (default 50)',
  );
  command.option('--rate <number>', 'rows per second that each source gives out');
  addFlags(command, (flag) => job?.params[flag] !== undefined);
  const example = job === undefined ? '--input data.txt' : exampleFlagsOf(job.params);
  const shownFile = job === undefined ? 'job.ts' : file;
  const where = verb === 'submit' ? '--cluster 127.0.0.1:7070' : '';
  const exampleText = `millrace ${verb} ${shownFile} ${example} ${where}`.trimEnd();
  // addHelpText is printed by outputHelp only, so the example is a part of the help itself.
  const { helpInformation } = command;
  command.helpInformation = (context) =>
    `${helpInformation.call(command, context)}\nExample:\n  ${exampleText}\n`;
  return command;
}

/** Engine flags that take a value: the word after one of them is not the job file. */
const valuedFlags: readonly string[] = [
  ...['--parallelism', '--partitions', '--memory', '--spill-dir', '--format'],
  ...checkpointFlags,
  ...['--shuffle', '--adaptive', '--execution-mode', '--rate', '--latency-interval'],
  ...['--cluster', '--priority', '--namespace'],
];

/** The first word that is neither a flag nor an engine flag's value is the job file. */
function splitJobFile(args: readonly string[]): { file: string | null; flags: string[] } {
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] ?? '';
    if (valuedFlags.includes(arg)) index++;
    else if (!arg.startsWith('-')) {
      return { file: arg, flags: [...args.slice(0, index), ...args.slice(index + 1)] };
    }
  }
  return { file: null, flags: [...args] };
}

function missingFileError(verb: string) {
  return typedError('ARGUMENT_MISSING', `"millrace ${verb}" needs a job file`, {
    hint: `For example: millrace ${verb} job.ts --input data.txt. The file comes before the job's own flags.`,
  });
}
