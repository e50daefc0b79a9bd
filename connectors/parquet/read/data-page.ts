/**
 * A data page in the slot's memory, and readers at the start of its levels and values.
 *
 *     version 1   [u32 size, repetition levels][u32 size, definition levels][values]   compressed whole
 *     version 2   [repetition levels][definition levels]  sizes in the header          [values] compressed
 */
import type { BlockHandle } from '../../../engine/memory/slot-memory.ts';
import { corruptError, unsupportedError } from '../parquet-errors.ts';
import { encodings, type PageHeader, physicalTypes } from '../parquet-metadata.ts';
import type { Conversion } from '../plan/conversion.ts';
import type { ChunkPages, OpenColumn, PageBytes } from './chunk-pages.ts';
import {
  definitionState,
  type PageValues,
  pageValuesOf,
  repetitionState,
  startRuns,
  type ValueReader,
} from './page-values.ts';

/** Where the values of a page come from. */
export type ValueSource =
  | { readonly kind: 'values'; readonly values: PageValues }
  /** Runs of indexes into the chunk's dictionary, or of bools; the state is the column's first. */
  | { readonly kind: 'indexes' | 'bitRuns' }
  /** Bools, bit after bit. */
  | { readonly kind: 'bits'; readonly from: number; readonly end: number };

export interface DataPage {
  readonly block: BlockHandle;
  /** Values, nulls among them. */
  readonly valueCount: number;
  readonly source: ValueSource;
  readonly conversion: Conversion;
  /** Whether its values are known to be UTF-8: their bytes are ASCII. */
  readonly isAscii: boolean;
}

/** Reads the data page whose header came last; the caller owns its block. */
export function openPage(
  reader: ValueReader,
  { column, pages }: { readonly column: OpenColumn; readonly pages: ChunkPages },
  header: PageHeader,
): DataPage {
  const page = pages.readPage();
  try {
    const from = startLevels(reader, column, header, page);
    const { conversion } = reader.leaf;
    const isViews = header.encoding === encodings.deltaByteArray;
    return {
      block: page.block,
      valueCount: header.valueCount,
      source: sourceOf(reader, column, header, { from, end: page.end }),
      conversion: isViews ? conversionOfViews(conversion) : conversion,
      isAscii: conversion.name === 'text' && reader.context.kernels.isAscii(from, page.end) === 1,
    };
  } catch (error) {
    reader.context.scope.memory.release(page.block);
    throw error;
  }
}

/** Puts the readers of levels at their starts; answers with where the values are. */
function startLevels(
  { context, leaf, state }: ValueReader,
  column: OpenColumn,
  header: PageHeader,
  { from, valuesFrom, end }: PageBytes,
): number {
  const levels = [
    { most: leaf.repetition, at: state + repetitionState, encoding: header.repetitionEncoding },
    { most: leaf.definition, at: state + definitionState, encoding: header.definitionEncoding },
  ];
  const { v2 } = header;
  const sizes = v2 === null ? null : [v2.repetitionBytes, v2.definitionBytes];
  let at = from;
  levels.forEach(({ most, at: levelState, encoding }, index) => {
    const isWritten = most > 0;
    let size = sizes?.[index] ?? 0;
    if (sizes === null && isWritten) {
      if (encoding !== encodings.rle) {
        const hint = 'Levels of this encoding are of writers before 2014; write the file anew.';
        throw unsupportedError(column.path, 'has levels that are BIT_PACKED', hint);
      }
      if (end - at < 4) throw damaged(column, 'levels');
      size = context.scope.memory.view.getUint32(at, true);
      at += 4;
    }
    if (size > end - at) throw damaged(column, 'levels');
    const width = 32 - Math.clz32(most);
    startRuns(context, levelState, { from: at, end: at + size, width });
    at += size;
  });
  return v2 === null ? at : valuesFrom;
}

function sourceOf(
  reader: ValueReader,
  column: OpenColumn,
  { encoding, valueCount }: PageHeader,
  { from, end }: { readonly from: number; readonly end: number },
): ValueSource {
  const { context, leaf, state } = reader;
  if (leaf.physical === physicalTypes.boolean) {
    if (encoding === encodings.plain) return { kind: 'bits', from, end };
    if (encoding === encodings.rle) {
      // The length in front says no more than the end of the page.
      startRuns(context, state, { from: Math.min(from + 4, end), end, width: 1 });
      return { kind: 'bitRuns' };
    }
  } else if (encoding === encodings.plainDictionary || encoding === encodings.rleDictionary) {
    const width = from < end ? (context.scope.memory.bytes[from] ?? 0) : 0;
    if (width > 32) throw damaged(column, 'indexes');
    startRuns(context, state, { from: Math.min(from + 1, end), end, width });
    return { kind: 'indexes' };
  }
  const values = pageValuesOf(reader, encoding, { from, end, valueCount });
  if (values !== null) return { kind: 'values', values };
  const name = Object.entries(encodings).find(([, one]) => one === encoding)?.[0] ?? `${encoding}`;
  throw corruptError(
    column.path,
    `has a page whose encoding (${name}) is not one of its type's, in column "${column.name}"`,
  );
}

/** Texts that share beginnings are views, also those of fixed size. */
function conversionOfViews(conversion: Conversion): Conversion {
  switch (conversion.name) {
    case 'fixedBytes':
      return { name: 'bytes', by: 0 };
    case 'decimalFromFixed':
      return { name: 'decimalFromBytes', by: 0 };
    default:
      return conversion;
  }
}

function damaged({ path, name }: OpenColumn, what: string) {
  return corruptError(path, `has a page whose ${what} are damaged, in column "${name}"`);
}
