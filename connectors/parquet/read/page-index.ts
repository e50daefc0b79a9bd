/**
 * The index of a column chunk's pages: where each is, which rows it has, and between which bounds its values are.
 * Bounds are read where a predicate asks for the column, so that pages without wanted rows are passed over; places
 * where so many rows are passed over that the pages between are not worth their headers.
 *
 *     OffsetIndex   by page: place in the file, first row        ColumnIndex   by page: bounds, nulls
 *
 * @see https://github.com/apache/parquet-format/blob/master/PageIndex.md
 */
import type { ColumnFacts } from '../../../engine/expr/may-hold.ts';
import type { FieldType } from '../../../engine/schema/field-type.ts';
import { changedError } from '../../filesystem/source-errors.ts';
import { corruptError, parsing } from '../parquet-errors.ts';
import type { BytesPlace } from '../parquet-metadata.ts';
import type { LeafPlan } from '../plan/parquet-split.ts';
import { boundsOf } from '../plan/value-bounds.ts';
import { readThriftStruct, type ThriftStruct } from '../thrift-reader.ts';
import type { OpenColumn } from './chunk-pages.ts';

export interface PagePlaces {
  /** By page, ascending; among the rows of the row group. The first is 0. */
  readonly firstRows: readonly number[];
  /** By page: where in the file its header is. */
  readonly offsets: readonly number[];
}

export interface PageRows {
  /** By page, ascending; among the rows of the row group. The first is 0. */
  readonly firstRows: readonly number[];
  /** By page. */
  readonly facts: readonly ColumnFacts[];
}

interface IndexedLeaf {
  readonly leaf: LeafPlan;
  readonly type: FieldType;
  readonly rowCount: number;
}

/** @throws PARQUET_CORRUPT, SOURCE_CHANGED */
export function readPageRows(
  column: OpenColumn,
  places: { readonly columnIndex: BytesPlace; readonly offsetIndex: BytesPlace },
  { leaf, type, rowCount }: IndexedLeaf,
): PageRows {
  const { firstRows } = readPagePlaces(column, places.offsetIndex, rowCount);
  const bounds = readIndex(column, places.columnIndex);
  return parsing(column.path, indexText(column), () => {
    const facts = pageFacts(bounds, leaf, type);
    if (facts.length !== firstRows.length) throw new RangeError('bounds of other pages');
    return { firstRows, facts };
  });
}

/** @throws PARQUET_CORRUPT, SOURCE_CHANGED */
export function readPagePlaces(
  column: OpenColumn,
  place: BytesPlace,
  rowCount: number,
): PagePlaces {
  const index = readIndex(column, place);
  return parsing(column.path, indexText(column), () => {
    const pages = index.structs(1);
    const firstRows = pages.map((page) => page.size(3));
    const offsets = pages.map((page) => page.size(1));
    const isRight = areAscending(firstRows) && areAscending(offsets) && firstRows[0] === 0;
    if (!isRight || (firstRows.at(-1) ?? 0) >= rowCount) throw new RangeError('pages out of order');
    return { firstRows, offsets };
  });
}

function areAscending(numbers: readonly number[]): boolean {
  return numbers.every((number, at) => at === 0 || number > (numbers[at - 1] ?? 0));
}

function indexText({ name }: OpenColumn): string {
  return `an index of the pages of column "${name}"`;
}

function pageFacts(index: ThriftStruct, leaf: LeafPlan, type: FieldType): ColumnFacts[] {
  const [least, most] = [index.binaries(2), index.binaries(3)];
  const nullCounts = index.has(5) ? index.ints(5) : null;
  return index.bools(1).map((isAllNull, page) => {
    const [min, max] = [least[page], most[page]];
    if (min === undefined || max === undefined) throw new RangeError('a page without bounds');
    return {
      ...boundsOf(leaf, type, isAllNull ? { min: null, max: null } : { min, max }),
      mayBeNull: leaf.definition > 0 && nullCounts?.[page] !== 0,
      mayBeValue: !isAllNull,
    };
  });
}

function readIndex(column: OpenColumn, { offset, sizeBytes }: BytesPlace): ThriftStruct {
  const bytes = readBytes(column, offset, sizeBytes);
  return parsing(column.path, indexText(column), () => {
    return readThriftStruct(bytes).struct;
  });
}

/** Bytes of the file that its footer has promised. */
function readBytes(
  { context, file, path }: OpenColumn,
  position: number,
  sizeBytes: number,
): Uint8Array {
  if (sizeBytes === 0) throw corruptError(path, 'has an index of no size');
  const bytes = new Uint8Array(sizeBytes);
  if (context.disk.read(file, bytes, position) < sizeBytes)
    throw changedError(path, 'became shorter');
  return bytes;
}
