/**
 * Lists and structs of Arrow record batches: child arrays are read as columns, of just the rows that are
 * wanted, and packed into values of ours (engine/batch/nested-pack.ts). What was read for it is given
 * back at once: a packed value has copies of its parts.
 *
 *     list     offsets ──▶ rows of the child from the first to the last of them
 *     struct   the same rows of each child
 */
import type { Column } from '../../engine/batch/batch.ts';
import { packLists, packStructs } from '../../engine/batch/nested-pack.ts';
import type { BlockHandle } from '../../engine/memory/slot-memory.ts';
import type { Field } from '../../engine/schema/field-type.ts';
import { fieldOf } from '../../engine/schema/schema.ts';
import type { ColumnSource, Rows } from './arrow-column-source.ts';
import { corruptError, nullError } from './arrow-errors.ts';
import type { ColumnPlan } from './arrow-split.ts';
import { readOffsets } from './arrow-texts.ts';

/** Reads a child as a column, nulls allowed. */
export type ReadChild = (source: ColumnSource, rows: Rows) => Column;

/** The address of the views of lists or structs. */
export function readNested(
  source: ColumnSource,
  rows: Rows,
  validity: number,
  readChild: ReadChild,
): number {
  const { context, blocks, field } = source;
  const temporary: BlockHandle[] = [];
  try {
    const { type } = field;
    const target = { scope: context.scope, blocks };
    const parent = { source, rows, validity, temporary, readChild };
    if (type.kind === 'list') {
      const item = fieldOf(`${field.name}[]`, type.item.type, type.item.nullable);
      const { offsets, items } = readItems(parent, item);
      const parts = { item: type.item, rowCount: rows.count, validity, offsets, items };
      return packLists(target, parts);
    }
    const fields = type.kind === 'struct' ? type.fields : [];
    const columns = fields.map((part, index) => {
      const named = fieldOf(`${field.name}.${part.name}`, part.type, part.nullable);
      return readPart(parent, named, index, rows);
    });
    return packStructs(target, { fields, rowCount: rows.count, validity, columns });
  } finally {
    for (const block of temporary) context.scope.memory.release(block);
  }
}

interface Parent {
  readonly source: ColumnSource;
  readonly rows: Rows;
  readonly validity: number;
  readonly temporary: BlockHandle[];
  readonly readChild: ReadChild;
}

/** The items of lists, and their offsets counted from the first item. */
function readItems(parent: Parent, item: Field): { offsets: number; items: Column } {
  const { source, rows, temporary } = parent;
  const { kernels, scope } = source.context;
  const { address, start, base } = readOffsets({ ...source, blocks: temporary }, rows);
  const right = kernels.checkOffsets(address, rows.count, 0, 0);
  if (right < rows.count || start < 0) {
    throw corruptError(source.body.path, `has damaged offsets in column "${source.field.name}"`);
  }
  const { int32 } = scope.memory;
  const word = address >>> 2;
  const count = (int32[word + rows.count] ?? 0) - base;
  for (let row = 0; row <= rows.count; row++) int32[word + row] = (int32[word + row] ?? 0) - base;
  return { offsets: address, items: readPart(parent, item, 0, { from: start, count }) };
}

/** Reads a child; nulls where none may be are an error, unless what they are a part of is null. */
function readPart(parent: Parent, field: Field, index: number, rows: Rows): Column {
  const { source, temporary, readChild, validity } = parent;
  const { body, context } = source;
  const plan = childOf(source, index);
  const nullable = fieldOf(field.name, field.type, true);
  const column = readChild({ ...source, field: nullable, plan, blocks: temporary }, rows);
  if (field.nullable || column.validity === 0) return column;
  const { bytes } = context.scope.memory;
  const isNull = (bitmap: number, row: number) =>
    bitmap !== 0 && (((bytes[bitmap + (row >>> 3)] ?? 0) >>> (row & 7)) & 1) === 0;
  const isStruct = source.field.type.kind === 'struct';
  for (let row = 0; row < rows.count; row++) {
    if (!isNull(column.validity, row)) continue;
    if (!isStruct || !isNull(validity, row))
      throw nullError(body.path, field.name, rows.from + row);
  }
  return { ...column, validity: 0 };
}

function childOf({ plan, body, field }: ColumnSource, index: number): ColumnPlan {
  const child = plan.children[index];
  if (child === undefined) throw corruptError(body.path, `lacks a part of column "${field.name}"`);
  return child;
}
