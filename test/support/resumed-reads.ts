/**
 * Reads splits with a new reader after each move: each goes on where the one before it was, as after a crash right
 * behind a checkpoint. A call that gives nothing out and goes past nothing is no move.
 */
import type { Batch } from '../../engine/batch/batch.ts';
import { readRows } from '../../engine/batch/row-reader.ts';
import type { Json } from '../../engine/contracts/json.ts';
import type { Split, SplitReader } from '../../engine/contracts/source.ts';
import type { Row } from './read-records.ts';

/** What readers gave, in its order. */
export interface ResumedRead {
  readonly rows: readonly Row[];
  readonly letters: readonly Row[];
  /** By split: what its last reader says that it has read. */
  readonly bytesRead: readonly number[];
  /** How many readers went on where another had been. */
  readonly resumedCount: number;
}

/** So often a reader may stay where it is: each call that decompresses what is wanted no more is one. */
const callsMax = 10_000;

/** @param movesPerReader - So often does each reader get further. @defaultValue 1 */
export function readResumed(
  newReader: () => SplitReader,
  splits: readonly Split[],
  movesPerReader = 1,
): ResumedRead {
  const given: Given = { rows: [], letters: [] };
  const bytesRead: number[] = [];
  let resumedCount = 0;
  for (const split of splits) {
    let next: Split | null = split;
    while (next !== null) {
      const reader = newReader();
      try {
        reader.open(structuredClone(next));
        const position = readSome(reader, movesPerReader, given);
        if (position === 'end') bytesRead.push(reader.bytesRead);
        else resumedCount++;
        next = position === 'end' ? null : { ...split, position };
      } finally {
        reader.close();
      }
    }
  }
  return { ...given, bytesRead, resumedCount };
}

interface Given {
  readonly rows: Row[];
  readonly letters: Row[];
}

/** The position after so many moves, or that the split has ended. */
function readSome(reader: SplitReader, moves: number, given: Given): Json | 'end' {
  let position = positionOf(reader);
  for (let moved = 0, calls = 0; moved < moves; calls++) {
    if (calls > callsMax) throw new Error(`the reader stays at ${position}`);
    const result = reader.read();
    if (typeof result !== 'string') give(result, given.rows);
    for (let bad = reader.takeDeadLetters?.(); bad; bad = reader.takeDeadLetters?.()) {
      give(bad, given.letters);
    }
    if (result === 'end') return 'end';
    const before = position;
    position = positionOf(reader);
    if (position !== before) moved++;
  }
  return JSON.parse(position);
}

function give(batch: Batch, to: Row[]): void {
  to.push(...readRows(batch));
  batch.release();
}

/** As a checkpoint has it. */
function positionOf(reader: SplitReader): string {
  if (reader.snapshot === undefined) throw new Error('the reader says where it is');
  return JSON.stringify(reader.snapshot());
}
