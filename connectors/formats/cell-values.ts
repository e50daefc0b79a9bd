/**
 * Values of cells that kernels leave: the whole of what NDJSON and CSV may hold for a type, read into
 * what a column writer takes, or refused with a reason. Also the reference of the kernels.
 *
 *     whole numbers   12, -0, 1e3, 1.0: any form whose value is whole       (int64 also "12" in NDJSON)
 *     floats          any number; CSV also NaN, Infinity, -Infinity
 *     decimal         any number that fits without rounding                (also "12.50" in NDJSON)
 *     timestamp       a whole number in the column's unit, or ISO 8601 with or without offset (UTC)
 *     date            2024-02-29                    bool   true, false
 *     binary          base64                        list, struct   JSON, in CSV as text
 */
import { daysOfIsoDate } from '../../engine/schema/date-text.ts';
import { writeDecimalText } from '../../engine/schema/decimal-text.ts';
import { type FieldType, type ItemType, typeText } from '../../engine/schema/field-type.ts';
import type { Field } from '../../engine/schema/schema.ts';
import { shortened } from './record-errors.ts';

/** A value that is refused. */
export class BadCell {
  /** To be read after the column's name: `has "x", which is no int64`. */
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

/** A number as JSON wrote it: as a JavaScript number it might be another one. */
class NumberText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

const int64Min = -(2n ** 63n);
const int64Max = 2n ** 63n - 1n;
const ranges: Readonly<Record<string, readonly [bigint, bigint]>> = {
  int8: [-128n, 127n],
  int16: [-32_768n, 32_767n],
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  uint8: [0n, 255n],
  uint16: [0n, 65_535n],
  uint32: [0n, 2n ** 32n - 1n],
  int64: [int64Min, int64Max],
  timestamp: [int64Min, int64Max],
};
/** No whole number of more digits fits any type. */
const wholeDigitsMax = 40;
const dayMs = 86_400_000;

/** The value of JSON text, which is JSON, for a column. */
export function jsonCellValue(type: FieldType, text: string): unknown {
  return columnValue(type, parseJson(text), text);
}

/** The value of a field of CSV, which is not null. */
export function csvCellValue(type: FieldType, field: string): unknown {
  if (type.kind === 'utf8') return field;
  if (type.kind === 'list' || type.kind === 'struct') return nestedCsvValue(type, field);
  const text = field.trim();
  if (type.kind === 'bool') return boolOf(text) ?? bad(type, field);
  const isFloat = type.kind === 'float32' || type.kind === 'float64';
  if (isFloat && /^(NaN|[+-]?Infinity)$/.test(text)) return Number(text);
  return isNumber(text) && type.kind !== 'binary'
    ? numberValue(type, text, field)
    : textValue(type, text, field);
}

function nestedCsvValue(type: FieldType, field: string): unknown {
  try {
    return columnValue(type, parseJson(field), field);
  } catch {
    return bad(type, field);
  }
}

function parseJson(text: string): unknown {
  return JSON.parse(text, (_key, value, context?: { readonly source?: string }) =>
    typeof value === 'number' ? new NumberText(context?.source ?? String(value)) : value,
  );
}

function columnValue(type: FieldType, value: unknown, shown: string): unknown {
  switch (type.kind) {
    case 'list':
      return Array.isArray(value) ? listOf(type.item, value) : bad(type, shown);
    case 'struct':
      return isObject(value) ? structOf(type.fields, value) : bad(type, shown);
    case 'bool':
      return typeof value === 'boolean' ? value : bad(type, shown);
    default:
      if (typeof value === 'string') return textValue(type, value, shown);
      return value instanceof NumberText ? numberValue(type, value.text, shown) : bad(type, shown);
  }
}

/** What a text of JSON, or a field of CSV that is no number, is to a column. */
function textValue(type: FieldType, text: string, shown: string): unknown {
  switch (type.kind) {
    case 'utf8':
      return text;
    case 'binary':
      return bytesOf(text) ?? bad(type, shown);
    case 'date':
      return daysOfIsoDate(text) === null ? bad(type, shown) : text;
    case 'timestamp':
      return timestampOf(text, type.unit) ?? bad(type, shown);
    case 'int64':
    case 'decimal':
      return isNumber(text) ? numberValue(type, text, shown) : bad(type, shown);
    default:
      return bad(type, shown);
  }
}

function numberValue(type: FieldType, text: string, shown: string): unknown {
  switch (type.kind) {
    case 'utf8':
    case 'binary':
    case 'date':
      return bad(type, shown);
    case 'float32':
    case 'float64':
      return floatOf(type, text);
    case 'decimal':
      return writeDecimalText(text, type, new Uint32Array(4), 0) === 'ok'
        ? text
        : noFit(type, text);
    default:
      return wholeOf(type, text);
  }
}

function listOf({ type, nullable }: ItemType, items: readonly unknown[]): unknown {
  const values: unknown[] = [];
  for (const item of items) {
    const value = partValue(type, nullable, item);
    if (value instanceof BadCell) return value;
    values.push(value);
  }
  return values;
}

function structOf(fields: readonly Field[], members: Readonly<Record<string, unknown>>): unknown {
  const values: Record<string, unknown> = {};
  for (const { name, type, nullable } of fields) {
    const value = partValue(type, nullable, members[name]);
    if (value instanceof BadCell) return new BadCell(`${value.reason}, in its "${name}"`);
    values[name] = value;
  }
  return values;
}

function partValue(type: FieldType, nullable: boolean, value: unknown): unknown {
  if (value !== null && value !== undefined) return columnValue(type, value, shownPart(value));
  return nullable ? null : new BadCell('has null where none may be');
}

function shownPart(value: unknown): string {
  if (value instanceof NumberText) return value.text;
  return typeof value === 'object' ? 'a list or an object' : JSON.stringify(value);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof NumberText)
  );
}

/** The bytes of base64, with padding or without; null where it is none. */
function bytesOf(text: string): Uint8Array | null {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return null;
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return null;
  }
}

function bad(type: FieldType, shown: string): BadCell {
  return new BadCell(`has ${shortened(shown)}, which is no ${typeText(type)}`);
}

function noFit(type: FieldType, text: string): BadCell {
  return new BadCell(`has ${shortened(text)}, which does not fit ${typeText(type)}`);
}

function boolOf(text: string): boolean | null {
  return text === 'true' ? true : text === 'false' ? false : null;
}

function isNumber(text: string): boolean {
  return /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text);
}

function floatOf(type: FieldType, text: string): number | BadCell {
  if (!isNumber(text)) return bad(type, text);
  const value = type.kind === 'float32' ? Math.fround(Number(text)) : Number(text);
  return Number.isFinite(value) ? value : noFit(type, text);
}

/** A whole number in any form: as a number where it is safe, else as a bigint. */
function wholeOf(type: FieldType, text: string): number | bigint | BadCell {
  const value = exactWhole(text);
  const [min, max] = ranges[type.kind] ?? [0n, 0n];
  if (value === null) return bad(type, text);
  if (value < min || value > max) return noFit(type, text);
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** The value of a number's text where it is whole: `1e3` is 1000, `1.50e1` is 15. */
function exactWhole(text: string): bigint | null {
  const match = /^([+-]?)(\d*)\.?(\d*)(?:[eE]([+-]?\d+))?$/.exec(text);
  if (match === null) return null;
  const [, sign = '', whole = '', fraction = '', exponentText = '0'] = match;
  const kept = fraction.replace(/0+$/, '');
  const digits = `${whole}${kept}`.replace(/^0+/, '');
  if (digits === '') return 0n;
  const exponent = Number(exponentText) - kept.length;
  const zeros = /0*$/.exec(digits)?.[0].length ?? 0;
  if (exponent < -zeros || digits.length + exponent > wholeDigitsMax) return null;
  const significant = exponent < 0 ? digits.slice(0, exponent) : digits;
  const magnitude = BigInt(significant) * 10n ** BigInt(Math.max(exponent, 0));
  return sign === '-' ? -magnitude : magnitude;
}

const timestampForm =
  /^(\d{4}-\d\d-\d\d|[+-]\d{6}-\d\d-\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?(Z|[+-]\d\d:?\d\d)?$/;

/** ISO 8601 in a unit since 1970; null where it is none, or finer than the unit. */
function timestampOf(text: string, unit: 'ms' | 'us'): number | bigint | null {
  const match = timestampForm.exec(text);
  if (match === null) return null;
  const [, date = '', hour = '0', minute = '0', second = '0', fraction = '', zone = 'Z'] = match;
  const days = daysOfIsoDate(date);
  const offset = offsetMinutesOf(zone);
  const isTime = Number(hour) < 24 && Number(minute) < 60 && Number(second) < 60;
  const places = unit === 'ms' ? 3 : 6;
  const fine = fraction.replace(/0+$/, '');
  if (days === null || offset === null || !isTime || fine.length > places) return null;
  const minutes = Number(hour) * 60 + Number(minute) - offset;
  const ms = days * dayMs + (minutes * 60 + Number(second)) * 1000;
  if (unit === 'ms') return ms + Number(fine.padEnd(3, '0'));
  return BigInt(ms) * 1000n + BigInt(fine.padEnd(6, '0'));
}

function offsetMinutesOf(zone: string): number | null {
  if (zone === 'Z') return 0;
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(-2))];
  if (hours > 23 || minutes > 59) return null;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes);
}
