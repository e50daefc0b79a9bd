/**
 * Declared columns in a file: where each one's chunks are in a row group, and how their values become
 * those of the declared type.
 */
import type { Field } from '../../../engine/schema/schema.ts';
import { missingColumnError, typeMismatchError, unsupportedError } from '../parquet-errors.ts';
import { type ParquetField, parquetTypeText } from '../parquet-schema.ts';
import { conversionOf } from './conversion.ts';
import type { ParquetScan } from './parquet-file-scan.ts';
import type { ColumnPlan, LeafPlan } from './parquet-split.ts';
import { boundsOrderOf } from './value-bounds.ts';

export interface PlannedColumn {
  readonly field: Field;
  readonly plan: ColumnPlan;
  /** By leaf of the column. */
  readonly chunkIndexes: readonly number[];
}

/** @throws SCHEMA_MISMATCH, PARQUET_FEATURE_UNSUPPORTED */
export function plannedColumnOf(path: string, scan: ParquetScan, declared: Field): PlannedColumn {
  const { name, type } = declared;
  const field = scan.fields.find((one) => one.name === name);
  if (field === undefined) {
    const names = scan.fields.map((one) => one.name);
    throw missingColumnError(path, name, names);
  }
  const isNested = type.kind === 'list' || type.kind === 'struct';
  if (isNested && field.leaf === null) {
    const hint = 'Lists and structs of Parquet files can not be read; leave it out of the struct.';
    throw unsupportedError(path, `has column "${name}" as ${parquetTypeText(field)}`, hint);
  }
  const leaf = leafPlanOf(scan, field, type);
  if (leaf === null || field.leaf === null) {
    throw typeMismatchError(path, name, { found: parquetTypeText(field), declared: type });
  }
  return { field: declared, plan: { name, leaves: [leaf] }, chunkIndexes: [field.leaf.index] };
}

function leafPlanOf(
  { typedOrders }: ParquetScan,
  field: ParquetField,
  declared: Field['type'],
): LeafPlan | null {
  const { leaf, definition, repetitionLevel } = field;
  const conversion = leaf === null ? null : conversionOf(leaf, declared);
  if (leaf === null || conversion === null || repetitionLevel > 0) return null;
  const { physical, typeLength, index } = leaf;
  const order = boundsOrderOf(leaf, typedOrders[index] === true);
  return { physical, typeLength, definition, repetition: repetitionLevel, conversion, order };
}
