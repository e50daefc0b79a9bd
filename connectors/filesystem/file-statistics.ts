/**
 * Statistics of many files: a few of them are looked at, spread over all, and the rest is taken to be
 * like these. So a folder of ten thousand files costs no more than one of sixteen.
 */
import type { ColumnStatistics, SourceStatistics } from '../../engine/contracts/source.ts';
import type { SourceFile } from './file-range.ts';

/** Files that are looked at, at the same time. */
const sampledMax = 16;

/** The files to look at; all where there are few. */
export function sampleOf(files: readonly SourceFile[]): readonly SourceFile[] {
  const step = Math.max(1, files.length / sampledMax);
  const count = Math.min(files.length, sampledMax);
  return Array.from({ length: count }, (_, index) => files[Math.floor(index * step)] as SourceFile);
}

/** @param known - Of the files of `sampleOf`; nothing where the format knows nothing. */
export function statisticsOfFiles(
  files: readonly SourceFile[],
  known: readonly SourceStatistics[],
): SourceStatistics {
  const sizeBytes = sumOf(files, (file) => file.sizeBytes);
  if (known.length === 0) return { rowCount: null, sizeBytes, columns: {} };
  const ofSampled = sumOf(sampleOf(files), (file) => file.sizeBytes) ?? 0;
  const factor =
    known.length === files.length || ofSampled === 0 ? 1 : (sizeBytes ?? 0) / ofSampled;
  const { rowCount, columns } = joinStatistics(known);
  return {
    rowCount: scaled(rowCount, factor),
    sizeBytes,
    columns: Object.fromEntries(
      Object.entries(columns).map(([name, column]) => [name, scaledColumn(column, factor)]),
    ),
  };
}

/** The statistics of all rows of several parts, such as files or row groups. */
export function joinStatistics(parts: readonly SourceStatistics[]): SourceStatistics {
  const names = new Set(parts.flatMap(({ columns }) => Object.keys(columns)));
  return {
    rowCount: sumOf(parts, ({ rowCount }) => rowCount),
    sizeBytes: sumOf(parts, ({ sizeBytes }) => sizeBytes),
    columns: Object.fromEntries(
      [...names].map((name) => [name, joinColumns(parts.map(({ columns }) => columns[name]))]),
    ),
  };
}

function joinColumns(columns: readonly (ColumnStatistics | undefined)[]): ColumnStatistics {
  const [only, ...others] = columns;
  if (only !== undefined && others.length === 0) return only;
  return {
    sizeBytes: sumOf(columns, (column) => column?.sizeBytes ?? null),
    nullCount: sumOf(columns, (column) => column?.nullCount ?? null),
    min: boundOf(columns, (column) => column?.min ?? null, Math.min),
    max: boundOf(columns, (column) => column?.max ?? null, Math.max),
    // The same values may be in all parts, or others in each.
    distinctCount: null,
  };
}

/** Null where one is not known. */
function sumOf<T>(parts: readonly T[], of: (part: T) => number | null): number | null {
  let sum = 0;
  for (const part of parts) {
    const count = of(part);
    if (count === null) return null;
    sum += count;
  }
  return sum;
}

function boundOf<T>(
  parts: readonly T[],
  of: (part: T) => number | null,
  join: (a: number, b: number) => number,
): number | null {
  let bound: number | null = null;
  for (const part of parts) {
    const value = of(part);
    if (value === null) return null;
    bound = bound === null ? value : join(bound, value);
  }
  return bound;
}

function scaled(count: number | null, factor: number): number | null {
  return count === null ? null : Math.round(count * factor);
}

function scaledColumn(column: ColumnStatistics, factor: number): ColumnStatistics {
  const { sizeBytes, nullCount } = column;
  return {
    ...column,
    sizeBytes: scaled(sizeBytes, factor),
    nullCount: scaled(nullCount, factor),
    distinctCount: factor === 1 ? column.distinctCount : null,
  };
}
