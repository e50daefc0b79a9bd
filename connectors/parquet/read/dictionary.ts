/** The dictionary of a column chunk: its values once, as the column's type has them. */
import { utf8ViewSize } from '../../../engine/batch/utf8-view.ts';
import { addressOf, type BlockHandle } from '../../../engine/memory/slot-memory.ts';
import { type Field, valueSizeOf } from '../../../engine/schema/field-type.ts';
import { corruptError, inexactError, invalidTextError } from '../parquet-errors.ts';
import { encodings, type PageHeader, physicalTypes } from '../parquet-metadata.ts';
import { convert, isCopy, physicalSizeOf, showsIntoValues } from '../plan/conversion.ts';
import type { LeafPlan } from '../plan/parquet-split.ts';
import type { ChunkPages, OpenColumn } from './chunk-pages.ts';
import type { ReadRoom } from './read-room.ts';

export interface Dictionary {
  /** Address of the values. */
  readonly values: number;
  readonly count: number;
  /** What batches retain that show into it; nothing where values are copied out. */
  readonly shownBlocks: readonly BlockHandle[];
  /** All its blocks. */
  readonly blocks: readonly BlockHandle[];
}

export interface DictionaryInputs {
  readonly column: OpenColumn;
  readonly field: Field;
  readonly leaf: LeafPlan;
  readonly room: ReadRoom;
}

/** Reads the dictionary page whose header came last; the caller owns the blocks. */
export function readDictionary(
  inputs: DictionaryInputs,
  pages: ChunkPages,
  { valueCount, encoding }: PageHeader,
): Dictionary {
  const { column, leaf } = inputs;
  const { scope } = column.context;
  if (encoding !== encodings.plain && encoding !== encodings.plainDictionary) {
    throw damaged(inputs, 'a dictionary of an unknown encoding');
  }
  const page = pages.readPage();
  const blocks = [page.block];
  try {
    const bytes = { from: page.valuesFrom, end: page.end, valueCount };
    const values = readValues(inputs, bytes, blocks);
    if (showsIntoValues(leaf.conversion)) {
      return { values, count: valueCount, shownBlocks: [page.block], blocks };
    }
    return { values, count: valueCount, shownBlocks: [], blocks };
  } catch (error) {
    for (const block of blocks) scope.memory.release(block);
    throw error;
  }
}

interface Entries {
  readonly from: number;
  readonly end: number;
  readonly valueCount: number;
}

function readValues(inputs: DictionaryInputs, entries: Entries, blocks: BlockHandle[]): number {
  const { column, field, leaf } = inputs;
  const { context } = column;
  const { valueCount } = entries;
  const isByteArray = leaf.physical === physicalTypes.byteArray;
  const size = isByteArray ? 4 : physicalSizeOf(leaf.physical, leaf.typeLength);
  if (size === 0 || valueCount * size > entries.end - entries.from) {
    throw damaged(inputs, 'a dictionary that is shorter than it says');
  }
  const values = isByteArray ? viewsOf(inputs, entries, blocks) : entries.from;
  if (isCopy(leaf.conversion)) {
    // Typed arrays and kernels alike read aligned values; a page's are.
    return values;
  }
  const block = context.scope.allocate(valueCount * valueSizeOf(field.type));
  blocks.push(block);
  const out = addressOf(block);
  const right = convert(context.kernels, leaf.conversion, { values, count: valueCount, out });
  if (right < valueCount) {
    const rows = 'its dictionary';
    throw inexactError(column.path, column.name, { declared: field.type, rows });
  }
  return out;
}

function viewsOf(inputs: DictionaryInputs, entries: Entries, blocks: BlockHandle[]): number {
  const { column, leaf, room } = inputs;
  const { kernels, scope } = column.context;
  const { from, end, valueCount } = entries;
  const block = scope.allocate(valueCount * utf8ViewSize);
  blocks.push(block);
  const views = addressOf(block);
  if (kernels.viewsFromPlain(from, end, valueCount, views, room.result) < valueCount) {
    throw damaged(inputs, 'a dictionary that is shorter than it says');
  }
  const isChecked = leaf.conversion.name === 'text' && kernels.isAscii(from, end) === 0;
  if (isChecked && kernels.findInvalidText(views, valueCount, room.result) < valueCount) {
    throw invalidTextError(column.path, column.name, 'its dictionary');
  }
  return views;
}

function damaged({ column }: DictionaryInputs, what: string) {
  return corruptError(column.path, `has ${what}, in column "${column.name}"`);
}
