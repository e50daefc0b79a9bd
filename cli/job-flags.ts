/**
 * Job parameters as flags: `params: { invalidUtf8: t.utf8() }` becomes `--invalid-utf8 TEXT`, which
 * may also be written as the parameter is, `--invalidUtf8`, and with `=` before the value.
 *
 * Flags are checked by name first, values are taken by commander, and each value becomes what the
 * parameter's type says. A mistake names the flag, what was expected and an example.
 */
import { type Command, Option } from 'commander';
import { typedError } from '../base/typed-error.ts';
import type { ParamSpec } from '../engine/api/index.ts';
import { laterFlags } from './engine-flags.ts';
import { nearestName } from './nearest-name.ts';

export interface ParsedFlags {
  /** Job parameters that were given or have a default, by name, typed. */
  readonly params: Readonly<Record<string, unknown>>;
  /** Names of parameters that are required and were not given. */
  readonly missing: readonly string[];
  /** Flags of the engine by attribute name, as commander gives them. */
  readonly engine: Readonly<Record<string, unknown>>;
}

export type ParamSpecs = Readonly<Record<string, ParamSpec>>;

/** `invalidUtf8` → `invalid-utf8`. */
export function flagNameOf(paramName: string): string {
  return paramName.replace(/([a-z0-9])([A-Z])/g, '$1-$2').toLowerCase();
}

/** Adds the flags of the job's parameters to the command, for parsing and for its help. */
export function addParamOptions(command: Command, specs: ParamSpecs, heading: string): void {
  for (const [name, spec] of Object.entries(specs)) {
    const flag = flagNameOf(name);
    if (spec.type === 'bool') {
      const description = describe(spec);
      command.addOption(new Option(`--${flag}`, description).helpGroup(heading));
      command.addOption(
        new Option(`--no-${flag}`, `not --${flag}`).hideHelp(spec.default !== true),
      );
    } else {
      const option = new Option(`--${flag} <${spec.type}>`, describe(spec));
      command.addOption(option.helpGroup(heading));
    }
  }
}

/**
 * Reads the flags of a command line, all but the command and the job file.
 *
 * @throws FLAG_NOT_FOUND, FLAG_NOT_AVAILABLE, FLAG_VALUE, ARGUMENT_NOT_EXPECTED.
 */
export function parseFlags(
  command: Command,
  specs: ParamSpecs,
  args: readonly string[],
): ParsedFlags {
  const normalised = normaliseFlags(command, specs, args);
  const values = takeValues(command, normalised);
  const params: Record<string, unknown> = {};
  const missing: string[] = [];
  const engine = { ...values };
  for (const [name, spec] of Object.entries(specs)) {
    const attribute = new Option(`--${flagNameOf(name)}`).attributeName();
    const given = values[attribute];
    delete engine[attribute];
    if (given !== undefined) params[name] = paramValueOf(name, spec, given);
    else if (spec.default !== undefined) params[name] = spec.default;
    else if (!spec.isOptional) missing.push(name);
  }
  return { params, missing, engine };
}

/** Says which required parameter was not given, with its type and an example. */
export function missingParamError(name: string, specs: ParamSpecs, jobFile: string) {
  const spec = specs[name];
  const flag = flagNameOf(name);
  const what = spec?.description === undefined ? '' : ` (${spec.description})`;
  const type = spec?.type ?? 'utf8';
  return typedError('FLAG_MISSING', `the job needs --${flag} <${type}>${what}`, {
    hint: `For example: millrace run ${jobFile} ${exampleFlagsOf(specs)}`,
  });
}

/** A command line's flags that would do: an example for every required parameter. */
export function exampleFlagsOf(specs: ParamSpecs): string {
  const required = Object.entries(specs).filter(
    ([, spec]) => spec.default === undefined && !spec.isOptional,
  );
  return required
    .map(([name, spec]) => `--${flagNameOf(name)}${exampleValueOf(name, spec)}`)
    .join(' ');
}

function exampleValueOf(name: string, spec: ParamSpec): string {
  switch (spec.type) {
    case 'bool':
      return '';
    case 'path':
      return name.toLowerCase().includes('out') ? ' result.csv' : ' data.txt';
    case 'utf8':
      return ` ${spec.choices?.[0] ?? 'text'}`;
    case 'float64':
      return ' 0.5';
    default:
      return ' 10';
  }
}

function describe({
  description = '',
  choices,
  isOptional,
  default: value,
  type,
}: ParamSpec): string {
  const notes: string[] = [];
  if (choices !== undefined) notes.push(`one of ${choices.join(', ')}`);
  if (value !== undefined) notes.push(`default ${JSON.stringify(value)}`);
  else if (!isOptional && type !== 'bool') notes.push('required');
  const note = notes.length === 0 ? '' : `(${notes.join('; ')})`;
  return [description, note].filter((part) => part !== '').join(' ');
}

/** Writes every flag as commander knows it, and refuses those that nobody knows. */
function normaliseFlags(
  command: Command,
  specs: ParamSpecs,
  args: readonly string[],
): readonly string[] {
  const byWrittenName = new Map<string, string>();
  const valued = new Set<string>();
  for (const option of command.options) {
    const flag = (option.long ?? '').slice(2);
    byWrittenName.set(flag, flag);
    if (option.required) valued.add(flag);
  }
  for (const name of Object.keys(specs)) {
    byWrittenName.set(name, flagNameOf(name));
    if (specs[name]?.type === 'bool') byWrittenName.set(`no-${name}`, `no-${flagNameOf(name)}`);
  }
  const normalised: string[] = [];
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] ?? '';
    const [written = '', value] = splitFlag(arg);
    if (!arg.startsWith('--') || arg === '--') throw argumentError(arg);
    const flag = byWrittenName.get(written) ?? refuseFlag(written, [...byWrittenName.values()]);
    if (!valued.has(flag)) normalised.push(switchOf(flag, value));
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
  throw valueError(flag, value, 'true or false');
}

function argumentError(arg: string) {
  return typedError('ARGUMENT_NOT_EXPECTED', `argument "${arg}" is not expected`, {
    hint: 'After the job file come flags, each with its value: --name value. Quote a value with spaces.',
  });
}

function refuseFlag(written: string, flags: readonly string[]): never {
  if ((laterFlags as readonly string[]).includes(written)) {
    throw typedError('FLAG_NOT_AVAILABLE', `--${written} is not available in this version`, {
      hint: 'The name is reserved for a later version. Leave it out.',
    });
  }
  const nearest = nearestName(written, flags);
  const names = [...new Set(flags)].filter((flag) => flag !== 'help' && !flag.startsWith('no-'));
  const meant = nearest === null ? '' : `Did you mean --${nearest}? `;
  throw typedError('FLAG_NOT_FOUND', `there is no flag --${written}`, {
    hint: `${meant}Flags are ${names.map((name) => `--${name}`).join(', ')}.`,
  });
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

function paramValueOf(name: string, spec: ParamSpec, given: unknown): unknown {
  if (typeof given === 'boolean') return given;
  const text = String(given);
  if (spec.choices !== undefined && !spec.choices.includes(text)) {
    const nearest = nearestName(text, spec.choices);
    const meant = nearest === null ? '' : `; did you mean "${nearest}"?`;
    throw valueError(name, text, `one of ${spec.choices.join(', ')}${meant}`);
  }
  switch (spec.type) {
    case 'int32':
      return integerOf(name, text, -(2 ** 31), 2 ** 31 - 1);
    case 'int64':
      return integerOf(name, text, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
    case 'float64':
      return numberOf(name, text);
    default:
      if (text === '') throw valueError(name, text, 'a text that is not empty');
      return text;
  }
}

function integerOf(name: string, text: string, min: number, max: number): number {
  const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw valueError(name, text, `a whole number from ${min} to ${max}`);
}

function numberOf(name: string, text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (Number.isFinite(value)) return value;
  throw valueError(name, text, 'a number');
}

function valueError(name: string, text: string, expected: string) {
  return typedError('FLAG_VALUE', `--${flagNameOf(name)}: "${text}" is not ${expected}`, {
    hint: 'Flags are explained by --help.',
    details: { param: name },
  });
}
