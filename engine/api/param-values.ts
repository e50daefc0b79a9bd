/**
 * Values of parameters: texts of the command line become typed values, and typed values of a program
 * are checked; both get the defaults.
 */
import { assert } from '../../base/assert.ts';
import { nearestName } from '../../base/nearest-name.ts';
import { type TypedError, typedError } from '../../base/typed-error.ts';
import { daysOfIsoDate, daysOfMidnight, isoDateOfDays } from '../schema/date-text.ts';
import { decimalTextOf, writeDecimalText } from '../schema/decimal-text.ts';
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
  if (spec.default !== undefined) return defaultValue(name, spec, spec.default);
  if (spec.isOptional) return undefined;
  const what = spec.description === undefined ? '' : ` (${spec.description})`;
  throw typedError('PARAM_MISSING', `parameter "${flagNameOf(name)}" has no value`, {
    hint: `Give --${flagNameOf(name)} ${placeholderOf(spec)}${what}.`,
    details: { param: name },
  });
}

function defaultValue(name: string, spec: ParamSpec, given: string | number | boolean): unknown {
  const value = checkValue(spec, spec.type === 'int64' ? BigInt(given) : given);
  if (!(value instanceof Refused)) return value;
  const message = `the default of parameter "${name}" can't be ${describe(given)}`;
  throw typedError('JOB_PARAM_INVALID', message, { hint: `Give ${value.expected}.` });
}

/** `PATH`, `NUMBER`: how help and hints show the value of a flag. */
export function placeholderOf(spec: ParamSpec): string {
  if (spec.choices !== undefined) return spec.choices.join('|');
  switch (spec.type) {
    case 'path':
      return 'PATH';
    case 'utf8':
      return 'TEXT';
    case 'bool':
      return 'true|false';
    case 'date':
      return 'YYYY-MM-DD';
    default:
      return 'NUMBER';
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
    case 'date':
    case 'decimal':
      return checkValue(spec, value);
    case 'float32':
    case 'float64':
      return value.trim() === '' ? new Refused('a number') : checkValue(spec, Number(value));
    default:
      if (!/^[+-]?\d+$/.test(value)) return new Refused('a whole number');
      return checkValue(spec, BigInt(value.replace('+', '')));
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
    case 'float32':
      return Number.isFinite(Math.fround(Number(value))) && typeof value === 'number'
        ? value
        : new Refused('a number that fits 32 bits');
    case 'date':
      return dateOf(value);
    case 'decimal':
      return decimalOf(spec, value);
    default: {
      const isWhole = typeof value === 'bigint' || Number.isSafeInteger(value);
      return isWhole ? wholeOf(spec, BigInt(value as bigint)) : new Refused('a whole number');
    }
  }
}

/** The value in the form that the job reads, or what was expected of it. */
function wholeOf(spec: ParamSpec, value: bigint): unknown {
  if (spec.type !== 'int64') {
    const bits = Number(spec.type.replace(/\D+/, ''));
    const isSigned = spec.type.startsWith('int');
    const min = isSigned ? -(2 ** (bits - 1)) : 0;
    const max = isSigned ? 2 ** (bits - 1) - 1 : 2 ** bits - 1;
    const isInside = value >= min && value <= max;
    return isInside ? Number(value) : new Refused(`a whole number from ${min} to ${max}`);
  }
  if (BigInt.asIntN(64, value) !== value) return new Refused('a whole number of at most 64 bits');
  if (spec.js === 'bigint') return value;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : new Refused('a whole number up to 2^53 - 1');
}

/** The ISO text of a day. */
function dateOf(value: unknown): unknown {
  const days =
    typeof value === 'string'
      ? daysOfIsoDate(value)
      : value instanceof Date
        ? daysOfMidnight(value)
        : null;
  return days === null ? new Refused('a date like 2026-11-26') : isoDateOfDays(days);
}

/** The text of the decimal, with all digits of its scale. */
function decimalOf({ decimal }: ParamSpec, value: unknown): unknown {
  assert(decimal !== undefined, 'the spec of a decimal has its size');
  const { precision, scale } = decimal;
  const words = new Uint32Array(4);
  const isDecimal = ['string', 'number', 'bigint'].includes(typeof value);
  if (isDecimal && writeDecimalText(String(value), decimal, words, 0) === 'ok') {
    return decimalTextOf(words, 0, scale);
  }
  return new Refused(`a number of up to ${precision} digits, ${scale} of them behind the point`);
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
