/**
 * Snapshot harness: an operator in several tasks, each with its keys, that is ended and goes on from a snapshot in
 * other tasks, again and again. What comes out must be what a single task gives that nothing happens to.
 *
 *     attempt 1   rows ┃ rows         ┃ a barrier. Attempt 1 goes on behind it, its output is thrown away, and only
 *     attempt 2        ┃ rows ┃       then the rows of its snapshot are taken: they must be as they were.
 *     attempt 3               ┃ …     Attempts take turns in two memories: what is left of the last one is poison.
 *
 * Between two restarts some checkpoints complete, and those that follow may be written on top of them.
 *
 * Rows go to tasks by key group, as the exchange sends them. Watermarks and clock times go to all of them; after a
 * restart time may begin anew, at or before where it was, and nothing may come out for it.
 *
 * Compared are marks, as they go on behind the operator, and the rows between two of them, in any order; those that are equal in `orderedBy`, in order; rows that are
 * late; and what the operator has noted of rows.
 */
import { expect } from 'vitest';
import {
  isMark,
  lehmer,
  type OperatorCase,
  type Row,
  type RunMode,
  rowsFrom,
  runModes,
  type Step,
  sortedBetweenMarks,
} from './operator-harness.ts';
import { Attempt, type AttemptCase, type Piece } from './snapshot-attempt.ts';

export interface SnapshotCase extends AttemptCase, Pick<OperatorCase, 'rows' | 'steps'> {
  /** Columns of the output: rows that are equal in them must come in order. @defaultValue in any order */
  readonly orderedBy?: readonly string[];
  /** What counts of what has come out. @defaultValue the rows */
  readonly outcomeOf?: (rows: readonly Row[]) => readonly Row[];
  /** What must come out. @defaultValue what one task gives that is not interrupted */
  readonly expected?: readonly Row[];
}

interface Interruption {
  readonly mode: RunMode;
  /** Tasks of each attempt, in turn. */
  readonly parallelisms: readonly number[];
  /** Whether the attempt ends behind a piece of the input. */
  readonly endsBehind: (random: () => number) => boolean;
  readonly seed: number;
}

/** What came out of all attempts: marks among them, late rows, counts. */
interface Outcome {
  readonly rows: readonly Row[];
  readonly late: readonly Row[];
  readonly noted: Readonly<Record<string, number>>;
}

const harshModes = ['one-row batches', 'random batches', 'slow outbox', 'all at once, whole'];

/** Compares the case in many ways of being interrupted. */
export function checkSnapshots(snapshotCase: SnapshotCase): void {
  const isAlone = snapshotCase.keys.length === 0;
  const parallelisms = isAlone ? [1] : [1, 2, 7, 3, 1];
  for (const mode of runModes.filter(({ name }) => harshModes.includes(name))) {
    check(snapshotCase, { mode, parallelisms, endsBehind: () => true, seed: 1 });
  }
  for (let seed = 1; seed <= 3; seed++) checkSnapshotsOnce(snapshotCase, seed);
}

/** The same in one way that follows from the seed, for properties of random cases. */
export function checkSnapshotsOnce(snapshotCase: SnapshotCase, seed: number): void {
  const random = lehmer(seed + 1);
  const isAlone = snapshotCase.keys.length === 0;
  const parallelisms = Array.from({ length: 5 }, () =>
    isAlone ? 1 : ([1, 2, 3, 7][Math.floor(random() * 4)] ?? 1),
  );
  const mode = runModes[Math.floor(random() * runModes.length)] as RunMode;
  const share = random();
  check(snapshotCase, { mode, parallelisms, endsBehind: (next) => next() < share, seed });
}

function check(snapshotCase: SnapshotCase, interruption: Interruption): void {
  const { mode, parallelisms, seed } = interruption;
  const { outcomeOf = (rows) => rows, expected, orderedBy } = snapshotCase;
  const told = `${mode.name}, parallelisms ${parallelisms.join(' ')}, seed ${seed}`;
  const never = { ...interruption, parallelisms: [1], endsBehind: () => false };
  const whole = run(snapshotCase, never);
  const found = run(snapshotCase, interruption);
  const inOrder = (rows: readonly Row[]) => sortedBetweenMarks(outcomeOf(rows));
  expect(inOrder(found.rows), told).toEqual(inOrder(whole.rows));
  if (expected !== undefined) {
    const given = whole.rows.filter((row) => !isMark(row));
    expect(sortedBetweenMarks(outcomeOf(given)), told).toEqual(sortedBetweenMarks(expected));
  }
  if (orderedBy !== undefined) {
    expect(byKey(found.rows, orderedBy), `${told}, in order`).toEqual(byKey(whole.rows, orderedBy));
  }
  expect(sortedBetweenMarks(found.late), `${told}, late`).toEqual(sortedBetweenMarks(whole.late));
  expect(found.noted, `${told}, noted rows`).toEqual(whole.noted);
}

function run(snapshotCase: SnapshotCase, interruption: Interruption): Outcome {
  const { mode, parallelisms, endsBehind, seed } = interruption;
  const random = lehmer(seed + 1);
  const pieces = piecesOf(snapshotCase, mode, seed);
  const rows: Row[] = [];
  const late: Row[] = [];
  let attempt = new Attempt(snapshotCase, mode, parallelisms[0] ?? 1);
  const take = () => {
    rows.push(...attempt.takeRows());
    late.push(...attempt.takeLate());
  };
  for (let at = 0, attempts = 1, checkpoints = 0; at < pieces.length; at++) {
    const piece = pieces[at] as Piece;
    attempt.feed(piece);
    take();
    if (!('rows' in piece)) rows.push(markOf(piece, attempt.promisedMs));
    if (!endsBehind(random)) {
      if (parallelisms.length > 1 && random() < 0.5) {
        attempt.complete(attempt.snapshot(++checkpoints));
        take();
      }
      continue;
    }
    const barrier = attempt.snapshot(++checkpoints);
    take();
    const behind = pieces.slice(at + 1, at + 1 + Math.floor(random() * 4));
    const past = attempt.endBehind(barrier, behind);
    const parallelism = parallelisms[attempts++ % parallelisms.length] ?? 1;
    attempt = new Attempt(snapshotCase, mode, parallelism, past);
    if (random() < 0.5) attempt.advanceAnew(past.watermark, random);
  }
  attempt.finish();
  take();
  const { noted } = attempt;
  attempt.close();
  return { rows, late, noted };
}

/** The input, cut where the mode says; nothing in front of it, for a barrier that comes first. */
function piecesOf({ rows = [], steps = [] }: SnapshotCase, mode: RunMode, seed: number): Piece[] {
  const all: readonly Step[] = [...rows.map((row) => ({ row })), ...steps];
  const random = lehmer(seed + 1);
  const pieces: Piece[] = [{ rows: [], isRight: false }];
  for (let at = 0; at < all.length; ) {
    const step = all[at] as Step;
    if (!('row' in step || 'right' in step)) {
      pieces.push(step);
      at++;
      continue;
    }
    const kind = 'row' in step ? 'row' : 'right';
    const given = rowsFrom(all, at, kind).slice(0, Math.min(7, mode.batchRows(random)));
    pieces.push({ rows: given, isRight: kind === 'right' });
    at += given.length;
  }
  return pieces;
}

/** A watermark among rows, as it goes on behind the operator, or a clock time: where it stands counts, not what it says. */
function markOf(step: Step, promisedMs: number): Row {
  return { watermark: 'watermark' in step ? promisedMs : 'clock' };
}

/** Rows in order, apart for each key. */
function byKey(rows: readonly Row[], columns: readonly string[]): Record<string, Row[]> {
  const given = rows.filter((row) => !isMark(row));
  return Object.groupBy(given, (row) =>
    columns.map((column) => `${row[column]}`).join(' · '),
  ) as Record<string, Row[]>;
}
