/**
 * Values as JSON without loss, the same as `test/fixtures/arrow-types/plain.py` makes of pyarrow's:
 * whole numbers are texts of their digits, bytes hexadecimal, dates days.
 */
import { daysOfIsoDate } from '../../engine/schema/date-text.ts';
import type { FieldType } from '../../engine/schema/field-type.ts';
import type { Schema } from '../../engine/schema/schema.ts';

/** A row as `readRows` gives it. */
export function plainRow(schema: Schema, row: Record<string, unknown>): Record<string, unknown> {
  const entries = schema.fields.map(({ name, type }) => [name, plainValue(type, row[name])]);
  return Object.fromEntries(entries);
}

function plainValue(type: FieldType, value: unknown): unknown {
  if (value === null) return null;
  if (type.kind === 'list') {
    return (value as unknown[]).map((item) => plainValue(type.item.type, item));
  }
  if (type.kind === 'struct') return plainRow({ fields: type.fields }, value as never);
  if (type.kind === 'date') return String(daysOfIsoDate(String(value)));
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'number') return value;
  if (!Number.isFinite(value)) return String(value);
  return Number.isInteger(value) ? String(BigInt(value)) : value;
}
