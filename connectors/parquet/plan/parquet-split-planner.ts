/**
 * Splits of Parquet files: row groups that lie side by side until enough is together, small files
 * together. Where there are few row groups for the tasks, they are cut by rows: pages that end before
 * a task's rows are passed over, which costs reading their headers.
 *
 *     file     [g0][g1][g2][          g3           ]        other, small files
 *     splits   [   0  ][1 ][   2   ][   3   ][  4  ]        [      5      ]
 *
 * Row groups in which no row can meet the predicate are in no split. Where files are not to be cut, a split has whole
 * ones.
 *
 * Before: connectors/filesystem/file-enumerator.ts · After: connectors/parquet/read/parquet-reader.ts
 */
import { batchRowsMax } from '../../../engine/batch/batch.ts';
import type { Split } from '../../../engine/contracts/source.ts';
import { addColumnNames } from '../../../engine/expr/column-names.ts';
import type { Expr } from '../../../engine/expr/expr.ts';
import { mayHold } from '../../../engine/expr/may-hold.ts';
import type { Field } from '../../../engine/schema/schema.ts';
import type { SourceFile } from '../../filesystem/file-range.ts';
import { splitBytesFor } from '../../filesystem/split-planner.ts';
import type { PlannedSplits, SplitRequest } from '../../formats/file-format.ts';
import { corruptError, unsupportedError } from '../parquet-errors.ts';
import type { ColumnChunk, RowGroup } from '../parquet-metadata.ts';
import { codecName, isKnownCodec } from '../read/uncompress.ts';
import { type ParquetScan, scanParquetFile } from './parquet-file-scan.ts';
import {
  type ChunkHints,
  type ChunkPlace,
  type ColumnPlan,
  type FilePart,
  type Piece,
  splitOfParts,
} from './parquet-split.ts';
import { type PlannedColumn, plannedColumnOf } from './planned-column.ts';
import { rowGroupFacts } from './row-group-facts.ts';

/** Files whose footers are read at the same time. */
const scansMax = 16;
/** With fewer splits for each task than this, row groups are cut. */
const splitsPerTaskMin = 4;

/** @param declared - The fields of the job's struct, which each file must have. */
export async function planParquetSplits(
  { files, parallelism, disk, isCut, predicate, filteredColumns = [] }: SplitRequest,
  declared: readonly Field[],
): Promise<PlannedSplits> {
  const found: PlannedFile[] = [];
  for (let first = 0; first < files.length; first += scansMax) {
    const some = files.slice(first, first + scansMax);
    const scans = await Promise.all(some.map((file) => scanParquetFile(disk, file)));
    scans.forEach((scan, index) => {
      found.push(plannedFileOf(some[index] as SourceFile, scan, { declared, predicate }));
    });
  }
  const groups = found.flatMap((file) => file.groups);
  const skipped = found.flatMap((file) => file.skipped);
  const wanted = found.map(({ path, groups: own }) => ({ path, sizeBytes: sumOf(own, bytesOf) }));
  const filtered = new Set(filteredColumns);
  const asked = new Set(filtered);
  if (predicate !== null) addColumnNames(predicate, asked);
  const maker = new SplitMaker({
    asked,
    filtered,
    targetBytes: splitBytesFor(wanted, parallelism),
    isCut,
    cutsGroups: isCut && groups.length < parallelism * splitsPerTaskMin,
  });
  for (const file of found) maker.add(file);
  const rows = sumOf(skipped, ({ rowCount }) => rowCount);
  return { splits: maker.finish(), skipped: { rows, rowGroups: skipped.length, pages: 0 } };
}

interface PlacedGroup extends RowGroup {
  /** Counted from the start of the file. */
  readonly firstRow: number;
}

interface PlannedFile {
  readonly path: string;
  readonly columns: readonly PlannedColumn[];
  readonly groups: readonly PlacedGroup[];
  /** Those in which no row can be wanted. */
  readonly skipped: readonly PlacedGroup[];
}

/** @throws SCHEMA_MISMATCH, PARQUET_FEATURE_UNSUPPORTED */
function plannedFileOf(
  { path }: SourceFile,
  scan: ParquetScan,
  { declared, predicate }: { readonly declared: readonly Field[]; readonly predicate: Expr | null },
): PlannedFile {
  const columns = declared.map((field) => plannedColumnOf(path, scan, field));
  const [groups, skipped]: [PlacedGroup[], PlacedGroup[]] = [[], []];
  let firstRow = 0;
  for (const group of scan.rowGroups) {
    const mayMatch = predicate === null || mayHold(predicate, rowGroupFacts(group, columns));
    if (group.rowCount > 0) (mayMatch ? groups : skipped).push({ ...group, firstRow });
    firstRow += group.rowCount;
  }
  return { path, columns, groups, skipped };
}

function sumOf<T>(parts: readonly T[], of: (part: T) => number): number {
  return parts.reduce((sum, part) => sum + of(part), 0);
}

/** All columns count, as they do in the size of the source: progress is told in bytes of files. */
function bytesOf({ chunks }: RowGroup): number {
  return sumOf(chunks, ({ compressedBytes }) => compressedBytes);
}

interface SplitOptions {
  readonly targetBytes: number;
  /** Whether a file may be in several splits. */
  readonly isCut: boolean;
  readonly cutsGroups: boolean;
  /** Names of the columns that the predicate reads, or dynamic filters. */
  readonly asked: ReadonlySet<string>;
  /** Those that dynamic filters read. */
  readonly filtered: ReadonlySet<string>;
}

/** Puts row groups, or files, together until a split is full. */
class SplitMaker {
  readonly #options: SplitOptions;
  readonly #splits: Split[] = [];
  #parts: FilePart[] = [];
  #bytes = 0;

  constructor(options: SplitOptions) {
    this.#options = options;
  }

  add({ path, columns, groups }: PlannedFile): void {
    const { isCut } = this.#options;
    if (!isCut && !this.#hasRoomFor(sumOf(groups, bytesOf))) this.#endSplit();
    const part = { path, columns: columns.map(({ plan }) => plan) };
    let pieces: Piece[] = [];
    const endPart = () => {
      if (pieces.length > 0) this.#parts.push({ ...part, pieces });
      pieces = [];
    };
    for (const group of groups) {
      for (const piece of this.#piecesOf(path, columns, group)) {
        if (isCut && !this.#hasRoomFor(piece.sizeBytes)) {
          endPart();
          this.#endSplit();
        }
        pieces.push(piece);
        this.#bytes += piece.sizeBytes;
      }
    }
    endPart();
  }

  finish(): readonly Split[] {
    this.#endSplit();
    return this.#splits;
  }

  /** The whole row group, or rows of it, in multiples of what a batch has. */
  #piecesOf(path: string, columns: readonly PlannedColumn[], group: PlacedGroup): Piece[] {
    const { rowCount, firstRow, chunks: all } = group;
    const { targetBytes, cutsGroups, asked, filtered } = this.#options;
    const chunks = columns.map(({ plan, chunkIndexes }) =>
      chunkIndexes.map((index, leaf) =>
        placeOf(path, plan, {
          ...{ chunk: all[index] as ColumnChunk, leaf, rowCount },
          isAsked: asked.has(plan.name),
          isFiltered: filtered.has(plan.name),
        }),
      ),
    );
    const sizeBytes = bytesOf(group);
    const units = Math.ceil(rowCount / batchRowsMax);
    const wanted = cutsGroups ? Math.ceil(sizeBytes / targetBytes) : 1;
    const count = Math.max(1, Math.min(units, wanted));
    const rowAt = (index: number) =>
      Math.min(rowCount, Math.floor((units * index) / count) * batchRowsMax);
    return Array.from({ length: count }, (_, index) => ({
      ...{ firstRow, rowCount, chunks, ranges: [[rowAt(index), rowAt(index + 1)] as const] },
      sizeBytes:
        Math.floor((sizeBytes * (index + 1)) / count) - Math.floor((sizeBytes * index) / count),
    }));
  }

  #hasRoomFor(sizeBytes: number): boolean {
    return this.#bytes === 0 || this.#bytes + sizeBytes <= this.#options.targetBytes;
  }

  #endSplit(): void {
    if (this.#parts.length > 0) this.#splits.push(splitOfParts(this.#parts));
    this.#parts = [];
    this.#bytes = 0;
  }
}

interface PlacedChunk {
  readonly chunk: ColumnChunk;
  /** Index of its leaf in the column. */
  readonly leaf: number;
  readonly rowCount: number;
  readonly isAsked: boolean;
  readonly isFiltered: boolean;
}

function placeOf(
  path: string,
  plan: ColumnPlan,
  { chunk, leaf, rowCount, isAsked, isFiltered }: PlacedChunk,
): ChunkPlace {
  const { start, compressedBytes, uncompressedBytes, codec, valueCount } = chunk;
  if (chunk.isEncrypted) {
    const hint = 'Encrypted columns can not be read; leave it out of the struct.';
    throw unsupportedError(path, `has column "${plan.name}" encrypted`, hint);
  }
  if (!isKnownCodec(codec)) {
    const hint = 'Write it with Snappy, zstd, gzip, Brotli or LZ4, or uncompressed.';
    throw unsupportedError(
      path,
      `has column "${plan.name}" compressed by ${codecName(codec)}`,
      hint,
    );
  }
  if (chunk.physical !== plan.leaves[leaf]?.physical) {
    throw corruptError(path, `has another type of column "${plan.name}" in a row group`);
  }
  if (plan.leaves[leaf]?.repetition === 0 && valueCount !== rowCount) {
    throw corruptError(path, `has another count of values of column "${plan.name}" than of rows`);
  }
  const { columnIndex, offsetIndex, bloomFilter, isAllIndexed } = chunk;
  const isFlat = plan.leaves[leaf]?.repetition === 0;
  const statistics = isFiltered ? statisticsOf(chunk) : {};
  return {
    ...{ start, sizeBytes: compressedBytes, uncompressedBytes, codec, valueCount },
    ...(isFlat && offsetIndex !== null && { offsetIndex }),
    ...(isAsked && { hints: { columnIndex, bloomFilter, isAllIndexed, ...statistics } }),
  };
}

/** Nothing where the file does not say. */
function statisticsOf({ statistics }: ColumnChunk): Pick<ChunkHints, 'statistics'> {
  if (statistics === null) return {};
  const { min, max, nullCount } = statistics;
  return { statistics: { min: min && [...min], max: max && [...max], nullCount } };
}
