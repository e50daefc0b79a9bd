/**
 * Bounds of a join's keys: a condition over key columns that is true for every row that may have a partner. It
 * is what a source asks its files' statistics; it need not be exact.
 *
 *     few build rows    key in (3, 8, 15)
 *     others            key >= 3 and key <= 4711            each column for itself
 *
 * A row whose key is null, or NaN, has no partner: it is in no bounds.
 */
import { batchRowsMax, type Column } from '../batch/batch.ts';
import { utf8ViewSize, viewText } from '../batch/utf8-view.ts';
import { valueReaderOf } from '../expr/column-values.ts';
import { comparatorOf } from '../expr/evaluate-compare.ts';
import type { Expr } from '../expr/expr.ts';
import { columnExpr, compareExpr, inExpr, logicExpr } from '../expr/expr-factory.ts';
import { literalOfValue } from '../expr/fold-literals.ts';
import type { Value } from '../expr/value.ts';
import type { Kernels } from '../kernels/kernels.ts';
import { takeOf } from '../kernels/take-kernels.ts';
import { addressOf, type MemoryScope } from '../memory/slot-memory.ts';
import type { Field, FieldType } from '../schema/field-type.ts';
import type { OwnedRows } from '../stream/owned-rows.ts';

export interface KeyBoundsOptions {
  readonly scope: MemoryScope;
  readonly kernels: Kernels;
  /** Sealed. */
  readonly rows: OwnedRows;
  /** Index of each key column among those of the rows. */
  readonly indexes: readonly number[];
  /** What the condition reads, of the same types. */
  readonly fields: readonly Field[];
}

export interface KeyBounds {
  /** Whether surely no row has a partner. */
  readonly isEmpty: boolean;
  /** Null where nothing is known. */
  readonly predicate: Expr | null;
}

/** With more build rows than this, keys are not looked at one by one. */
const listedRowsMax = 64;
/** Bounds of so many keys leave out little, and take a while. */
const boundedRowsMax = 1 << 21;
/** A list of rows, their values, and the two that are looked for. */
const listBytes = batchRowsMax * 4;
const valuesBytes = batchRowsMax * 16;
const resultBytes = 32;

/** @throws MEMORY_EXHAUSTED */
export function keyBoundsOf(options: KeyBoundsOptions): KeyBounds {
  const { rows, indexes, fields, scope } = options;
  if (rows.rowCount === 0) return { isEmpty: true, predicate: null };
  if (rows.rowCount > boundedRowsMax) return { isEmpty: false, predicate: null };
  const scratch = scope.allocate(listBytes + valuesBytes + resultBytes);
  try {
    let predicate: Expr | null = null;
    for (const [at, index] of indexes.entries()) {
      const field = fields[at];
      if (field === undefined) continue;
      const columns = columnsAt(rows, index);
      const own =
        rows.rowCount <= listedRowsMax
          ? listedKeys(options, field, columns)
          : keysBetween(options, { field, columns, scratch: addressOf(scratch) });
      if (own === 'none') return { isEmpty: true, predicate: null };
      if (own !== null) predicate = predicate === null ? own : logicExpr('and', predicate, own);
    }
    return { isEmpty: false, predicate };
  } finally {
    scope.memory.release(scratch);
  }
}

interface Part {
  readonly column: Column;
  readonly rowCount: number;
}

function columnsAt(rows: OwnedRows, index: number): readonly Part[] {
  return Array.from({ length: rows.chunkCount }, (_, chunk) => {
    const { columns, rowCount } = rows.chunk(chunk);
    return { column: columns[index] as Column, rowCount };
  });
}

/** Null: not known; `none`: there is no key. */
type Condition = Expr | null | 'none';

function listedKeys(
  { scope }: KeyBoundsOptions,
  field: Field,
  columns: readonly Part[],
): Condition {
  if (!isBounded(field.type)) return null;
  const literals = new Map<unknown, Expr>();
  for (const { column, rowCount } of columns) {
    const read = valueReaderOf(scope.memory, column);
    for (let row = 0; row < rowCount; row++) {
      const value = read(row);
      if (value === null || Number.isNaN(value)) continue;
      const literal = literalOfValue(value, field.type);
      if (literal?.kind !== 'literal') return null;
      literals.set(literal.value, literal);
    }
  }
  return literals.size === 0 ? 'none' : inExpr(columnExpr(field), [...literals.values()]);
}

interface BoundedColumn {
  readonly field: Field;
  readonly columns: readonly Part[];
  readonly scratch: number;
}

function keysBetween(
  options: KeyBoundsOptions,
  { field, columns, scratch }: BoundedColumn,
): Condition {
  const { type } = field;
  if (!isBounded(type)) return null;
  const isBelow = comparatorOf('lt', type, type);
  let [least, most]: [Value, Value] = [null, null];
  for (const part of columns) {
    const found = extremesOf(options, part, scratch);
    if (found === null) continue;
    if (least === null || isBelow(found.least, least)) least = found.least;
    if (most === null || isBelow(most, found.most)) most = found.most;
  }
  if (least === null || most === null) return 'none';
  const [from, to] = [literalOfValue(least, type), literalOfValue(most, type)];
  if (from === null || to === null) return null;
  const column = columnExpr(field);
  return logicExpr('and', compareExpr('ge', column, from), compareExpr('le', column, to));
}

function isBounded({ kind }: FieldType): boolean {
  return boundedKinds.has(kind);
}

const boundedKinds: ReadonlySet<FieldType['kind']> = new Set([
  'int32',
  'uint32',
  'date',
  'int64',
  'timestamp',
  'float32',
  'float64',
  'decimal',
  'utf8',
] as const);

/** Null where there is no value. */
function extremesOf(
  { scope, kernels }: KeyBoundsOptions,
  { column, rowCount }: Part,
  scratch: number,
): { readonly least: Value; readonly most: Value } | null {
  const { type, validity } = column;
  const values = scratch + listBytes;
  const count =
    validity === 0 ? rowCount : kernels.rowsByMark(validity, 0, 0, rowCount, 1, scratch);
  if (count === 0) return null;
  takeOf(kernels, type)(column.values, count === rowCount ? 0 : scratch, count, values);
  return denseExtremes({ scope, kernels }, { type, values, count, result: values + valuesBytes });
}

interface DenseValues {
  readonly type: FieldType;
  readonly values: number;
  readonly count: number;
  readonly result: number;
}

function denseExtremes(
  { scope, kernels }: Pick<KeyBoundsOptions, 'scope' | 'kernels'>,
  { type, values, count, result }: DenseValues,
) {
  const { memory } = scope;
  const { bigInt64, float64, uint32 } = memory;
  const both = <T>(read: (index: number) => T) => ({ least: read(0), most: read(1) });
  switch (type.kind) {
    case 'int64':
    case 'timestamp':
      kernels.extremesOfInts(values, count, 8, 1, result);
      return both((index) => bigInt64[result / 8 + index] ?? 0n);
    case 'float32':
    case 'float64': {
      const size = type.kind === 'float32' ? 4 : 8;
      if (kernels.extremesOfFloats(values, count, size, result) === 0) return null;
      return both((index) => float64[result / 8 + index] ?? 0);
    }
    case 'decimal':
      kernels.extremesOfDecimals(values, count, result);
      return both((index) => valueReaderOf(memory, { type, validity: 0, values: result })(index));
    case 'utf8':
      kernels.extremesOfTexts(values, count, result);
      return both((index) =>
        viewText(memory, values + (uint32[(result >>> 2) + index] ?? 0) * utf8ViewSize),
      );
    default:
      kernels.extremesOfInts(values, count, 4, type.kind === 'uint32' ? 0 : 1, result);
      return both((index) => Number(bigInt64[result / 8 + index] ?? 0n));
  }
}
