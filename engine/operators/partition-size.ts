/**
 * How operators that put rows on disk by partition divide their share of the memory.
 *
 *     share = reserve (files, scratch, a batch on its way in and out)
 *           + open partition writers × partitions × block
 *           + tables: what is kept in memory
 *
 * A row that is larger than a block is read, copied to disk and kept as a whole: then tables have less.
 *
 * More partitions and larger blocks mean fewer passes over the disk and longer writes; a small share has room
 * for neither.
 */
import { batchRowsMax } from '../batch/batch.ts';
import { utf8ViewSize } from '../batch/utf8-view.ts';
import { compressedBytesMax, compressTableBytes } from '../kernels/compression-kernels.ts';
import { layoutOf, valuesSizeOf } from '../schema/field-type.ts';
import type { Schema } from '../schema/schema.ts';

const largeShareBytes = 32 << 20;
const large = { blockBytes: 256 << 10, partitionCount: 16 } as const;
const small = { blockBytes: 64 << 10, partitionCount: 8 } as const;
/** Hashes, rows and widened keys of a batch; made for each writer. */
const partitionerBytes = batchRowsMax * 20 + 4096;
/** Blocks of large rows, which stay, and those of batches, which go, leave gaps between them that are of no use. */
const gapFactor = 1.5;
/** Below that, a table of groups is full before it is worth a pass. */
const groupTableBytesMin = 256 << 10;
/** Memory is given out in whole pages from half of one on. */
const pageBytes = 64 << 10;

export interface PartitionSizeOptions {
  /** Schemas of batches that are in memory at once: read, made, or both. */
  readonly batches: readonly Schema[];
  /** Partition writers that are open at once. */
  readonly writers: number;
  /** Tables that are in memory at once, each with as much. */
  readonly tables: number;
  /** What each table takes besides: scratch. */
  readonly scratchBytes: number;
  /** The least with which a table is of use. @defaultValue 256 KiB, which are some thousand groups */
  readonly tableBytesMin?: number;
}

export interface PartitionSize {
  readonly blockBytes: number;
  readonly partitionCount: number;
  /** What each table may have; below the least when the share is too small. */
  readonly tableBytes: number;
  /** Whether the share is large enough to go on with rows on disk. */
  readonly canSpill: boolean;
  /** The least share with which that can be done. */
  readonly leastBytes: number;
  readonly tables: number;
  readonly tableBytesMin: number;
}

export function partitionSizeOf(options: PartitionSizeOptions, shareBytes: number): PartitionSize {
  const { batches, writers, tables, scratchBytes, tableBytesMin = groupTableBytesMin } = options;
  const { blockBytes, partitionCount } = shareBytes >= largeShareBytes ? large : small;
  const files = compressedBytesMax(blockBytes) + compressTableBytes + batchRowsMax * 4;
  const reader = 2 * (blockBytes + pageBytes);
  const onTheWay = batches.reduce((sum, schema) => sum + batchBytesOf(schema), 0);
  const perWriter = partitionCount * (blockBytes + pageBytes) + pages(partitionerBytes);
  const besides =
    pages(files) + reader + onTheWay + writers * perWriter + tables * pages(scratchBytes);
  const tableBytes = Math.floor((shareBytes - besides) / tables);
  const canSpill = tableBytes >= tableBytesMin;
  return {
    blockBytes,
    partitionCount,
    tableBytes,
    canSpill,
    leastBytes: besides + tables * tableBytesMin,
    tables,
    tableBytesMin,
  };
}

/** What each table may have where rows on disk have up to so many bytes. */
export function tableBytesFor(size: PartitionSize, largeRowBytes: number): number {
  const extra = extraBytesOf(size, largeRowBytes);
  if (extra === 0) return size.tableBytes;
  return Math.max(1, Math.floor((size.tableBytes - 2 * extra) / gapFactor));
}

/** The least share with which that can be done: besides one that is read and one that is written a table has one. */
export function leastBytesFor(size: PartitionSize, largeRowBytes: number): number {
  const { leastBytes, tables, tableBytesMin } = size;
  const extra = extraBytesOf(size, largeRowBytes);
  if (extra === 0) return leastBytes;
  const tableBytes = Math.ceil((tableBytesMin + extra) * gapFactor) + 2 * extra;
  return leastBytes + tables * (tableBytes - tableBytesMin);
}

/** What such a row takes more than a block. */
function extraBytesOf({ blockBytes }: PartitionSize, largeRowBytes: number): number {
  return pages(Math.max(0, largeRowBytes - blockBytes));
}

/** A batch of 8,192 rows, without its texts. */
function batchBytesOf({ fields }: Schema): number {
  return fields.reduce((sum, { type, nullable }) => {
    const values =
      layoutOf(type) === 'view' ? batchRowsMax * utf8ViewSize : valuesSizeOf(type, batchRowsMax);
    return sum + pages(values) + (nullable ? batchRowsMax / 8 : 0);
  }, 0);
}

function pages(bytes: number): number {
  return Math.ceil(bytes / pageBytes) * pageBytes;
}
