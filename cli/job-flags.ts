/**
 * Job parameters as flags: `params: { invalidUtf8: t.utf8() }` becomes `--invalid-utf8 TEXT`, which
 * may also be written as the parameter is, `--invalidUtf8`, and with `=` before the value.
 *
 * Flags are checked by name first, commander takes their values, and the engine's own reader makes
 * typed values of them. A mistake names the flag that was probably meant.
 *
 * Before: cli/job-command.ts. After: engine/api/param-values.ts.
 */
import { type Command, Option } from 'commander';
import { nearestName } from '../base/nearest-name.ts';
import { type TypedError, typedError } from '../base/typed-error.ts';
import { flagNameOf, type ParamSpec, type ParamSpecs, reservedFlags } from '../engine/api/param.ts';
import { parseParams, placeholderOf } from '../engine/api/param-values.ts';

export interface ParsedFlags {
  /** Texts, or true and false, by parameter name; only what was given. */
  readonly raw: Readonly<Record<string, string | boolean>>;
  /** Flags of the engine by attribute name, as commander gives them. */
  readonly engine: Readonly<Record<string, unknown>>;
}

/** Adds the flags of the job's parameters to the command, for parsing and for its help. */
export function addParamOptions(command: Command, specs: ParamSpecs, heading: string): void {
  for (const [name, spec] of Object.entries(specs)) {
    const flag = flagNameOf(name);
    const value = spec.type === 'bool' ? '' : ` <${placeholderOf(spec)}>`;
    command.addOption(new Option(`--${flag}${value}`, describe(spec)).helpGroup(heading));
    if (spec.type !== 'bool') continue;
    const opposite = new Option(`--no-${flag}`, `the opposite of --${flag}`).helpGroup(heading);
    // Shown where it is the one of the two that changes something.
    command.addOption(opposite.hideHelp(spec.default !== true));
  }
}

/**
 * Reads the flags of a command line: all but the command and the job file.
 *
 * @throws FLAG_NOT_FOUND, FLAG_NOT_AVAILABLE, FLAG_VALUE, ARGUMENT_NOT_EXPECTED
 */
export function parseFlags(
  command: Command,
  specs: ParamSpecs,
  args: readonly string[],
): ParsedFlags {
  const values = takeValues(command, normaliseFlags(command, specs, args));
  const raw: Record<string, string | boolean> = {};
  const engine = { ...values };
  for (const name of Object.keys(specs)) {
    const attribute = new Option(`--${flagNameOf(name)}`).attributeName();
    const given = values[attribute];
    delete engine[attribute];
    if (typeof given === 'string' || typeof given === 'boolean') raw[name] = given;
  }
  return { raw, engine };
}

/** The beginning of a command line. */
export interface Shown {
  readonly verb: string;
  readonly file: string;
}

/**
 * Makes typed values of what was given, and adds the defaults.
 *
 * @param shown - The verb, and the job file as the user wrote it, for the example.
 * @throws PARAM_MISSING with a command line that would do; PARAM_INVALID
 */
export function paramValuesOf(
  specs: ParamSpecs,
  raw: ParsedFlags['raw'],
  shown: Shown,
): Record<string, unknown> {
  const missing = requiredOf(specs).find((name) => raw[name] === undefined);
  if (missing !== undefined) throw missingParamError(missing, specs, shown);
  return parseParams(specs, raw);
}

/** Names of the parameters that a command line must give. */
export function requiredOf(specs: ParamSpecs): string[] {
  return Object.keys(specs).filter((name) => {
    const spec = specs[name];
    return spec !== undefined && spec.default === undefined && !spec.isOptional;
  });
}

/** Flags that would do: an example for every required parameter. */
export function exampleFlagsOf(specs: ParamSpecs): string {
  const flags = requiredOf(specs).map((name) => {
    const spec = specs[name];
    return `--${flagNameOf(name)}${spec === undefined ? '' : exampleValueOf(name, spec)}`;
  });
  return flags.join(' ');
}

function missingParamError(name: string, specs: ParamSpecs, { verb, file }: Shown): TypedError {
  const spec = specs[name];
  const what = spec?.description === undefined ? '' : ` (${spec.description})`;
  const message = `the job needs --${flagNameOf(name)} <${spec && placeholderOf(spec)}>${what}`;
  return typedError('PARAM_MISSING', message, {
    hint: `For example: millrace ${verb} ${file} ${exampleFlagsOf(specs)}`,
    details: { param: name, ...(spec && { type: spec.type }) },
  });
}

function exampleValueOf(name: string, { type, choices }: ParamSpec): string {
  if (choices?.[0] !== undefined) return ` ${choices[0]}`;
  switch (type) {
    case 'bool':
      return '';
    case 'path':
      return name.toLowerCase().includes('out') ? ' result.csv' : ' data.txt';
    case 'utf8':
      return ' text';
    case 'date':
      return ' 2026-11-26';
    case 'decimal':
      return ' 1';
    case 'float32':
    case 'float64':
      return ' 0.5';
    default:
      return ' 10';
  }
}

function describe({ description = '', isOptional, default: value, type }: ParamSpec): string {
  const isRequired = value === undefined && !isOptional && type !== 'bool';
  const note = value !== undefined ? `(default ${value})` : isRequired ? '(required)' : '';
  return [description, note].filter((part) => part !== '').join(' ');
}

/** Writes every flag as commander knows it, and refuses those that nobody knows. */
function normaliseFlags(
  command: Command,
  specs: ParamSpecs,
  args: readonly string[],
): readonly string[] {
  const options = command.options.map((option) => (option.long ?? '').slice(2));
  const flags = new Map(options.map((flag) => [flag, flag]));
  for (const name of Object.keys(specs)) {
    flags.set(name, flagNameOf(name));
    if (specs[name]?.type === 'bool') flags.set(`no-${name}`, `no-${flagNameOf(name)}`);
  }
  const takesValue = (flag: string) =>
    command.options.some((option) => option.long === `--${flag}` && option.required);
  const normalised: string[] = [];
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] ?? '';
    if (!arg.startsWith('--') || arg === '--') throw argumentError(arg);
    const [written, value] = splitFlag(arg);
    const flag = flags.get(written) ?? refuseFlag(written, options);
    if (!takesValue(flag)) normalised.push(switchOf(flag, value));
    // Joined by `=`, a value that begins with a dash is not taken for a flag.
    else if (value !== undefined) normalised.push(`--${flag}=${value}`);
    else if (index + 1 < args.length) normalised.push(`--${flag}=${args[++index]}`);
    else normalised.push(`--${flag}`);
  }
  return normalised;
}

/** `--top=5` → `top` and `5`; `--top` → `top`. */
function splitFlag(arg: string): [string, string | undefined] {
  const equals = arg.indexOf('=');
  return equals === -1 ? [arg.slice(2), undefined] : [arg.slice(2, equals), arg.slice(equals + 1)];
}

/** A flag without a value; `--flag=true` and `--flag=false` are understood. */
function switchOf(flag: string, value: string | undefined): string {
  if (value === undefined || value === 'true') return `--${flag}`;
  if (value === 'false') return `--no-${flag}`;
  throw typedError('FLAG_VALUE', `--${flag}: "${value}" is not true or false`, {
    hint: `Write --${flag} alone to turn it on, or --no-${flag} to turn it off.`,
  });
}

function argumentError(arg: string): TypedError {
  return typedError('ARGUMENT_NOT_EXPECTED', `argument "${arg}" is not expected`, {
    hint: 'After the job file come flags, each with its value: --name value. Quote a value with spaces.',
  });
}

function refuseFlag(written: string, options: readonly string[]): never {
  if (reservedFlags.includes(flagNameOf(written))) {
    throw typedError('FLAG_NOT_AVAILABLE', `--${written} is not available in this version`, {
      hint: 'The name is reserved for a later version. Leave it out.',
    });
  }
  const flags = options.filter((flag) => !flag.startsWith('no-') && flag !== 'help');
  const nearest = nearestFlag(written, flags);
  const meant = nearest === null ? '' : `Did you mean --${nearest}? `;
  throw typedError('FLAG_NOT_FOUND', `there is no flag --${written}`, {
    hint: `${meant}Flags are ${flags.map((flag) => `--${flag}`).join(', ')}.`,
  });
}

/** A beginning, `--par` for `--parallelism`, says more than the letters that differ. */
function nearestFlag(written: string, flags: readonly string[]): string | null {
  const longer = flags.find((flag) => written.length >= 3 && flag.startsWith(written));
  return longer ?? nearestName(written, flags);
}

/** Lets commander take the values; its complaints become typed errors. */
function takeValues(command: Command, args: readonly string[]): Record<string, unknown> {
  command.exitOverride().configureOutput({ writeErr: () => undefined });
  try {
    return command.parse(args, { from: 'user' }).opts();
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    const message = error.message.replace(/^error: /, '').replaceAll("'", '"');
    throw typedError('FLAG_VALUE', message, { hint: 'Flags are explained by --help.' });
  }
}
