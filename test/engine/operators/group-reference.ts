/**
 * Reference of grouping, row by row: a Map of groups and each function over the values of a group, as
 * their definitions say. A null is a key; -0 and 0 are one key, and so are all NaN.
 */
import type { AggregateOptions } from '../../../engine/operators/aggregate-operator.ts';
import type { AggregateColumnOptions } from '../../../engine/operators/aggregate-plan.ts';
import { daysOfIsoDate } from '../../../engine/schema/date-text.ts';
import { boolType, type FieldType } from '../../../engine/schema/field-type.ts';
import type { Schema } from '../../../engine/schema/schema.ts';
import type { Row } from '../../support/operator-harness.ts';

/** One row per group, in the order of the groups' first rows. */
export function referenceGroups(
  { fields }: Schema,
  rows: readonly Row[],
  { keys, aggregates }: Pick<AggregateOptions, 'keys' | 'aggregates'>,
): Row[] {
  const typeOf = new Map(fields.map(({ name, type }) => [name, type]));
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const key = keys.map((name) => keyText(row[name])).join();
    const members = groups.get(key);
    if (members === undefined) groups.set(key, [row]);
    else members.push(row);
  }
  return [...groups.values()].map((members) => ({
    ...Object.fromEntries(keys.map((name) => [name, plainZero(members[0]?.[name])])),
    ...Object.fromEntries(aggregates.map((one) => [one.name, resultOf(one, members, typeOf)])),
  }));
}

/** A text that is equal for equal keys only. */
function keyText(value: unknown): string {
  return JSON.stringify([value], (_, part) => {
    if (part instanceof Uint8Array) return `bytes ${part.join(' ')}`;
    return typeof part === 'number' || typeof part === 'bigint' ? `${plainZero(part)}` : part;
  });
}

function plainZero(value: unknown): unknown {
  return value === 0 ? 0 : value;
}

function resultOf(
  { function: kind, columns: [column] }: AggregateColumnOptions,
  members: readonly Row[],
  typeOf: ReadonlyMap<string, FieldType>,
): unknown {
  if (column === undefined) return BigInt(members.length);
  const values = members.map((row) => row[column]).filter((value) => value !== null);
  switch (kind) {
    case 'count':
      return BigInt(values.length);
    case 'countDistinct':
      return BigInt(new Set(values.map(keyText)).size);
    case 'first':
      return values[0] ?? null;
    case 'last':
      return values.at(-1) ?? null;
    default:
      return values.length === 0 ? null : calculate(kind, values, typeOf.get(column) ?? boolType);
  }
}

function calculate(
  kind: AggregateColumnOptions['function'],
  values: readonly unknown[],
  type: FieldType,
): unknown {
  switch (kind) {
    case 'sum':
      return sumOf(values, type);
    case 'avg':
      return averageOf(values, type);
    case 'min':
      return values.reduce((best, value) => (compare(value, best, type) < 0 ? value : best));
    case 'max':
      return values.reduce((best, value) => (compare(value, best, type) > 0 ? value : best));
    default:
      return deviation(kind, values.map(Number));
  }
}

/** Decimals are texts, whole numbers numbers or bigints. */
function sumOf(values: readonly unknown[], type: FieldType): unknown {
  if (type.kind === 'decimal') {
    const sum = values.reduce<bigint>((total, value) => total + unscaled(value), 0n);
    return decimalText(sum, type.scale);
  }
  if (isFloat(type)) return (values as number[]).reduce((sum, value) => sum + value, 0);
  const sum = values.reduce<bigint>((total, value) => total + BigInt(value as number), 0n);
  return type.kind === 'int64' && type.js === 'number' ? Number(sum) : sum;
}

function averageOf(values: readonly unknown[], type: FieldType): number {
  const divisor = type.kind === 'decimal' ? 10 ** type.scale : 1;
  const exact = isFloat(type)
    ? (values as number[]).reduce((sum, value) => sum + value, 0)
    : Number(
        values.reduce<bigint>((sum, value) => {
          return sum + (type.kind === 'decimal' ? unscaled(value) : BigInt(value as number));
        }, 0n),
      );
  return exact / values.length / divisor;
}

function isFloat({ kind }: FieldType): boolean {
  return kind === 'float32' || kind === 'float64';
}

function unscaled(decimal: unknown): bigint {
  return BigInt(String(decimal).replace('.', ''));
}

function decimalText(value: bigint, scale: number): string {
  const digits = String(value < 0n ? -value : value).padStart(scale + 1, '0');
  return `${value < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

function deviation(kind: AggregateColumnOptions['function'], values: readonly number[]) {
  const lost = kind.endsWith('Pop') ? 0 : 1;
  if (values.length <= lost) return null;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const m2 = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const variance = m2 / (values.length - lost);
  return kind.startsWith('stddev') ? Math.sqrt(variance) : variance;
}

/** NaN is above all numbers, texts and bytes are ordered by their bytes. */
function compare(a: unknown, b: unknown, type: FieldType): number {
  if (type.kind === 'decimal') return order(unscaled(a), unscaled(b));
  if (type.kind === 'date') return order(daysOfIsoDate(String(a)), daysOfIsoDate(String(b)));
  if (typeof a === 'string' || a instanceof Uint8Array) {
    return Buffer.compare(bytesOf(a), bytesOf(b as string));
  }
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return order(a, b);
}

function order(a: unknown, b: unknown): number {
  return (a as number) < (b as number) ? -1 : Number((a as number) > (b as number));
}

function bytesOf(value: string | Uint8Array): Uint8Array {
  return typeof value === 'string' ? Buffer.from(value) : value;
}
