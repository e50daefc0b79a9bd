/**
 * Row keys: how rows of a schema become sort rows of an order, for those who compare rows of several batches
 * by a kernel: merging gates, ranges.
 */
import { assert } from '../../base/assert.ts';
import type { Kernels } from '../kernels/kernels.ts';
import { sortRowSizeOf } from '../kernels/sort-kernels.ts';
import { type EncodedKey, encodedKeysOf, sortTypeOf } from '../kernels/sort-keys.ts';
import { fieldIndexOf, type Schema } from '../schema/schema.ts';
import type { OrderColumn } from './row-order.ts';

export interface RowKeys {
  readonly keys: readonly EncodedKey[];
  /** Bytes of a sort row. */
  readonly stride: number;
  /** Bit k is set when key k is descending. */
  readonly descendingBits: number;
}

export function rowKeysOf(
  kernels: Kernels,
  schema: Schema,
  order: readonly OrderColumn[],
): RowKeys {
  const keys = order.flatMap(({ column, isDescending, areNullsFirst }) => {
    const index = fieldIndexOf(schema, column);
    const type = schema.fields[index]?.type;
    assert(type !== undefined, 'columns of an order are in the schema');
    const key = { type: sortTypeOf(type), isDescending, areNullsLast: !areNullsFirst };
    return encodedKeysOf(kernels, key, index);
  });
  const descendingBits = keys.reduce((bits, key, at) => bits | (Number(key.isDescending) << at), 0);
  return { keys, stride: sortRowSizeOf(keys.length), descendingBits };
}
