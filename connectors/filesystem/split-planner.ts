/**
 * Cuts files into splits: large files by bytes, so that one file keeps all tasks busy; small files
 * together, so that thousands of them cost no more than one.
 *
 *     files    ████████████████████ big      ▪ ▪ ▪▪ ▪ ▪▪ small ones
 *     splits   [ 0 ][ 1 ][ 2 ][ 3 ]          [    4    ][ 5 ]
 *
 * Splits are handed out one by one, so 16 per task let a slow task take fewer of them; between 1 MiB
 * (below that the hand-out costs more than the reading) and 32 MiB (progress and cancel stay lively).
 *
 * Invariant: the ranges tile every file exactly once; an empty file has none.
 */
import { compressionOf } from '../../base/compression.ts';
import type { Split } from '../../engine/contracts/source.ts';
import { type FileRange, type SourceFile, splitOf, wholeOf } from './file-range.ts';

const mib = 1 << 20;
const splitBytesMin = mib;
const splitBytesMax = 32 * mib;
const splitsPerTask = 16;
/** What opening a file costs, in bytes that could be read meanwhile: 30 µs at 1 GB/s. */
const openCostBytes = 32 << 10;

export interface SplitRules {
  /** Whether files are cut at all; compressed ones never are. @defaultValue true */
  readonly isCut?: boolean;
  /** Whether readers are told of the first and the last file. @defaultValue false */
  readonly namesEndFiles?: boolean;
}

/**
 * Splits of the files, in their order.
 *
 * @param parallelism - Tasks that will read, 1 or more.
 */
export function planSplits(
  files: readonly SourceFile[],
  parallelism: number,
  { isCut = true, namesEndFiles = false }: SplitRules = {},
): Split[] {
  const readable = files.filter((file) => file.sizeBytes > 0);
  const [first, last] = [readable[0], readable.at(-1)];
  const hasEnds = namesEndFiles && first !== undefined && last !== undefined && first !== last;
  const endFiles = hasEnds ? [first, last] : [];
  const target = splitBytesFor(readable, parallelism);
  const splits: Split[] = [];
  let together: FileRange[] = [];
  let togetherCost = 0;
  const endTogether = () => {
    if (together.length > 0) splits.push(splitOf(together, endFiles));
    together = [];
    togetherCost = 0;
  };
  for (const file of readable) {
    if (file.sizeBytes > target && isCut && compressionOf(file.path) === null) {
      endTogether();
      for (const range of rangesOfLarge(file, target)) splits.push(splitOf([range], endFiles));
      continue;
    }
    const cost = file.sizeBytes + openCostBytes;
    if (togetherCost + cost > target + openCostBytes) endTogether();
    together.push(wholeOf(file));
    togetherCost += cost;
  }
  endTogether();
  return splits;
}

/** How many bytes a split has at most, so that all tasks get enough of them. */
export function splitBytesFor(files: readonly SourceFile[], parallelism: number): number {
  const cost = files.reduce((sum, file) => sum + file.sizeBytes + openCostBytes, 0);
  const wanted = Math.ceil(cost / (parallelism * splitsPerTask));
  return Math.min(Math.max(wanted, splitBytesMin), splitBytesMax);
}

/** Pieces of nearly equal size, none above the target. */
function rangesOfLarge({ path, sizeBytes }: SourceFile, target: number): FileRange[] {
  const count = Math.ceil(sizeBytes / target);
  return Array.from({ length: count }, (_, index) => ({
    path,
    start: Math.floor((sizeBytes * index) / count),
    end: Math.floor((sizeBytes * (index + 1)) / count),
    fileSize: sizeBytes,
  }));
}
