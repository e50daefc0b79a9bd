/**
 * File ranges: what a split of a file source consists of. A split is one piece of a large file, or
 * many whole small files; its payload is the list of its ranges as JSON.
 */
import { assert } from '../../base/assert.ts';
import type { Json } from '../../engine/contracts/json.ts';
import type { Split } from '../../engine/contracts/source.ts';

export interface SourceFile {
  readonly path: string;
  readonly sizeBytes: number;
}

export interface FileRange {
  readonly path: string;
  /** Half-open, in bytes: the range owns the lines that begin in `start <= byteOffset < end`. */
  readonly start: number;
  readonly end: number;
  /** Size of the whole file when it was found; what was appended later is not read. */
  readonly fileSize: number;
}

/**
 * A split of the ranges, which are in the order in which they are read.
 *
 * @param endFiles - The first and the last file of the source, for a reader that finds a file which is unlike others.
 */
export function splitOf(ranges: readonly FileRange[], endFiles: readonly SourceFile[] = []): Split {
  const first = ranges[0];
  assert(first !== undefined, 'a split has a range');
  const others = ranges.length > 1 ? ` and ${ranges.length - 1} more` : '';
  return {
    id: `${first.path}:${first.start}-${first.end}${others}`,
    sizeBytes: ranges.reduce((sum, range) => sum + (range.end - range.start), 0),
    payload: {
      ranges: ranges.map((range) => ({ ...range })),
      ...(endFiles.length > 0 && { endFiles: endFiles.map((file) => ({ ...file })) }),
    },
  };
}

/** The ranges of a split that `splitOf` made. */
export function rangesOf(payload: Json): readonly FileRange[] {
  const { ranges } = payload as unknown as { readonly ranges: readonly FileRange[] };
  assert(Array.isArray(ranges), 'the payload of a split of files has ranges');
  return ranges;
}

/** The first and the last file of the source that the split is of, or none. */
export function endFilesOf(payload: Json): readonly SourceFile[] {
  const { endFiles = [] } = payload as unknown as { readonly endFiles?: readonly SourceFile[] };
  return endFiles;
}

/** All of a file. */
export function wholeOf({ path, sizeBytes }: SourceFile): FileRange {
  return { path, start: 0, end: sizeBytes, fileSize: sizeBytes };
}
