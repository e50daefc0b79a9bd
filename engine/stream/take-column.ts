/** Takes rows of a column into a new one; views keep pointing at the same bytes. */
import type { Column } from '../batch/batch.ts';
import type { Kernels } from '../kernels/kernels.ts';
import { takeOf } from '../kernels/take-kernels.ts';
import { addressOf, type BlockHandle, type MemoryScope } from '../memory/slot-memory.ts';
import { bitmapSizeOf, valuesSizeOf } from '../schema/field-type.ts';

export interface TakeTarget {
  readonly scope: MemoryScope;
  readonly kernels: Kernels;
  /** New blocks are added here; whoever makes the batch owns them, also when this throws. */
  readonly blocks: BlockHandle[];
}

/** @param rows - Address of `count` u32 numbers of stored rows. */
export function takeColumn(
  { scope, kernels, blocks }: TakeTarget,
  column: Column,
  rows: number,
  count: number,
): Column {
  const room = (sizeBytes: number) => {
    const block = scope.allocate(sizeBytes);
    blocks.push(block);
    return addressOf(block);
  };
  const { type } = column;
  const values = room(valuesSizeOf(type, count));
  takeOf(kernels, type)(column.values, rows, count, values);
  if (column.validity === 0) return { type, validity: 0, values };
  const validity = room(bitmapSizeOf(count));
  kernels.take1Bit(column.validity, rows, count, validity);
  return { type, validity, values };
}
