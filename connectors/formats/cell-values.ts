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
import type { FieldType } from '../../engine/schema/field-type.ts';
import { typeText } from '../../engine/schema/field-type.ts';
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

/** The value of JSON text, which is JSON, for a column. */
export function jsonCellValue(type: FieldType, text: string): unknown {
  return columnValue(type, parseJson(text), text);
}

/** The value of a field of CSV, which is not null. */
export function csvCellValue(type: FieldType, field: string): unknown {
  if (type.kind === 'utf8') return field;
  if (type.kind === 'list' || type.kind === 'struct') return nestedCsvValue(type, field);
  const text = field.trim();
  switch (type.kind) {
    case 'bool':
      return boolOf(text) ?? bad(type, field);
    case 'float32':
    case 'float64':
      return /^(NaN|[+-]?Infinity)$/.test(text) ? Number(text) : floatOf(type, text);
    case 'binary':
    case 'date':
      return columnValue(type, text, field);
    case 'timestamp':
      return isNumber(text) ? wholeOf(type, text) : columnValue(type, text, field);
    default:
      return isNumber(text) ? columnValue(type, new NumberText(text), field) : bad(type, field);
  }
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
    case 'bool':
      return typeof value === 'boolean' ? value : bad(type, shown);
    case 'utf8':
      return typeof value === 'string' ? value : bad(type, shown);
    case 'float32':
    case 'float64':
      return value instanceof NumberText ? floatOf(type, value.text) : bad(type, shown);
    case 'int64':
      if (typeof value === 'string' && isNumber(value)) return wholeOf(type, value);
      return value instanceof NumberText ? wholeOf(type, value.text) : bad(type, shown);
    case 'timestamp':
      if (typeof value === 'string') return timestampOf(value, type.unit) ?? bad(type, shown);
      return value instanceof NumberText ? wholeOf(type, value.text) : bad(type, shown);
    default:
      return value instanceof NumberText ? wholeOf(type, value.text) : bad(type, shown);
  }
}

function bad(type: FieldType, shown: string): BadCell {
  return new BadCell(`has ${shortened(shown)}, which is no ${typeText(type)}`);
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
  return Number.isFinite(value)
    ? value
    : new BadCell(`has ${shortened(text)}, which does not fit ${typeText(type)}`);
}

/** A whole number in any form: as a number where it is safe, else as a bigint. */
function wholeOf(type: FieldType, text: string): number | bigint | BadCell {
  const value = exactWhole(text);
  const [min, max] = ranges[type.kind] ?? [0n, 0n];
  if (value === null) return bad(type, text);
  if (value < min || value > max) {
    return new BadCell(`has ${shortened(text)}, which does not fit ${typeText(type)}`);
  }
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
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?(Z|[+-]\d\d:?\d\d)?$/;

/** ISO 8601 in a unit since 1970; null where it is none, or finer than the unit. */
function timestampOf(text: string, unit: 'ms' | 'us'): number | bigint | null {
  const match = timestampForm.exec(text);
  if (match === null) return null;
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', zone = 'Z'] =
    match;
  const time = Date.UTC(Number(year), Number(month) - 1, Number(day));
  const date = new Date(time);
  // `Date.UTC` takes years below 100 as of the last century, and lets a 31st of April be.
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  const isDay = date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day);
  const isTime = Number(hour) < 24 && Number(minute) < 60 && Number(second) < 60;
  const places = unit === 'ms' ? 3 : 6;
  const fine = fraction.replace(/0+$/, '');
  const offset = offsetMinutesOf(zone);
  if (!isDay || !isTime || fine.length > places || offset === null) return null;
  const seconds = (Number(hour) * 60 + Number(minute) - offset) * 60 + Number(second);
  const ms = date.getTime() + seconds * 1000;
  if (unit === 'ms') return ms + Number(fine.padEnd(3, '0'));
  return BigInt(ms) * 1000n + BigInt(fine.padEnd(6, '0'));
}

function offsetMinutesOf(zone: string): number | null {
  if (zone === 'Z') return 0;
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(-2))];
  if (hours > 23 || minutes > 59) return null;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes);
}
