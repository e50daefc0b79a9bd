/**
 * Decimals: brought to one scale, then as integers of 128 bits. Where their type has room for every
 * result no sum and no product can overflow, so nothing is checked; types whose precision was cut to
 * 38 digits round or overflow, and are left to the reference, as are quotients.
 */
import type { FieldType } from '../../schema/field-type.ts';
import type { CodeBuilder } from '../wasm/code-builder.ts';
import {
  add128,
  constant128,
  type Int128,
  multiply128,
  subtract128,
  widened128,
} from './int128.ts';
import { pushAs } from './number-forms.ts';
import { NoRule } from './rule-context.ts';
import { partOf, type Value } from './value.ts';

/** What fits 128 bits. */
const decimalPrecisionMax = 38;

type DecimalType = FieldType & { readonly kind: 'decimal' };

/** Digits of the largest values of whole numbers. */
const integerDigits: Partial<Record<FieldType['kind'], number>> = {
  ...{ int8: 3, uint8: 3, int16: 5, uint16: 5 },
  ...{ int32: 10, uint32: 10, int64: 19 },
};

/** The sum, difference or product. */
export function pushDecimal(
  code: CodeBuilder,
  op: string,
  { type, left, right }: { type: FieldType; left: Value; right: Value },
): Int128 {
  const [a, b] = [decimalOf(left), decimalOf(right)];
  const result = decimalType(type);
  if (op === 'multiply') {
    if (a.scale + b.scale !== result.scale) throw cutError();
    return multiply128(code, scaled(code, left, a.scale), scaled(code, right, b.scale));
  }
  const scale = Math.max(a.scale, b.scale);
  if (scale !== result.scale) throw cutError();
  const sides = [scaled(code, left, scale), scaled(code, right, scale)] as const;
  if (op === 'add') return add128(code, ...sides);
  if (op === 'subtract') return subtract128(code, ...sides);
  throw new NoRule(`${op} of decimals`);
}

/** Both at the larger scale, which loses nothing. */
export function atOneScale(code: CodeBuilder, left: Value, right: Value): { a: Int128; b: Int128 } {
  const [a, b] = [decimalOf(left), decimalOf(right)];
  const scale = Math.max(a.scale, b.scale);
  const wholeDigits = Math.max(a.precision - a.scale, b.precision - b.scale);
  if (wholeDigits + scale > decimalPrecisionMax) throw cutError();
  return { a: scaled(code, left, scale), b: scaled(code, right, scale) };
}

/** An integer or a decimal as one of a type that holds all of its values. */
export function asDecimal(code: CodeBuilder, value: Value, type: FieldType): Int128 {
  const [from, to] = [decimalOf(value), decimalType(type)];
  const digits = from.precision - from.scale;
  if (from.scale > to.scale || digits > to.precision - to.scale) throw cutError();
  return scaled(code, value, to.scale);
}

/** The unscaled number at a scale that is not below the value's own. */
function scaled(code: CodeBuilder, value: Value, scale: number): Int128 {
  const own =
    value.form === 'i128'
      ? { low: partOf(value, 0), high: partOf(value, 1) }
      : widened128(code, pushAs(code, value, 'i64').keep('i64'));
  const shift = scale - decimalOf(value).scale;
  if (shift === 0) return own;
  return multiply128(code, own, constant128(code, 10n ** BigInt(shift)));
}

function decimalOf({ type }: Value): DecimalType {
  const precision = integerDigits[type.kind];
  return precision === undefined ? decimalType(type) : { kind: 'decimal', precision, scale: 0 };
}

function decimalType(type: FieldType): DecimalType {
  if (type.kind === 'decimal') return type;
  throw new NoRule(`decimals beside ${type.kind}`);
}

function cutError(): NoRule {
  return new NoRule(`decimals of more than ${decimalPrecisionMax} digits`);
}
