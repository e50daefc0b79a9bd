/**
 * Values as texts and back, for casts. Whatever a value is written as is read as the same value;
 * beyond that, integers may have a plus sign, floats and decimals an exponent, bools any case.
 * There is no white space around: `trim()` takes it off.
 */
import { daysOfIsoDate, isoDateOfDays } from '../schema/date-text.ts';
import type { FieldType } from '../schema/field-type.ts';
import { isInteger } from './arithmetic-type.ts';
import { parseTimestamp, timestampText } from './date-text.ts';
import { decimalText, fitsPrecision, parseDecimal, rescaled } from './decimal.ts';
import { isInRange } from './integer-range.ts';
import type { Value } from './value.ts';

/** Casts a value that is not null; undefined where it can't be. */
export type Cast = (value: Value) => Value | undefined;

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** How values of a type are written; null for lists and structs. */
export function valueToText(from: FieldType): Cast | null {
  switch (from.kind) {
    case 'date':
      return (value) => isoDateOfDays(value as number);
    case 'timestamp':
      return (value) => timestampText(value as bigint, from.unit);
    case 'decimal':
      return (value) => decimalText(value as bigint, from.scale);
    case 'binary':
      return utf8Of;
    case 'list':
    case 'struct':
      return null;
    default:
      return (value) => (typeof value === 'number' ? floatText(value) : String(value));
  }
}

/** A number as JavaScript writes it, but for -0, which stays. */
export function floatText(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

/** How values of a type are read from a text; null for lists and structs. */
export function valueFromText(to: FieldType): Cast | null {
  if (isInteger(to)) return (value) => integerIn(value as string, to);
  switch (to.kind) {
    case 'float32':
    case 'float64': {
      const round = to.kind === 'float32' ? Math.fround : (value: number) => value;
      return (value) => {
        const number = floatIn(value as string);
        return number === undefined ? undefined : round(number);
      };
    }
    case 'decimal':
      return (value) => {
        const parsed = parseDecimal(value as string);
        if (parsed === null) return undefined;
        const unscaled = rescaled(parsed.unscaled, parsed.scale, to.scale);
        return fitsPrecision(unscaled, to.precision) ? unscaled : undefined;
      };
    case 'bool':
      return (value) => bools[(value as string).toLowerCase()];
    case 'date':
      return (value) => daysOfIsoDate(value as string) ?? undefined;
    case 'timestamp':
      return (value) => int64(parseTimestamp(value as string, to.unit));
    case 'binary':
      return (value) => encoder.encode(value as string);
    default:
      return null;
  }
}

const bools: Readonly<Record<string, boolean>> = { true: true, false: false };

function integerIn(text: string, type: FieldType): Value | undefined {
  if (!/^[+-]?\d{1,40}$/.test(text)) return undefined;
  const value = BigInt(text.startsWith('+') ? text.slice(1) : text);
  if (!isInRange(value, type)) return undefined;
  return type.kind === 'int64' ? value : Number(value);
}

function floatIn(text: string): number | undefined {
  const isNumber = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text);
  return isNumber || /^(?:NaN|[+-]?Infinity)$/.test(text) ? Number(text) : undefined;
}

function utf8Of(value: Value): string | undefined {
  try {
    return decoder.decode(value as Uint8Array);
  } catch {
    // Not UTF-8: the caller says so.
    return undefined;
  }
}

function int64(value: bigint | null): bigint | undefined {
  return value !== null && BigInt.asIntN(64, value) === value ? value : undefined;
}
