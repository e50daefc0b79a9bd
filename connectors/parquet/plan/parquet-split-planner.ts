/**
 * Splits of Parquet files: row groups that lie side by side until enough is together, small files
 * together. Where there are few row groups for the tasks, they are cut by rows: pages that end before
 * a task's rows are passed over, which costs reading their headers.
 *
 *     file     [g0][g1][g2][          g3           ]        other, small files
 *     splits   [   0  ][1 ][   2   ][   3   ][  4  ]        [      5      ]
 *
 * Before: connectors/filesystem/file-enumerator.ts · After: connectors/parquet/read/parquet-reader.ts
 */
import { batchRowsMax } from '../../../engine/batch/batch.ts';
import type { Split } from '../../../engine/contracts/source.ts';
import type { Field } from '../../../engine/schema/schema.ts';
import { type SourceFile, splitBytesFor } from '../../filesystem/split-planner.ts';
import type { SplitRequest } from '../../formats/file-format.ts';
import { corruptError, unsupportedError } from '../parquet-errors.ts';
import type { ColumnChunk, RowGroup } from '../parquet-metadata.ts';
import { codecName, isKnownCodec } from '../read/uncompress.ts';
import { type ParquetScan, scanParquetFile } from './parquet-file-scan.ts';
import {
  type ChunkPlace,
  type ColumnPlan,
  type FilePart,
  type Piece,
  splitOfParts,
} from './parquet-split.ts';
import { type PlannedColumn, plannedColumnOf } from './planned-column.ts';

/** Files whose footers are read at the same time. */
const scansMax = 16;
/** With fewer splits for each task than this, row groups are cut. */
const splitsPerTaskMin = 4;

/** @param declared - The fields of the job's struct, which each file must have. */
export async function planParquetSplits(
  { files, parallelism, disk }: SplitRequest,
  declared: readonly Field[],
): Promise<readonly Split[]> {
  const found: { file: SourceFile; scan: ParquetScan }[] = [];
  for (let first = 0; first < files.length; first += scansMax) {
    const some = files.slice(first, first + scansMax);
    const scans = await Promise.all(some.map((file) => scanParquetFile(disk, file)));
    scans.forEach((scan, index) => {
      found.push({ file: some[index] as SourceFile, scan });
    });
  }
  const groupCount = found.reduce((sum, { scan }) => sum + scan.rowGroups.length, 0);
  const maker = new SplitMaker({
    targetBytes: splitBytesFor(files, parallelism),
    cutsGroups: groupCount < parallelism * splitsPerTaskMin,
  });
  for (const { file, scan } of found) {
    const columns = declared.map((field) => plannedColumnOf(file.path, scan, field));
    maker.add(file.path, columns, scan.rowGroups);
  }
  return maker.finish();
}

/** Puts row groups together until a split is full. */
class SplitMaker {
  readonly #targetBytes: number;
  readonly #cutsGroups: boolean;
  readonly #splits: Split[] = [];
  #parts: FilePart[] = [];
  #bytes = 0;

  constructor(options: { readonly targetBytes: number; readonly cutsGroups: boolean }) {
    this.#targetBytes = options.targetBytes;
    this.#cutsGroups = options.cutsGroups;
  }

  add(path: string, columns: readonly PlannedColumn[], groups: readonly RowGroup[]): void {
    const part = { path, columns: columns.map(({ plan }) => plan) };
    let pieces: Piece[] = [];
    const endPart = () => {
      if (pieces.length > 0) this.#parts.push({ ...part, pieces });
      pieces = [];
    };
    let firstRow = 0;
    for (const group of groups) {
      for (const piece of this.#piecesOf(path, columns, { ...group, firstRow })) {
        if (this.#bytes > 0 && this.#bytes + piece.sizeBytes > this.#targetBytes) {
          endPart();
          this.#endSplit();
        }
        pieces.push(piece);
        this.#bytes += piece.sizeBytes;
      }
      firstRow += group.rowCount;
    }
    endPart();
  }

  finish(): readonly Split[] {
    this.#endSplit();
    return this.#splits;
  }

  /** The whole row group, or rows of it, in multiples of what a batch has. */
  #piecesOf(
    path: string,
    columns: readonly PlannedColumn[],
    { rowCount, firstRow, chunks: all }: RowGroup & { readonly firstRow: number },
  ): Piece[] {
    if (rowCount === 0) return [];
    const chunks = columns.map(({ plan, chunkIndexes }) =>
      chunkIndexes.map((index, leaf) =>
        placeOf(path, plan, { chunk: all[index] as ColumnChunk, leaf, rowCount }),
      ),
    );
    // All columns count, as they do in the size of the source: progress is told in bytes of files.
    const sizeBytes = all.reduce((sum, { compressedBytes }) => sum + compressedBytes, 0);
    const units = Math.ceil(rowCount / batchRowsMax);
    const wanted = this.#cutsGroups ? Math.ceil(sizeBytes / this.#targetBytes) : 1;
    const count = Math.max(1, Math.min(units, wanted));
    const rowAt = (index: number) =>
      Math.min(rowCount, Math.floor((units * index) / count) * batchRowsMax);
    return Array.from({ length: count }, (_, index) => ({
      ...{ firstRow, rowCount, chunks, ranges: [[rowAt(index), rowAt(index + 1)] as const] },
      sizeBytes:
        Math.floor((sizeBytes * (index + 1)) / count) - Math.floor((sizeBytes * index) / count),
    }));
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
}

function placeOf(
  path: string,
  plan: ColumnPlan,
  { chunk, leaf, rowCount }: PlacedChunk,
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
  return { start, sizeBytes: compressedBytes, uncompressedBytes, codec, valueCount };
}
