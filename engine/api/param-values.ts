/**
 * Values of parameters: texts of the command line become typed values, and typed values of a program
 * are checked; both get the defaults.
 */
import { assertNever } from '../../base/assert.ts';
import { nearestName } from '../../base/nearest-name.ts';
import { type TypedError, typedError } from '../../base/typed-error.ts';
import { flagNameOf, type ParamSpec, type ParamSpecs } from './param.ts';
import { describe } from './row.ts';

/** A text is a value that could not be read: what was expected instead. */
class Refused {
  readonly expected: string;
  constructor(expected: string) {
    this.expected = expected;
  }
}

/**
 * Reads the flags of a job.
 *
 * @param raw - By flag (`invalid-utf8`) or parameter name (`invalidUtf8`); true is a flag without
 * value, which a bool takes.
 * @returns Values by parameter name; optional ones that were not given are undefined.
 * @throws PARAM_MISSING, PARAM_UNKNOWN, PARAM_INVALID
 */
export function parseParams(
  specs: ParamSpecs,
  raw: Readonly<Record<string, string | boolean | undefined>>,
): Record<string, unknown> {
  return collect(specs, raw, parseText);
}

/** Checks the values that a program gave, by parameter name, and adds the defaults. */
export function resolveParams(
  specs: ParamSpecs,
  values: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  return collect(specs, values, checkValue);
}

function collect(
  specs: ParamSpecs,
  given: Readonly<Record<string, unknown>>,
  read: (spec: ParamSpec, value: unknown) => unknown,
): Record<string, unknown> {
  const names = new Map(Object.keys(specs).map((name) => [flagNameOf(name), name]));
  const values: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(given)) {
    const name = names.get(flagNameOf(key));
    const spec = name === undefined ? undefined : specs[name];
    if (name === undefined || spec === undefined) throw noSuchParam(key, [...names.keys()]);
    if (value === undefined) continue;
    const result = read(spec, value);
    if (result instanceof Refused) throw invalid(name, value, result.expected);
    const { choices } = spec;
    if (choices?.includes(String(result)) === false) {
      throw invalid(name, value, `one of ${choices.join(', ')}`);
    }
    values[name] = result;
  }
  for (const [name, spec] of Object.entries(specs)) values[name] ??= absentValue(name, spec);
  return values;
}

function absentValue(name: string, spec: ParamSpec): unknown {
  if (spec.default !== undefined) {
    return spec.type === 'int64' ? int64Of(spec, BigInt(spec.default)) : spec.default;
  }
  if (spec.isOptional) return undefined;
  const what = spec.description === undefined ? '' : ` (${spec.description})`;
  throw typedError('PARAM_MISSING', `parameter "${flagNameOf(name)}" has no value`, {
    hint: `Give --${flagNameOf(name)} ${placeholderOf(spec)}${what}.`,
    details: { param: name },
  });
}

/** `PATH`, `NUMBER`: how help and hints show the value of a flag. */
export function placeholderOf(spec: ParamSpec): string {
  if (spec.choices !== undefined) return spec.choices.join('|');
  switch (spec.type) {
    case 'path':
      return 'PATH';
    case 'utf8':
      return 'TEXT';
    case 'int32':
    case 'int64':
    case 'float64':
      return 'NUMBER';
    case 'bool':
      return 'true|false';
    default:
      return assertNever(spec.type);
  }
}

function parseText(spec: ParamSpec, value: unknown): unknown {
  if (spec.type === 'bool') {
    if (typeof value === 'boolean') return value;
    return value === 'true' || value === 'false' ? value === 'true' : new Refused('true or false');
  }
  if (typeof value !== 'string') return new Refused(`a value: ${placeholderOf(spec)}`);
  switch (spec.type) {
    case 'path':
    case 'utf8':
      return checkValue(spec, value);
    case 'int32':
    case 'int64':
      if (!/^[+-]?\d+$/.test(value)) return new Refused('a whole number');
      return checkValue(spec, BigInt(value.replace('+', '')));
    case 'float64':
      return value.trim() === '' ? new Refused('a number') : checkValue(spec, Number(value));
    default:
      return assertNever(spec.type);
  }
}

function checkValue(spec: ParamSpec, value: unknown): unknown {
  switch (spec.type) {
    case 'path':
      return typeof value === 'string' && value !== '' ? value : new Refused('a path');
    case 'utf8':
      return typeof value === 'string' ? value : new Refused('a text');
    case 'bool':
      return typeof value === 'boolean' ? value : new Refused('true or false');
    case 'float64':
      return Number.isFinite(value) ? value : new Refused('a number');
    case 'int32':
    case 'int64': {
      const isWhole = typeof value === 'bigint' || Number.isSafeInteger(value);
      return isWhole ? int64Of(spec, BigInt(value as bigint)) : new Refused('a whole number');
    }
    default:
      return assertNever(spec.type);
  }
}

/** The value in the form that the job reads, or what was expected of it. */
function int64Of(spec: ParamSpec, value: bigint): unknown {
  if (spec.type === 'int32') {
    const isSmall = BigInt.asIntN(32, value) === value;
    return isSmall ? Number(value) : new Refused('a whole number from -2147483648 to 2147483647');
  }
  if (BigInt.asIntN(64, value) !== value) return new Refused('a whole number of at most 64 bits');
  if (spec.js === 'bigint') return value;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : new Refused('a whole number up to 2^53 - 1');
}

function noSuchParam(key: string, flags: readonly string[]): TypedError {
  const nearest = nearestName(flagNameOf(key), flags);
  const all = flags.map((flag) => `--${flag}`).join(', ');
  const hint = flags.length === 0 ? 'The job has no parameters.' : `The job has ${all}.`;
  const meant = nearest === null ? '' : ` Did you mean --${nearest}?`;
  return typedError('PARAM_UNKNOWN', `the job has no parameter "${key}"`, {
    hint: hint + meant,
    details: { param: key },
  });
}

function invalid(name: string, value: unknown, expected: string): TypedError {
  const shown = typeof value === 'string' ? `"${value}"` : describe(value);
  const message = `parameter "${flagNameOf(name)}" can't be ${shown}`;
  return typedError('PARAM_INVALID', message, {
    hint: `Give ${expected}.`,
    details: { param: name },
  });
}
