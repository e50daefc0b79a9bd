/** Everything that a reader gives for some ranges: rows and dead letters as plain values. */
import fs from 'node:fs';
import { type FileRange, splitOf } from '../../connectors/filesystem/file-range.ts';
import type { Batch } from '../../engine/batch/batch.ts';
import { readRows } from '../../engine/batch/row-reader.ts';
import type { Split, SplitReader } from '../../engine/contracts/source.ts';

export type Row = ReturnType<typeof readRows>[number];

/** Reads the ranges, each list of them as one split, and closes the reader. */
export function readRecords(reader: SplitReader, splits: readonly (readonly FileRange[])[]) {
  return readSplits(
    reader,
    splits.map((ranges) => splitOf(ranges)),
  );
}

/** Reads the splits and closes the reader. */
export function readSplits(reader: SplitReader, splits: readonly Split[]) {
  const rows: Row[] = [];
  const letters: Row[] = [];
  const batchRows: number[] = [];
  const take = (batch: Batch, into: Row[]) => {
    into.push(...readRows(batch));
    batch.release();
  };
  const takeLetters = () => {
    for (let bad = reader.takeDeadLetters?.(); bad; bad = reader.takeDeadLetters?.()) {
      take(bad, letters);
    }
  };
  try {
    for (const split of splits) {
      reader.open(split);
      for (let result = reader.read(); result !== 'end'; result = reader.read()) {
        if (typeof result !== 'string') {
          batchRows.push(result.rowCount);
          take(result, rows);
        }
        takeLetters();
      }
      takeLetters();
    }
    return { rows, letters, batchRows, bytesRead: reader.bytesRead };
  } finally {
    reader.close();
  }
}

export function wholeFile(file: string): FileRange {
  const fileSize = fs.statSync(file).size;
  return { path: file, start: 0, end: fileSize, fileSize };
}

/** Ranges of the file with borders at the places given; none is empty. */
export function rangesAt(file: string, borders: readonly number[]): FileRange[] {
  const fileSize = fs.statSync(file).size;
  const inside = borders.filter((border) => border > 0 && border < fileSize);
  const places = [...new Set([0, ...inside, fileSize])].sort((a, b) => a - b);
  return places
    .slice(1)
    .map((end, index) => ({ path: file, start: places[index] ?? 0, end, fileSize }))
    .filter((range) => range.end > range.start);
}
