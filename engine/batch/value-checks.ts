/**
 * Checks of values that a user's function gave: each answers the value in the form that is stored, or
 * throws what is wrong with it. Shared by the writers of columns and of values inside lists and structs.
 *
 *     date      an ISO text, or a Date at midnight UTC         → days since 1970
 *     decimal   an exact text, a bigint, or a number           → four words of an int128
 *               whose shortest text counts: 12.5 is 12.5
 */
import { daysOfIsoDate, daysOfMidnight } from '../schema/date-text.ts';
import { type DecimalSize, writeDecimalText } from '../schema/decimal-text.ts';
import type { Field } from '../schema/schema.ts';
import { outOfRangeError, typeMismatchError } from './value-errors.ts';

const int64Min = -(2n ** 63n);
const int64Max = 2n ** 63n - 1n;
/** From here on numbers round to infinity: half a step above the largest float32. */
const float32Bound = 2 ** 128 - 2 ** 103;
const decimalForms = 'a decimal text like "12.50", a number or a bigint';

export function checkedBool(field: Field, value: unknown): boolean {
  if (typeof value !== 'boolean') throw typeMismatchError(field, 'a boolean', value);
  return value;
}

/** A whole number from `min` to `max`, both safe. */
export function checkedWhole(field: Field, value: unknown, min: number, max: number): number {
  const number = checkedNumber(field, value);
  if (!(number >= min && number <= max) || !Number.isInteger(number)) {
    throw outOfRangeError(field, number);
  }
  return number;
}

export function checkedNumber(field: Field, value: unknown): number {
  if (typeof value !== 'number') throw typeMismatchError(field, 'a number', value);
  return value;
}

/** A number whose nearest float32 is finite if it is: 0.1 is no float32, nor is it a float64. */
export function checkedFloat32(field: Field, value: unknown): number {
  const number = checkedNumber(field, value);
  if (Number.isFinite(number) && Math.abs(number) >= float32Bound) {
    throw outOfRangeError(field, number);
  }
  return number;
}

/** A bigint that fits int64, or a safe number; of a timestamp also a Date. */
export function checkedInt64(field: Field, value: unknown): bigint | number {
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) throw outOfRangeError(field, value);
    return value;
  }
  if (typeof value === 'bigint') {
    if (value < int64Min || value > int64Max) throw outOfRangeError(field, value);
    return value;
  }
  const { type } = field;
  if (type.kind === 'timestamp' && value instanceof Date) {
    return checkedInt64(field, value.getTime() * (type.unit === 'ms' ? 1 : 1000));
  }
  throw typeMismatchError(field, expectedInt64(field), value);
}

export function checkedDays(field: Field, value: unknown): number {
  const days =
    value instanceof Date
      ? daysOfMidnight(value)
      : typeof value === 'string'
        ? daysOfIsoDate(value)
        : null;
  if (days !== null) return days;
  if (value instanceof Date) throw outOfRangeError(field, momentText(value));
  throw typeMismatchError(field, 'an ISO date like "2026-11-26", or a Date', value);
}

/** Writes the value as four words from `words[at]` on. */
export function writeCheckedDecimal(
  field: Field,
  value: unknown,
  words: Uint32Array,
  at: number,
): void {
  const isNumber = typeof value === 'number' || typeof value === 'bigint';
  if (!isNumber && typeof value !== 'string') throw typeMismatchError(field, decimalForms, value);
  // A whole number that is not safe may stand for another one.
  const isUnsafe = Number.isInteger(value) && !Number.isSafeInteger(value);
  const outcome = isUnsafe ? 'range' : writeDecimalText(String(value), sizeOf(field), words, at);
  if (outcome === 'ok') return;
  if (outcome === 'syntax' && !isNumber) throw typeMismatchError(field, decimalForms, value);
  throw outOfRangeError(field, value);
}

export function checkedText(field: Field, value: unknown): string {
  if (typeof value !== 'string') throw typeMismatchError(field, 'a string', value);
  return value;
}

export function checkedBytes(field: Field, value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array)) throw typeMismatchError(field, 'a Uint8Array', value);
  return value;
}

function sizeOf({ type }: Field): DecimalSize {
  return type.kind === 'decimal' ? type : { precision: 0, scale: 0 };
}

function momentText(moment: Date): string {
  return Number.isNaN(moment.getTime()) ? 'Invalid Date' : moment.toISOString();
}

function expectedInt64({ type }: Field): string {
  if (type.kind === 'timestamp') return 'a Date, a bigint or a whole number';
  return type.kind === 'int64' && type.js === 'number' ? 'a whole number' : 'a bigint';
}
