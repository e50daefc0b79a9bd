/**
 * How many runs a sort can merge at once in its share of the memory, and how large the blocks of its files are.
 *
 *     share = reserve (files, writer, rows on their way out) + spare batches + runs × (block, views, sort rows)
 *
 * Blocks of 256 KiB make long reads; where the share is small, shorter ones let more runs be merged at once,
 * which saves whole passes over the data. A row that is larger than a block is one of its own: a run with such
 * rows takes as much more, and the reserve is for one more, on its way out.
 */
import { batchRowsMax } from '../batch/batch.ts';
import { isView, partBytesOf } from '../batch/body-layout.ts';
import { utf8ViewSize } from '../batch/utf8-view.ts';
import { crcTableBytes } from '../kernels/checksum-kernels.ts';
import { compressedBytesMax, compressTableBytes } from '../kernels/compression-kernels.ts';
import { layoutOf, valuesSizeOf } from '../schema/field-type.ts';
import type { Schema } from '../schema/schema.ts';
import type { SpillRun } from '../spill/spill-writer.ts';

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
  /** What spilling itself takes, besides the rows that are held and without rows larger than a block. */
  readonly reserveBytes: number;
  /** What batches of a merge may hold whose rows are on their way out. */
  readonly spareBytes: number;
  /** What a run without large rows takes. */
  readonly runBytes: number;
  readonly shareBytes: number;
}

/** @param sortRowBytes - Bytes of a sort row of the order. */
export function mergeSizeOf(schema: Schema, sortRowBytes: number, shareBytes: number): MergeSize {
  const blockBytes = shareBytes >= largeShareBytes ? largeBlockBytes : smallBlockBytes;
  const files =
    compressedBytesMax(blockBytes) + compressTableBytes + crcTableBytes + batchRowsMax * 4;
  const reserveBytes = pages(files) + pages(blockBytes) + outputBytesOf(schema);
  const batchBytes = blockBytes + pages(viewBytesOf(schema, bodyRowsOf(schema, blockBytes)));
  const runBytes = batchBytes + pages(bodyRowsOf(schema, blockBytes) * sortRowBytes);
  const spareBytes = spareBatches * batchBytes;
  return { blockBytes, reserveBytes, spareBytes, runBytes, shareBytes };
}

/** The least share with which two runs can be merged that have rows of so many bytes; 0: no large ones. */
export function leastBytesOf(size: MergeSize, largeRowBytes: number): number {
  const runs = runsMin * (size.runBytes + pages(largeRowBytes));
  return size.reserveBytes + pages(largeRowBytes) + size.spareBytes + runs;
}

/**
 * How many runs are to be merged next, from `place` on. All that are in the list: they can be merged at once. Else
 * the fewest that have to be, or the most that can.
 */
export function runsToMerge(size: MergeSize, runs: readonly SpillRun[], place: number): number {
  const extra = runs.map(({ blockBytesMax }) => extraBytesOf(size, blockBytesMax));
  const most = extra.reduce((a, b) => Math.max(a, b), 0);
  const room = size.shareBytes - size.reserveBytes - size.spareBytes - most;
  const costs = extra.map((bytes) => size.runBytes + bytes);
  let left = costs.reduce((sum, cost) => sum + cost, 0);
  if (runs.length <= runsMax && left <= room) return runs.length;
  // So many are one run when they are merged, which costs as much as the largest of them.
  let [count, bytes, largest] = [0, 0, 0];
  while (count < runsMax && place + count < runs.length) {
    const cost = costs[place + count] ?? 0;
    if (count >= runsMin && bytes + cost > room) break;
    bytes += cost;
    left -= count === 0 ? 0 : Math.min(cost, largest);
    largest = Math.max(largest, cost);
    count++;
    if (count >= runsMin && runs.length - count < runsMax && left <= room) break;
  }
  return count;
}

/** What a run takes more than usual. */
function extraBytesOf({ blockBytes }: MergeSize, blockBytesMax: number): number {
  return pages(Math.max(0, blockBytesMax - blockBytes));
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
