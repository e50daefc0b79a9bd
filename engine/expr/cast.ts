/**
 * Casts: which types go into which, and how values do. A value that does not fit is refused, never
 * changed to another, but for what the types can't hold: fractions are cut off towards zero when a
 * float or a decimal becomes an integer, decimals are rounded to their scale, and timestamps lose
 * what is below their unit or the day (downwards, so that their order stays).
 *
 *     numbers ↔ numbers     bool ↔ numbers (false 0, true 1)     anything but nested → utf8
 *     utf8 → anything but nested, if the whole text is one of its values
 *     date ↔ timestamp (midnight UTC)     timestamp ↔ int64 (its unit)     date ↔ int32 (days)
 *     utf8 ↔ binary (its UTF-8 bytes)     lists item by item, structs field by field, in their order
 */
import { type Field, type FieldType, type ItemType, int32Type } from '../schema/field-type.ts';
import { isFloat, isNumeric } from './arithmetic-type.ts';
import { type Cast, valueFromText, valueToText } from './cast-text.ts';
import { joinTime, splitTime } from './date-text.ts';
import { decimalOfNumber, fitsPrecision, powerOfTen, rescaled } from './decimal.ts';
import { isInRange } from './integer-range.ts';
import { partOfValue, partValue } from './nested-values.ts';
import { widenerOf } from './widen.ts';

/** How values of one type become values of another; null when they never do. */
export function castOf(from: FieldType, to: FieldType): Cast | null {
  if (to.kind === 'utf8' && from.kind !== 'utf8') return valueToText(from);
  if (from.kind === 'utf8' && to.kind !== 'utf8') return valueFromText(to);
  if (isNumeric(from) && isNumeric(to)) return numberCast(from, to);
  if (from.kind === 'bool' && isNumeric(to)) {
    const convert = numberCast(int32Type, to);
    return (value) => convert(value === true ? 1 : 0);
  }
  if (isNumeric(from) && to.kind === 'bool') return boolCast(from);
  if (from.kind === 'list' && to.kind === 'list') return listCast(from.item, to.item);
  if (from.kind === 'struct' && to.kind === 'struct') return structCast(from.fields, to.fields);
  return timeCast(from, to) ?? (from.kind === to.kind ? (value) => value : null);
}

function boolCast(from: FieldType): Cast {
  const one = from.kind === 'decimal' ? powerOfTen(from.scale) : 1n;
  return (value) => {
    const isOne = typeof value === 'bigint' ? value === one : value === 1;
    const isZero = typeof value === 'bigint' ? value === 0n : value === 0;
    return isOne || isZero ? isOne : undefined;
  };
}

function listCast(from: ItemType, to: ItemType): Cast | null {
  const convert = partCast(from, to);
  if (convert === null) return null;
  return (value) => {
    const items = (value as readonly unknown[]).map(convert);
    return items.includes(undefined) ? undefined : items;
  };
}

/** Fields by their places: those of the result have its names. */
function structCast(from: readonly Field[], to: readonly Field[]): Cast | null {
  const converts = to.map((field, index) => {
    const source = from[index];
    const convert = source === undefined ? null : partCast(source, field);
    return source === undefined || convert === null ? null : { source, field, convert };
  });
  if (from.length !== to.length || converts.includes(null)) return null;
  const all = converts.filter((one) => one !== null);
  return (value) => {
    const struct = value as Readonly<Record<string, unknown>>;
    const fields = all.map(({ source, field, convert }) => [
      field.name,
      convert(struct[source.name]),
    ]);
    return fields.some(([, part]) => part === undefined) ? undefined : Object.fromEntries(fields);
  };
}

/** An item or a field; a null goes into what may be null only. */
function partCast(from: ItemType, to: ItemType): ((part: unknown) => unknown) | null {
  const convert = castOf(from.type, to.type);
  if (convert === null) return null;
  return (part) => {
    if (part === null) return to.nullable ? null : undefined;
    const value = convert(partValue(part, from.type));
    return value === undefined ? undefined : partOfValue(value, to.type);
  };
}

function numberCast(from: FieldType, to: FieldType): Cast {
  if (to.kind === 'float32') {
    const widen = widenerOf(from, { kind: 'float64' });
    return (value) => Math.fround(widen(value) as number);
  }
  if (to.kind === 'float64') return widenerOf(from, to);
  if (to.kind === 'decimal') return decimalCast(from, to);
  if (isFloat(from)) {
    return (value) => {
      const whole = Math.trunc(value as number);
      // -0 becomes 0.
      return isInRange(whole, to) ? integerOf(whole + 0, to) : undefined;
    };
  }
  const divisor = powerOfTen(from.kind === 'decimal' ? from.scale : 0);
  return (value) => {
    const whole = BigInt(value as number | bigint) / divisor;
    return isInRange(whole, to) ? integerOf(whole, to) : undefined;
  };
}

function decimalCast(from: FieldType, to: FieldType & { kind: 'decimal' }): Cast {
  const { scale, precision } = to;
  const fitting = (value: bigint | null) =>
    value !== null && fitsPrecision(value, precision) ? value : undefined;
  if (isFloat(from)) return (value) => fitting(decimalOfNumber(value as number, scale));
  const fromScale = from.kind === 'decimal' ? from.scale : 0;
  return (value) => fitting(rescaled(BigInt(value as number | bigint), fromScale, scale));
}

function integerOf(value: number | bigint, type: FieldType): number | bigint {
  return type.kind === 'int64' ? BigInt(value) : Number(value);
}

/** Among dates, timestamps and the integers that count their days and units; null for others. */
function timeCast(from: FieldType, to: FieldType): Cast | null {
  if (from.kind === 'date') {
    if (to.kind === 'int32') return (value) => value;
    if (to.kind !== 'timestamp') return null;
    return (value) => int64(joinTime(value as number, 0, to.unit));
  }
  if (from.kind === 'timestamp') {
    if (to.kind === 'int64') return (value) => value;
    if (to.kind === 'date') {
      return (value) => int32(splitTime(value as bigint, from.unit).days);
    }
    return to.kind === 'timestamp' ? unitCast(from.unit, to.unit) : null;
  }
  if (from.kind === 'int32' && to.kind === 'date') return (value) => value;
  return from.kind === 'int64' && to.kind === 'timestamp' ? (value) => value : null;
}

function unitCast(from: 'ms' | 'us', to: 'ms' | 'us'): Cast {
  if (from === to) return (value) => value;
  if (to === 'us') return (value) => int64((value as bigint) * 1000n);
  return (value) => {
    const { days, ofDay } = splitTime(value as bigint, from);
    return joinTime(days, Math.floor(ofDay / 1000), to);
  };
}

function int64(value: bigint): bigint | undefined {
  return BigInt.asIntN(64, value) === value ? value : undefined;
}

function int32(value: number): number | undefined {
  return (value | 0) === value ? value : undefined;
}
