/** The columns of a row group, opened: flat ones and nested ones, which are read alike. */
import { assert } from '../../../base/assert.ts';
import { batchRowsMax, type Column } from '../../../engine/batch/batch.ts';
import type { BlockHandle } from '../../../engine/memory/slot-memory.ts';
import type { Field } from '../../../engine/schema/field-type.ts';
import type { ChunkPlace, ColumnPlan, ColumnShape, Piece } from '../plan/parquet-split.ts';
import type { OpenColumn } from './chunk-pages.ts';
import type { Dictionary } from './dictionary.ts';
import { FlatColumn } from './flat-column.ts';
import type { ChosenRows } from './late-rows.ts';
import { NestedColumn } from './nested-column.ts';
import { NestedLeaf } from './nested-leaf.ts';
import type { ReadRoom } from './read-room.ts';

/** A column of a row group. */
export interface PieceColumn {
  readonly field: Field;
  /** The next rows; `blocks` takes what they are in. */
  read(count: number, blocks: BlockHandle[]): Column;
  /** Some of the next `count` rows, side by side; the others are passed over. */
  readChosen(count: number, chosen: ChosenRows, blocks: BlockHandle[]): Column;
  /** Passes over rows. */
  skip(count: number): void;
  /** The dictionary that has all values of the column; null where there may be others. */
  dictionary(): Dictionary | null;
  close(): void;
}

/** What of a row group a column is opened with. */
export interface ColumnOptions {
  readonly column: OpenColumn;
  readonly field: Field;
  readonly plan: ColumnPlan;
  readonly chunks: readonly ChunkPlace[];
  readonly room: ReadRoom;
  readonly firstRow: number;
}

/** Holds nothing when it throws. */
export function openColumn(options: ColumnOptions): PieceColumn {
  const { column, field, plan, room, firstRow } = options;
  const inputsOf = (index: number, own: Field) => {
    const [leaf, chunk] = [plan.leaves[index], options.chunks[index]];
    assert(leaf !== undefined, 'a split has the places of all columns of its source');
    assert(chunk !== undefined, 'a piece has a chunk for each leaf');
    return { field: own, leaf, chunk, room, firstRow };
  };
  if (plan.shape.kind === 'leaf') return new FlatColumn(column, inputsOf(0, field));
  const leaves: NestedLeaf[] = [];
  try {
    leafFieldsOf(field, plan.shape).forEach((own, index) => {
      leaves.push(new NestedLeaf(column, inputsOf(index, own)));
    });
    return new NestedColumn(column, { field, shape: plan.shape, leaves, firstRow });
  } catch (error) {
    for (const leaf of leaves) leaf.close();
    throw error;
  }
}

/** In the order of the leaves. */
function leafFieldsOf(field: Field, shape: ColumnShape): readonly Field[] {
  const { type, name } = field;
  if (shape.kind === 'list' && type.kind === 'list') {
    return leafFieldsOf({ ...type.item, name }, shape.item);
  }
  if (shape.kind === 'struct' && type.kind === 'struct') {
    return shape.fields.flatMap((part, index) => {
      const own = type.fields[index];
      return own === undefined ? [] : leafFieldsOf(own, part);
    });
  }
  return [field];
}

/** Items and bytes of a batch, on average: lists may have many. */
const batchItemsMax = 64 << 10;
const batchBytesMax = 4 << 20;

/** Rows of a batch of the row group: fewer where rows have many items. */
export function batchRowsOf(
  { rowCount }: Piece,
  columns: readonly { readonly plan: ColumnPlan; readonly chunks: readonly ChunkPlace[] }[],
): number {
  let rows = batchRowsMax;
  for (const { plan, chunks } of columns) {
    if (plan.shape.kind === 'leaf') continue;
    const items = Math.max(...chunks.map(({ valueCount }) => valueCount));
    const bytes = chunks.reduce((sum, { uncompressedBytes }) => sum + uncompressedBytes, 0);
    const share = Math.min(batchItemsMax / Math.max(1, items), batchBytesMax / Math.max(1, bytes));
    rows = Math.min(rows, Math.floor(rowCount * share));
  }
  return Math.max(1, rows);
}
