/**
 * Row writers: turn batches into the bytes of a format. In text formats values go from the columns'
 * memory to the output byte by byte; no object, string or bigint per row, save the text of a float64.
 */
import type { Batch, Column } from '../../engine/batch/batch.ts';
import type { SlotMemory } from '../../engine/memory/slot-memory.ts';

export interface RowWriter {
  /** Writes what stands before the first row; called once. */
  writeHeader(): void;
  writeRows(batch: Batch): void;
  /** Writes what stands behind the last row; called once, before the output is flushed. */
  writeFooter(): void;
}

/** Whether the value is null. */
export function isNullAt(memory: SlotMemory, { validity }: Column, row: number): boolean {
  return validity !== 0 && ((memory.bytes[validity + (row >>> 3)]! >>> (row & 7)) & 1) === 0;
}
