/** What the footer of a Parquet file says of its rows, for the planner: counts and bounds of columns. */
import type { ColumnStatistics, SourceStatistics } from '../../../engine/contracts/source.ts';
import type { Value } from '../../../engine/expr/value.ts';
import type { Field } from '../../../engine/schema/schema.ts';
import { joinStatistics } from '../../filesystem/file-statistics.ts';
import type { StatisticsRequest } from '../../formats/file-format.ts';
import type { ColumnChunk, RowGroup } from '../parquet-metadata.ts';
import { scanParquetFile } from './parquet-file-scan.ts';
import { type PlannedColumn, plannedColumnOf } from './planned-column.ts';
import { boundsOf } from './value-bounds.ts';

/** @throws SCHEMA_MISMATCH, PARQUET_CORRUPT, PARQUET_FEATURE_UNSUPPORTED, SOURCE_UNREADABLE */
export async function parquetStatistics(
  { file, disk }: Omit<StatisticsRequest, 'options'>,
  declared: readonly Field[],
): Promise<SourceStatistics> {
  const scan = await scanParquetFile(disk, file);
  const columns = declared.map((field) => plannedColumnOf(file.path, scan, field));
  const groups = scan.rowGroups.filter(({ rowCount }) => rowCount > 0);
  const { columns: joined } = joinStatistics(
    groups.map((group) => groupStatistics(group, columns)),
  );
  return { rowCount: scan.rowCount, sizeBytes: file.sizeBytes, columns: joined };
}

function groupStatistics(
  { rowCount, chunks }: RowGroup,
  columns: readonly PlannedColumn[],
): SourceStatistics {
  const of = (column: PlannedColumn) => columnStatistics(column, chunks);
  return {
    rowCount,
    sizeBytes: null,
    columns: Object.fromEntries(columns.map((column) => [column.field.name, of(column)])),
  };
}

function columnStatistics(
  { field, plan, chunkIndexes }: PlannedColumn,
  chunks: readonly ColumnChunk[],
): ColumnStatistics {
  const own = chunkIndexes.flatMap((index) => chunks[index] ?? []);
  const sizeBytes = own.reduce((sum, { compressedBytes }) => sum + compressedBytes, 0);
  const [chunk, ...others] = own;
  const [leaf] = plan.leaves;
  const statistics = others.length === 0 ? (chunk?.statistics ?? null) : null;
  if (statistics === null || leaf === undefined || plan.shape.kind !== 'leaf') {
    return { sizeBytes, nullCount: null, min: null, max: null, distinctCount: null };
  }
  const { nullCount, distinctCount } = statistics;
  const { least, most } = boundsOf(leaf, field.type, statistics);
  return {
    ...{ sizeBytes, nullCount, distinctCount },
    min: numberOf(least, field.type),
    max: numberOf(most, field.type),
  };
}

function numberOf(value: Value, type: Field['type']): number | null {
  if (typeof value !== 'bigint' && typeof value !== 'number') return null;
  return Number(value) / (type.kind === 'decimal' ? 10 ** type.scale : 1);
}
