/**
 * Sort keys: how columns become the keys of sort rows. Shared by the sort buffer, which merges rows of
 * any keys, and the radix buffer, which sorts rows of fixed-width keys by their digits.
 */
import { assertNever } from '../../base/assert.ts';
import type { FieldType } from '../schema/field-type.ts';
import type { ColumnAddress } from './group-table.ts';
import type { Kernels } from './kernels.ts';
import { type EncodeSort, sortOrder } from './sort-kernels.ts';

/** How a column is compared: by the type whose order it has, e.g. int64 for timestamps (`sortTypeOf`). */
export type SortType = Exclude<
  FieldType['kind'],
  'timestamp' | 'date' | 'binary' | 'list' | 'struct'
>;

export interface SortKey {
  readonly type: SortType;
  readonly isDescending: boolean;
  readonly areNullsLast: boolean;
}

export interface SortInput {
  /** The key columns, in the order of the keys. */
  readonly columns: readonly ColumnAddress[];
  readonly selection: number;
  readonly rowCount: number;
  /** Number of the batch's stored row 0; a row's number is this plus its stored row. */
  readonly firstNumber: number;
}

/** A key of sort rows: a key of the caller's, or half of one. */
export interface EncodedKey {
  readonly encode: EncodeSort;
  /** Index of the caller's key. */
  readonly column: number;
  readonly isText: boolean;
  readonly isDescending: boolean;
  /** Sum of `sortOrder` flags. */
  readonly order: number;
}

/** What sorts rows by keys, and gives their numbers back in order. */
export interface RowNumberSort {
  /** Rows held; with a limit, once sorted, at most that. */
  readonly rowCount: number;
  /** Sort before adding more: enough rows of a top-n have gathered. */
  readonly needsSort: boolean;
  /** Adds rows from `fromRow` on; returns the next row, short of `rowCount` when `needsSort`. */
  addRows(input: SortInput, fromRow: number): number;
  /** Sorts for one slice; true when all rows are in order. */
  sortSlice(): boolean;
  /** Writes the numbers (u32) of up to `rowsMax` rows from place `fromRow` of the order on. */
  readRowNumbers(fromRow: number, rowsMax: number, out: number): number;
  /** Begins anew with rows that are in order. */
  restart(input: SortInput): void;
  /** The most that it holds in bytes while it sorts so many rows. */
  peakBytes(rowCount: number): number;
  /** The longest stretch of memory that it asks for while it sorts so many rows, in bytes. */
  stretchBytes(rowCount: number): number;
  /** Forgets all rows. */
  clear(): void;
  /** Releases all memory; call once. */
  close(): void;
}

/** The type as which a sort compares values of a field: bytes for all that is behind views. */
export function sortTypeOf({ kind }: FieldType): SortType {
  switch (kind) {
    case 'timestamp':
      return 'int64';
    case 'date':
      return 'int32';
    case 'binary':
    case 'list':
    case 'struct':
      return 'utf8';
    default:
      return kind;
  }
}

/** The keys of sort rows for one key of the caller's. */
export function encodedKeysOf(kernels: Kernels, key: SortKey, column: number): EncodedKey[] {
  const { type, isDescending, areNullsLast } = key;
  const order =
    (isDescending ? sortOrder.descending : 0) + (areNullsLast ? sortOrder.nullsLast : 0);
  const encoders = encodersOf(kernels, type);
  return encoders.map((encode) => ({
    ...{ encode, column, isDescending, order },
    isText: type === 'utf8',
  }));
}

function encodersOf(kernels: Kernels, type: SortType): EncodeSort[] {
  switch (type) {
    case 'bool':
      return [kernels.encodeSortBool];
    case 'int8':
      return [kernels.encodeSortInt8];
    case 'int16':
      return [kernels.encodeSortInt16];
    case 'int32':
      return [kernels.encodeSortInt32];
    case 'uint8':
      return [kernels.encodeSortUint8];
    case 'uint16':
      return [kernels.encodeSortUint16];
    case 'uint32':
      return [kernels.encodeSortUint32];
    case 'int64':
      return [kernels.encodeSortInt64];
    case 'float32':
      return [kernels.encodeSortFloat32];
    case 'float64':
      return [kernels.encodeSortFloat64];
    case 'decimal':
      return [kernels.encodeSortDecimalHigh, kernels.encodeSortDecimalLow];
    case 'utf8':
      return [kernels.encodeSortUtf8];
    default:
      return assertNever(type);
  }
}

/** Where sort rows go. */
interface SortRowsTarget {
  /** The first row of the input to encode, counted among the selected ones. */
  readonly fromRow: number;
  readonly count: number;
  /** Address of the sort rows, and the bytes of one. */
  readonly rows: number;
  readonly stride: number;
}

/** Encodes rows of a batch as sort rows. */
export function encodeRows(
  kernels: Kernels,
  keys: readonly EncodedKey[],
  { selection, columns, firstNumber }: SortInput,
  { fromRow, count, rows, stride }: SortRowsTarget,
): void {
  kernels.startSortRows(selection, fromRow, count, rows, stride, firstNumber);
  for (let index = 0; index < keys.length; index++) {
    const { encode, column, order } = keys[index]!;
    const { values, validity } = columns[column]!;
    encode(values, validity, selection, fromRow, count, rows, stride, index, order);
  }
}
