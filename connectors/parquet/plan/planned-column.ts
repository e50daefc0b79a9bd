/**
 * Declared columns in a file: where each one's chunks are in a row group, how their values become those of
 * the declared type, and how lists and structs are put together from them.
 *
 * Fields of structs are found by their names, in any order; those that are not declared are not read.
 */
import type { Field, FieldType } from '../../../engine/schema/field-type.ts';
import { missingColumnError, typeMismatchError } from '../parquet-errors.ts';
import { listOf, type ParquetField, parquetTypeText } from '../parquet-schema.ts';
import { conversionOf } from './conversion.ts';
import type { ParquetScan } from './parquet-file-scan.ts';
import type { ColumnPlan, ColumnShape, LeafPlan } from './parquet-split.ts';
import { boundsOrderOf } from './value-bounds.ts';

export interface PlannedColumn {
  readonly field: Field;
  readonly plan: ColumnPlan;
  /** By leaf of the column. */
  readonly chunkIndexes: readonly number[];
}

/** @throws SCHEMA_MISMATCH */
export function plannedColumnOf(path: string, scan: ParquetScan, declared: Field): PlannedColumn {
  const { name, type } = declared;
  const field = scan.fields.find((one) => one.name === name);
  if (field === undefined) {
    const names = scan.fields.map((one) => one.name);
    throw missingColumnError(path, name, names);
  }
  const planner = new ColumnPlanner(scan);
  const shape = planner.shapeOf(field, type);
  if (shape === null) {
    throw typeMismatchError(path, name, { found: parquetTypeText(field), declared: type });
  }
  const { leaves, chunkIndexes } = planner;
  return { field: declared, plan: { name, leaves, shape }, chunkIndexes };
}

class ColumnPlanner {
  readonly leaves: LeafPlan[] = [];
  readonly chunkIndexes: number[] = [];
  readonly #scan: ParquetScan;

  constructor(scan: ParquetScan) {
    this.#scan = scan;
  }

  /** Null where the file's field is of another type. */
  shapeOf(field: ParquetField, declared: FieldType): ColumnShape | null {
    switch (declared.kind) {
      case 'list':
        return this.#listOf(field, declared.item.type);
      case 'struct':
        return this.#structOf(field, declared.fields);
      default:
        return listOf(field) === null ? this.#leafOf(field, declared) : null;
    }
  }

  #listOf(field: ParquetField, declared: FieldType): ColumnShape | null {
    const list = listOf(field);
    if (list === null) return null;
    const item = this.shapeOf(list.item, declared);
    if (item === null) return null;
    const { itemDefinition } = list;
    // A list without a group around it is its items: it is there where what it is in is there.
    const isBare = list.itemDefinition === field.definition;
    const definition = isBare ? itemDefinition - 1 : field.definition;
    const itemRepetition = isBare ? field.repetitionLevel : field.repetitionLevel + 1;
    return { kind: 'list', definition, itemDefinition, itemRepetition, item };
  }

  #structOf(field: ParquetField, declared: readonly Field[]): ColumnShape | null {
    if (field.leaf !== null || listOf(field) !== null) return null;
    const fields: ColumnShape[] = [];
    for (const { name, type } of declared) {
      const child = field.children.find((one) => one.name === name);
      const shape = child === undefined ? null : this.shapeOf(child, type);
      if (shape === null) return null;
      fields.push(shape);
    }
    return { kind: 'struct', definition: field.definition, fields };
  }

  #leafOf({ leaf, definition, repetitionLevel }: ParquetField, declared: FieldType) {
    const conversion = leaf === null ? null : conversionOf(leaf, declared);
    if (leaf === null || conversion === null) return null;
    const { physical, typeLength, index } = leaf;
    const order = boundsOrderOf(leaf, this.#scan.typedOrders[index] === true);
    const repetition = repetitionLevel;
    this.chunkIndexes.push(index);
    this.leaves.push({ physical, typeLength, definition, repetition, conversion, order });
    return { kind: 'leaf', leaf: this.leaves.length - 1, definition } as const;
  }
}
