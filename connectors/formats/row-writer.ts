/**
 * Row writers: turn batches into the bytes of a format. In text formats values go from the columns'
 * memory to the output byte by byte; no object, string or bigint per row, save the text of a float.
 */
import type { Batch, Column } from '../../engine/batch/batch.ts';
import { utf8ViewSize, viewBytesAddress, viewSizeOf } from '../../engine/batch/utf8-view.ts';
import type { SlotMemory } from '../../engine/memory/slot-memory.ts';
import { type FieldType, layoutOf, valueSizeOf } from '../../engine/schema/field-type.ts';

export interface RowWriter {
  /** Writes what stands before the first row; called once. */
  writeHeader(): void;
  writeRows(batch: Batch): void;
  /** Writes what stands behind the last row; called once, before the output is flushed. */
  writeFooter(): void;
  /** Releases what it holds; called once, also after a failure. */
  close?(): void;
}

/** Whether the value is null. */
export function isNullAt(memory: SlotMemory, { validity }: Column, row: number): boolean {
  return validity !== 0 && !isBitSet(memory, validity, row);
}

/** Writes the value of a row, which is not null. */
export type WriteCell = (values: number, row: number) => void;

/** The writer of a column's cells, made of one that takes a value's address and size, and one for bits. */
export function cellWriterOf(
  type: FieldType,
  memory: SlotMemory,
  write: (at: number, size: number) => void,
  writeBit: (value: boolean) => void,
): WriteCell {
  switch (layoutOf(type)) {
    case 'bits':
      return (values, row) => writeBit(isBitSet(memory, values, row));
    case 'fixed': {
      const size = valueSizeOf(type);
      return (values, row) => write(values + row * size, size);
    }
    default:
      return (values, row) => {
        const view = values + row * utf8ViewSize;
        write(viewBytesAddress(memory, view), viewSizeOf(memory, view));
      };
  }
}

function isBitSet(memory: SlotMemory, bits: number, row: number): boolean {
  return ((memory.bytes[bits + (row >>> 3)]! >>> (row & 7)) & 1) === 1;
}
