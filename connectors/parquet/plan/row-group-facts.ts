/**
 * What a footer says of the values of a row group's columns, for asking whether a condition may hold for
 * one of its rows: bounds, and how many are null.
 */
import type { ColumnFacts, FactsOf } from '../../../engine/expr/may-hold.ts';
import type { FieldType } from '../../../engine/schema/field-type.ts';
import type { ColumnChunk, RowGroup, Statistics } from '../parquet-metadata.ts';
import type { LeafPlan } from './parquet-split.ts';
import type { PlannedColumn } from './planned-column.ts';
import { boundsOf, noBounds } from './value-bounds.ts';

export function rowGroupFacts({ chunks }: RowGroup, columns: readonly PlannedColumn[]): FactsOf {
  return (name) => {
    const column = columns.find(({ field }) => field.name === name);
    const [index, ...others] = column?.chunkIndexes ?? [];
    const chunk = index === undefined ? undefined : chunks[index];
    if (column === undefined || chunk === undefined || others.length > 0) return null;
    return chunkFacts(column, chunk);
  };
}

function chunkFacts({ plan, field }: PlannedColumn, chunk: ColumnChunk): ColumnFacts | null {
  const [leaf] = plan.leaves;
  if (leaf === undefined || plan.shape.kind !== 'leaf') return null;
  return factsOfStatistics({ leaf, type: field.type }, chunk);
}

/** Of a column of plain values. */
export function factsOfStatistics(
  { leaf, type }: { readonly leaf: LeafPlan; readonly type: FieldType },
  {
    statistics,
    valueCount,
  }: Pick<ColumnChunk, 'valueCount'> & {
    readonly statistics: Pick<Statistics, 'min' | 'max' | 'nullCount'> | null;
  },
): ColumnFacts {
  const nullCount = statistics?.nullCount ?? null;
  const bounds = statistics === null ? noBounds : boundsOf(leaf, type, statistics);
  return {
    ...bounds,
    mayBeNull: leaf.definition > 0 && nullCount !== 0,
    mayBeValue: nullCount === null || nullCount < valueCount,
  };
}
