/**
 * Arrow's dictionary-encoded arrays into the slot's memory: the dictionary becomes a column once, and
 * each row takes the value that its index names. Of texts these are 16-byte views, so the texts of a
 * dictionary are there once for all batches.
 *
 * A row is null where its index is, or where the value that it names is.
 */
import type * as arrow from 'apache-arrow';
import { assert } from '../../base/assert.ts';
import { takeOf } from '../kernels/take-kernels.ts';
import { addressOf } from '../memory/slot-memory.ts';
import { bitmapSizeOf, layoutOf, valuesSizeOf } from '../schema/field-type.ts';
import {
  allocate,
  bytesOf,
  corruptError,
  importValidity,
  isValidAt,
  type Part,
} from './arrow-part.ts';
import type { Column } from './batch.ts';

/** @param importColumn - Imports an array of values, nulls allowed. */
export function importIndexed(part: Part, importColumn: (values: Part) => Column): Column {
  const { field, rowCount, scope, kernels, blocks } = part;
  const { type } = field;
  const { memory } = scope;
  const { dictionary } = part.data;
  if (dictionary === undefined) throw corruptError(field, 'its dictionary');
  const known = part.dictionaries.get(dictionary, (owned) =>
    importDictionary({ ...part, blocks: owned }, dictionary, importColumn),
  );
  const ownValidity = importValidity(part);
  const indexes = scope.allocate(Math.max(1, rowCount) * 4);
  try {
    const rows = addressOf(indexes);
    writeIndexes(part, ownValidity, { rows, count: known.count });
    const values = allocate(part, valuesSizeOf(type, rowCount));
    if (known.count === 0) {
      // All rows are null, as `writeIndexes` has seen.
      memory.bytes.fill(0, values, values + valuesSizeOf(type, rowCount));
      return { type, validity: ownValidity, values };
    }
    takeOf(kernels, type)(known.column.values, rows, rowCount, values);
    const validity = bothValid(part, ownValidity, { rows, of: known.column.validity });
    if (layoutOf(type) === 'view') {
      if (validity !== 0) kernels.zeroNullViews(values, validity, rowCount);
      for (const block of known.blocks) {
        memory.retain(block);
        blocks.push(block);
      }
    }
    return { type, validity, values };
  } finally {
    memory.release(indexes);
  }
}

/** Where the dictionary's own nulls take part: a row is there if its index and its value are. */
function bothValid(
  part: Part,
  ownValidity: number,
  { rows, of }: { readonly rows: number; readonly of: number },
): number {
  if (of === 0) return ownValidity;
  const { rowCount, kernels, scope } = part;
  const sizeBytes = bitmapSizeOf(rowCount);
  const validity = allocate(part, sizeBytes);
  kernels.take1Bit(of, rows, rowCount, validity);
  if (ownValidity === 0) return validity;
  const { bytes } = scope.memory;
  for (let byte = 0; byte < sizeBytes; byte++) {
    bytes[validity + byte] = (bytes[validity + byte] ?? 0) & (bytes[ownValidity + byte] ?? 0);
  }
  return validity;
}

/** Indexes as u32; those of nulls are 0. */
function writeIndexes(
  part: Part,
  validity: number,
  { rows, count }: { readonly rows: number; readonly count: number },
): void {
  const { field, fromRow, rowCount, scope } = part;
  const { uint32, bytes } = scope.memory;
  const indexAt = indexReaderOf(part);
  for (let row = 0; row < rowCount; row++) {
    const isThere = isValidAt(bytes, validity, row);
    const index = isThere ? indexAt(fromRow + row) : 0;
    if (isThere && !(index >= 0 && index < count)) {
      throw corruptError(field, 'values for its indexes');
    }
    uint32[rows / 4 + row] = index;
  }
}

function indexReaderOf({ data, field, fromRow, rowCount }: Part): (row: number) => number {
  const indexes: unknown = data.values;
  if (indexes instanceof BigInt64Array || indexes instanceof BigUint64Array) {
    const bytes = bytesOf(indexes);
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
    if (words.length < (fromRow + rowCount) * 2) throw corruptError(field, 'indexes for its rows');
    return (row) => (words[row * 2 + 1] === 0 ? (words[row * 2] ?? 0) : -1);
  }
  const numbers = indexes as ArrayLike<number>;
  if (numbers.length < fromRow + rowCount) throw corruptError(field, 'indexes for its rows');
  return (row) => numbers[row] ?? 0;
}

/** A dictionary may come in several parts, since files add to it. */
function importDictionary(
  part: Part,
  dictionary: arrow.Vector,
  importColumn: (values: Part) => Column,
): { readonly column: Column; readonly count: number } {
  const { scope, field } = part;
  const pieces = dictionary.data.map((data) => ({
    count: data.length,
    column: importColumn({ ...part, data, fromRow: 0, rowCount: data.length }),
  }));
  const [only] = pieces;
  if (only !== undefined && pieces.length === 1) return only;
  const { type } = field;
  const count = pieces.reduce((sum, piece) => sum + piece.count, 0);
  const values = allocate(part, valuesSizeOf(type, count));
  const hasNulls = pieces.some(({ column }) => column.validity !== 0);
  const validity = hasNulls ? allocate(part, bitmapSizeOf(count)) : 0;
  const { bytes } = scope.memory;
  const setBit = (bitmap: number, row: number, isSet: boolean) => {
    const byte = bitmap + (row >>> 3);
    const mask = 1 << (row & 7);
    bytes[byte] = isSet ? (bytes[byte] ?? 0) | mask : (bytes[byte] ?? 0) & ~mask;
  };
  let first = 0;
  for (const { column, count: pieceCount } of pieces) {
    assert(column.type.kind === type.kind, 'all parts of a dictionary have its type');
    const isBits = layoutOf(type) === 'bits';
    if (!isBits) {
      const sizeBytes = valuesSizeOf(type, pieceCount);
      bytes.copyWithin(
        values + valuesSizeOf(type, first),
        column.values,
        column.values + sizeBytes,
      );
    }
    for (let row = 0; row < pieceCount; row++) {
      if (isBits) setBit(values, first + row, isValidAt(bytes, column.values, row));
      if (hasNulls) setBit(validity, first + row, isValidAt(bytes, column.validity, row));
    }
    first += pieceCount;
  }
  return { column: { type, values, validity }, count };
}
