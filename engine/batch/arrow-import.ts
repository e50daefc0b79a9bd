/**
 * A record batch of apache-arrow into the slot's memory, as batches of up to 8,192 rows.
 *
 *     bits, fixed      copied; bitmaps bit by bit where Arrow starts within a byte (arrow-fixed.ts)
 *     text, bytes      copied and checked, then views (arrow-text.ts)
 *     dictionaries     imported once, then taken from by index (arrow-indexed.ts)
 *     lists, structs   children become columns, and these are packed (nested-pack.ts)
 *
 * After: engine/batch/ipc.ts
 */
import * as arrow from 'apache-arrow';
import { addressOf, type BlockHandle } from '../memory/slot-memory.ts';
import { type FieldType, layoutOf } from '../schema/field-type.ts';
import { type Field, fieldOf, type Schema } from '../schema/schema.ts';
import type { ArrowDictionaries } from './arrow-dictionaries.ts';
import { importFixed } from './arrow-fixed.ts';
import { importIndexed } from './arrow-indexed.ts';
import {
  type ArrowTarget,
  bytesOf,
  corruptError,
  importBits,
  importValidity,
  isValidAt,
  offsetsOf,
  type Part,
} from './arrow-part.ts';
import { importViews } from './arrow-text.ts';
import { Batch, batchRowsMax, type Column } from './batch.ts';
import { type ListParts, packLists, packStructs } from './nested-pack.ts';
import { isNullError } from './value-errors.ts';

/** What rows are imported of. */
export interface ArrowRows {
  readonly schema: Schema;
  readonly source: arrow.RecordBatch;
  readonly dictionaries: ArrowDictionaries;
}

/**
 * Rows of a record batch from `fromRow` on, up to 8,192 of them, as a batch.
 * @throws ARROW_CORRUPT, TEXT_INVALID_UTF8, VALUE_IS_NULL, VALUE_OUT_OF_RANGE naming the column.
 */
export function importRows(
  target: ArrowTarget,
  { schema, source, dictionaries }: ArrowRows,
  fromRow: number,
): Batch {
  const { memory } = target.scope;
  const rowCount = Math.min(batchRowsMax, source.numRows - fromRow);
  const blocks: BlockHandle[] = [];
  try {
    const columns = schema.fields.map((field, index): Column => {
      const data = source.data.children[index];
      if (data === undefined) throw corruptError(field, 'rows');
      const part = { ...target, field, data, fromRow, rowCount, blocks, dictionaries };
      const column = importColumn(part);
      const hasNulls = column.validity !== 0 && !field.nullable;
      if (hasNulls && firstNull(part, column.validity) < rowCount) throw isNullError(field);
      return hasNulls ? { ...column, validity: 0 } : column;
    });
    return new Batch(memory, { schema, rowCount, columns, blocks });
  } catch (error) {
    for (const block of blocks) memory.release(block);
    throw error;
  }
}

/** Imports a part of an array, nulls allowed. */
function importColumn(part: Part): Column {
  const { field, data, fromRow, rowCount } = part;
  const { type } = field;
  if (data.length < fromRow + rowCount) throw corruptError(field, 'rows');
  if (arrow.DataType.isDictionary(data.type)) return importIndexed(part, importColumn);
  const validity = importValidity(part);
  return { type, validity, values: importValues(part, type, validity) };
}

function importValues(part: Part, type: FieldType, validity: number): number {
  if (type.kind === 'list') return importLists(part, type, validity);
  if (type.kind === 'struct') return importStructs(part, type, validity);
  const layout = layoutOf(type);
  if (layout === 'bits') return importBits(part, bytesOf(part.data.values));
  return layout === 'view' ? importViews(part, validity) : importFixed(part, validity);
}

function importLists(part: Part, { item }: FieldType & { kind: 'list' }, validity: number): number {
  const { field, data, rowCount, scope } = part;
  const [child] = data.children;
  const offsetAt = listOffsetsOf(part);
  if (child === undefined || offsetAt === null) throw corruptError(field, 'offsets for its rows');
  const [first, end] = rowCount === 0 ? [0, 0] : [offsetAt(0), offsetAt(rowCount)];
  if (first < 0 || end > child.length || end < first)
    throw corruptError(field, 'items for its rows');
  const itemField = fieldOf(`${field.name}[]`, item.type, item.nullable);
  const itemPart = {
    ...part,
    field: itemField,
    data: child,
    fromRow: first,
    rowCount: end - first,
  };
  const items = importColumn(itemPart);
  const block = scope.allocate((rowCount + 1) * 4);
  try {
    const offsets = addressOf(block);
    writeOffsets(part, offsets, (row) => (rowCount === 0 ? 0 : offsetAt(row) - first));
    const lists = { item, rowCount, validity, offsets, items };
    if (!item.nullable && items.validity !== 0) refuseNullItems(part, itemField, lists);
    return packLists(part, lists);
  } finally {
    scope.memory.release(block);
  }
}

function writeOffsets(
  { field, rowCount, scope }: Part,
  offsets: number,
  offsetAt: (row: number) => number,
): void {
  let previous = 0;
  for (let row = 0; row <= rowCount; row++) {
    const offset = offsetAt(row);
    if (offset < previous) throw corruptError(field, 'ascending offsets');
    scope.memory.int32[offsets / 4 + row] = offset;
    previous = offset;
  }
}

/** What a null list would hold is nobody's value, and not looked at. */
function refuseNullItems({ scope }: Part, itemField: Field, lists: ListParts): void {
  const { int32, bytes } = scope.memory;
  const { rowCount, validity, offsets, items } = lists;
  for (let row = 0; row < rowCount; row++) {
    if (!isValidAt(bytes, validity, row)) continue;
    const end = int32[offsets / 4 + row + 1] ?? 0;
    for (let item = int32[offsets / 4 + row] ?? 0; item < end; item++) {
      if (!isValidAt(bytes, items.validity, item)) throw isNullError(itemField);
    }
  }
}

function listOffsetsOf(part: Part): ((row: number) => number) | null {
  const { type } = part.data;
  if (!arrow.DataType.isFixedSizeList(type)) return offsetsOf(part);
  return (row) => (part.fromRow + row) * type.listSize;
}

function importStructs(
  part: Part,
  { fields }: FieldType & { kind: 'struct' },
  validity: number,
): number {
  const { field, data, rowCount, scope } = part;
  const columns = fields.map(({ name, type, nullable }, index) => {
    const child = data.children[index];
    const childField = fieldOf(`${field.name}.${name}`, type, nullable);
    if (child === undefined) throw corruptError(childField, 'rows');
    const column = importColumn({ ...part, field: childField, data: child });
    for (let row = 0; row < rowCount && !nullable && column.validity !== 0; row++) {
      const isNull = !isValidAt(scope.memory.bytes, column.validity, row);
      if (isNull && isValidAt(scope.memory.bytes, validity, row)) throw isNullError(childField);
    }
    return column;
  });
  return packStructs(part, { fields, rowCount, validity, columns });
}

function firstNull({ scope, rowCount }: Part, validity: number): number {
  let row = 0;
  while (row < rowCount && isValidAt(scope.memory.bytes, validity, row)) row++;
  return row;
}
