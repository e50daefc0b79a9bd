/**
 * Casts: which types go into which, and how values do. A value that does not fit is refused, never
 * changed to another, but for what the types can't hold: fractions are cut off towards zero when a
 * float or a decimal becomes an integer, decimals are rounded to their scale, and timestamps lose
 * what is below their unit or the day (downwards, so that their order stays).
 *
 *     numbers ↔ numbers     bool ↔ integers (false 0, true 1)     anything but nested → utf8
 *     utf8 → anything but nested, if the whole text is one of its values
 *     date ↔ timestamp (midnight UTC)     timestamp ↔ int64 (its unit)     date ↔ int32 (days)
 *     utf8 ↔ binary (its UTF-8 bytes)
 */
import type { FieldType } from '../schema/field-type.ts';
import { isFloat, isInteger, isNumeric } from './arithmetic-type.ts';
import { type Cast, valueFromText, valueToText } from './cast-text.ts';
import { joinTime, splitTime } from './date-text.ts';
import { decimalOfNumber, fitsPrecision, powerOfTen, rescaled } from './decimal.ts';
import { isInRange } from './integer-range.ts';
import type { Value } from './value.ts';
import { widenerOf } from './widen.ts';

/** How values of one type become values of another; null when they never do. */
export function castOf(from: FieldType, to: FieldType): Cast | null {
  if (to.kind === 'utf8' && from.kind !== 'utf8') return valueToText(from);
  if (from.kind === 'utf8' && to.kind !== 'utf8') return valueFromText(to);
  if (isNumeric(from) && isNumeric(to)) return numberCast(from, to);
  if (from.kind === 'bool' && isInteger(to)) {
    return to.kind === 'int64' ? (value) => BigInt(value === true ? 1 : 0) : Number;
  }
  if (isInteger(from) && to.kind === 'bool') return boolOf;
  return timeCast(from, to) ?? (from.kind === to.kind ? identity(from, to) : null);
}

function identity(from: FieldType, to: FieldType): Cast | null {
  const isNested = from.kind === 'list' || from.kind === 'struct';
  return isNested || from.kind !== to.kind ? null : (value) => value;
}

function boolOf(value: Value): boolean | undefined {
  const number = Number(value);
  return number === 0 || number === 1 ? number === 1 : undefined;
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
