/**
 * How many runs a sort can merge at once in its share of the memory, and how large the blocks of its files are.
 *
 *     share = reserve (files, writer, rows on their way out) + spare batches + runs × (block, views, sort rows)
 *
 * Blocks of 256 KiB make long reads; where the share is small, shorter ones let more runs be merged at once,
 * which saves whole passes over the data.
 */
import { batchRowsMax } from '../batch/batch.ts';
import { isView, partBytesOf } from '../batch/body-layout.ts';
import { utf8ViewSize } from '../batch/utf8-view.ts';
import { crcTableBytes } from '../kernels/checksum-kernels.ts';
import { compressedBytesMax, compressTableBytes } from '../kernels/compression-kernels.ts';
import { layoutOf, valuesSizeOf } from '../schema/field-type.ts';
import type { Schema } from '../schema/schema.ts';

/** Batches that rows of one output come from, besides one of each run. */
export const spareBatches = 4;
/** More runs cost more comparisons per row than another pass costs reads, and use up open files. */
const runsMax = 128;
const runsMin = 2;
const largeBlockBytes = 256 << 10;
const smallBlockBytes = 64 << 10;
/** Shares from which blocks are large. */
const largeShareBytes = 16 << 20;
/** Memory is given out in whole pages from half of one on. */
const pageBytes = 64 << 10;
const textBytesMax = 1 << 20; // Of a batch that is gathered.

export interface MergeSize {
  readonly blockBytes: number;
  /** Runs to be merged at once; below 2 when the share is too small. */
  readonly runs: number;
  /** What spilling itself takes, besides the rows that are held. */
  readonly reserveBytes: number;
  /** The least share with which two runs can be merged. */
  readonly leastBytes: number;
}

/** @param sortRowBytes - Bytes of a sort row of the order. */
export function mergeSizeOf(schema: Schema, sortRowBytes: number, shareBytes: number): MergeSize {
  const blockBytes = shareBytes >= largeShareBytes ? largeBlockBytes : smallBlockBytes;
  const files =
    compressedBytesMax(blockBytes) + compressTableBytes + crcTableBytes + batchRowsMax * 4;
  const reserveBytes = pages(files) + pages(blockBytes) + outputBytesOf(schema);
  const batchBytes = blockBytes + pages(viewBytesOf(schema, bodyRowsOf(schema, blockBytes)));
  const runBytes = batchBytes + pages(bodyRowsOf(schema, blockBytes) * sortRowBytes);
  const besides = reserveBytes + spareBatches * batchBytes;
  const runs = Math.min(runsMax, Math.floor((shareBytes - besides) / runBytes));
  return { blockBytes, runs, reserveBytes, leastBytes: besides + runsMin * runBytes };
}

/** The most rows that a body has in a block. */
function bodyRowsOf({ fields }: Schema, blockBytes: number): number {
  const bytesOf = (rows: number) =>
    fields.reduce((sum, { type }) => sum + partBytesOf(type, rows), 0);
  const rowBytes = bytesOf(batchRowsMax) / batchRowsMax;
  return Math.min(batchRowsMax, Math.floor(blockBytes / Math.max(rowBytes, 1 / 8)));
}

function viewBytesOf({ fields }: Schema, rows: number): number {
  return fields.filter(({ type }) => isView(type)).length * rows * utf8ViewSize;
}

/** A batch of 8,192 rows that were gathered. */
function outputBytesOf({ fields }: Schema): number {
  const hasText = fields.some(({ type }) => layoutOf(type) === 'view');
  return fields.reduce(
    (sum, { type }) => sum + pages(valuesSizeOf(type, batchRowsMax)),
    hasText ? textBytesMax + pageBytes : pageBytes,
  );
}

function pages(bytes: number): number {
  return Math.ceil(bytes / pageBytes) * pageBytes;
}
