/**
 * Lists and structs as the reference has them: what their decoder gives for a type in which int64,
 * timestamps and dates are plain integers, for these are exact and need no text. The bytes are the
 * same for both types.
 */
import type { FieldType } from '../schema/field-type.ts';
import { decimalText, parseDecimal } from './decimal.ts';
import type { Value } from './value.ts';

/** The type with plain integers in place of moments and days, in lists and structs as well. */
export function exactTypeOf(type: FieldType): FieldType {
  switch (type.kind) {
    case 'int64':
    case 'timestamp':
      return { kind: 'int64', js: 'bigint' };
    case 'date':
      return { kind: 'int32' };
    case 'list': {
      const { type: itemType, nullable } = type.item;
      return { kind: 'list', item: { type: exactTypeOf(itemType), nullable } };
    }
    case 'struct': {
      const fields = type.fields.map((field) => ({ ...field, type: exactTypeOf(field.type) }));
      return { kind: 'struct', fields };
    }
    default:
      return type;
  }
}

/** A part of a list or struct as a value of its own: decimals are numbers then. */
export function partValue(part: unknown, type: FieldType): Value {
  if (part === null || part === undefined) return null;
  return type.kind === 'decimal' ? (parseDecimal(String(part))?.unscaled ?? 0n) : (part as Value);
}

/** The opposite: a value as a part of a list or struct. */
export function partOfValue(value: Value, type: FieldType): unknown {
  return type.kind === 'decimal' ? decimalText(value as bigint, type.scale) : value;
}
