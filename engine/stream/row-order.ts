/**
 * Row order: which of two rows, of any batches, comes first by some columns. Reads the columns in
 * place; nothing is decoded. Nulls are first or last as the column says, whatever its direction; NaN
 * is above all numbers; texts compare by their bytes, which for UTF-8 is the order of code points.
 *
 * For a few rows, such as those at the borders of batches; sorting and merging encode their keys instead
 * (engine/kernels).
 */
import { assert, assertNever } from '../../base/assert.ts';
import type { Batch, Column } from '../batch/batch.ts';
import { viewBytesAddress, viewSizeOf } from '../batch/utf8-view.ts';
import type { SlotMemory } from '../memory/slot-memory.ts';
import { fieldIndexOf, type Schema } from '../schema/schema.ts';

export interface OrderColumn {
  readonly column: string;
  readonly isDescending: boolean;
  readonly areNullsFirst: boolean;
}

/** The order of keys: ascending, nulls last. */
export function ascending(column: string): OrderColumn {
  return { column, isDescending: false, areNullsFirst: false };
}

/** Below 0 when stored row `a` of `left` comes before stored row `b` of `right`. */
export type CompareRows = (left: Batch, a: number, right: Batch, b: number) => number;

export function compareRowsBy(schema: Schema, order: readonly OrderColumn[]): CompareRows {
  const keys = order.map(({ column, isDescending, areNullsFirst }) => {
    const index = fieldIndexOf(schema, column);
    assert(index >= 0, 'columns of an order are in the schema');
    return { index, sign: isDescending ? -1 : 1, nullSign: areNullsFirst ? -1 : 1 };
  });
  return (left, a, right, b) => {
    for (const { index, sign, nullSign } of keys) {
      const first = columnOf(left, index);
      const second = columnOf(right, index);
      const isFirstNull = isNull(left.memory, first, a);
      const isSecondNull = isNull(right.memory, second, b);
      if (isFirstNull || isSecondNull) {
        if (isFirstNull !== isSecondNull) return isFirstNull ? nullSign : -nullSign;
        continue;
      }
      const compared = compareValues(left.memory, first, a, second, b);
      if (compared !== 0) return sign * compared;
    }
    return 0;
  };
}

function columnOf(batch: Batch, index: number): Column {
  const column = batch.columns[index];
  assert(column !== undefined, 'compared batches have the schema of the order');
  return column;
}

function isNull(memory: SlotMemory, { validity }: Column, row: number): boolean {
  return validity !== 0 && !bitAt(memory, validity, row);
}

function bitAt(memory: SlotMemory, bitmap: number, row: number): boolean {
  return (((memory.bytes[bitmap + (row >>> 3)] ?? 0) >>> (row & 7)) & 1) === 1;
}

function compareValues(
  memory: SlotMemory,
  first: Column,
  a: number,
  second: Column,
  b: number,
): number {
  const { kind } = first.type;
  switch (kind) {
    case 'bool':
      return Number(bitAt(memory, first.values, a)) - Number(bitAt(memory, second.values, b));
    case 'int8':
      return compare(signed8(memory, first.values + a), signed8(memory, second.values + b));
    case 'uint8':
      return compare(memory.bytes[first.values + a], memory.bytes[second.values + b]);
    case 'int16':
      return compare(memory.int16[first.values / 2 + a], memory.int16[second.values / 2 + b]);
    case 'uint16':
      return compare(memory.uint16[first.values / 2 + a], memory.uint16[second.values / 2 + b]);
    case 'int32':
    case 'date':
      return compare(memory.int32[first.values / 4 + a], memory.int32[second.values / 4 + b]);
    case 'uint32':
      return compare(memory.uint32[first.values / 4 + a], memory.uint32[second.values / 4 + b]);
    case 'float32':
      return compareFloats(
        memory.float32[first.values / 4 + a] ?? 0,
        memory.float32[second.values / 4 + b] ?? 0,
      );
    case 'float64':
      return compareFloats(
        memory.float64[first.values / 8 + a] ?? 0,
        memory.float64[second.values / 8 + b] ?? 0,
      );
    case 'int64':
    case 'timestamp':
      return compareInt64(memory, first.values + a * 8, second.values + b * 8);
    case 'decimal':
      return compareInt128(memory, first.values + a * 16, second.values + b * 16);
    case 'utf8':
    case 'binary':
    case 'list':
    case 'struct':
      return compareTexts(memory, first.values + a * 16, second.values + b * 16);
    default:
      return assertNever(kind);
  }
}

function compare(a = 0, b = 0): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function compareFloats(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return compare(a, b);
}

function compareInt64({ int32, uint32 }: SlotMemory, a: number, b: number): number {
  const high = compare(int32[a / 4 + 1], int32[b / 4 + 1]);
  return high !== 0 ? high : compare(uint32[a / 4], uint32[b / 4]);
}

function compareInt128(memory: SlotMemory, a: number, b: number): number {
  const high = compareInt64(memory, a + 8, b + 8);
  if (high !== 0) return high;
  const { uint32 } = memory;
  const middle = compare(uint32[a / 4 + 1], uint32[b / 4 + 1]);
  return middle !== 0 ? middle : compare(uint32[a / 4], uint32[b / 4]);
}

/** The byte with its sign. */
function signed8({ bytes }: SlotMemory, at: number): number {
  return ((bytes[at] ?? 0) << 24) >> 24;
}

function compareTexts(memory: SlotMemory, a: number, b: number): number {
  const { bytes } = memory;
  const [sizeA, sizeB] = [viewSizeOf(memory, a), viewSizeOf(memory, b)];
  const [fromA, fromB] = [viewBytesAddress(memory, a), viewBytesAddress(memory, b)];
  const size = Math.min(sizeA, sizeB);
  for (let index = 0; index < size; index++) {
    const difference = (bytes[fromA + index] ?? 0) - (bytes[fromB + index] ?? 0);
    if (difference !== 0) return difference;
  }
  return sizeA - sizeB;
}
