/**
 * Where the first record of a range of a CSV file begins, though a line break may lie in quotes.
 *
 *     …"one, "x",2\n"two\nlines",3\n"four",4\n…
 *                 │ cut here: inside quotes or outside? Looking on, both are tried:
 *                 outside   \n  "two\nlines",      a quote opens at a field's start: it may be so
 *                 inside    \n  "two               a quote closes before a letter: it can't be
 *
 * The text ahead of a cut is read with both assumptions, until what RFC 4180 says of quotes rules one
 * out. Mostly the first quote does. Where a megabyte does not, outside is assumed.
 *
 * Why this is safe: the answer depends on the bytes behind the cut only, so the range before the cut
 * computes it too, and compares it with where its own last record ends. The first range knows where it
 * begins; so if all ranges agree with their neighbours every record is read once, and otherwise the job
 * fails (CSV_CUT) and says how to read the file uncut.
 * @see Ge, Li, Eilebrecht, Chandramouli, Kossmann 2019, "Speculative Distributed CSV Data Parsing": the
 * patterns that tell; there the guess is checked afterwards by one place that knows all ranges.
 */
import type { SyncDisk } from '../../base/env/disk.ts';
import { typedError } from '../../base/typed-error.ts';
import type { FileRange } from '../filesystem/file-range.ts';
import { type FileBytes, openFileBytes } from './file-bytes.ts';

const newline = 10;
const carriageReturn = 13;
/** How far ahead of a cut the quotes are looked at, before outside is assumed. */
const aheadBytesMax = 1 << 20;
const byteOrderMark = [0xef, 0xbb, 0xbf];
const firstAheadBytes = 16 << 10;

export interface QuoteRules {
  readonly delimiter: number;
  readonly quote: number;
}

/**
 * The byte offset of the first record that begins at `offset` or behind it; the file's size where there
 * is none. The record that holds the byte before `offset` belongs to somebody else.
 */
export function firstRecordFrom(
  disk: SyncDisk,
  range: FileRange,
  offset: number,
  rules: QuoteRules,
): number {
  if (offset >= range.fileSize) return range.fileSize;
  const file = openFileBytes(disk, range);
  try {
    // From the byte before, which may be the line break that ends a record, and the one before that.
    const start = Math.max(0, offset - 2);
    for (let size = firstAheadBytes; ; size *= 4) {
      const end = Math.min(start + size, range.fileSize);
      const bytes = bytesAt(file, start, end);
      const isFileEnd = end === range.fileSize;
      const ends = { isFileStart: start === 0, isFileEnd };
      const found = firstRecordIn(bytes, offset - 1 - start, ends, rules);
      if (found !== null) return start + found;
    }
  } finally {
    file.close();
  }
}

/** Whether the bytes begin where the file does, and end where it does. */
interface FileEnds {
  readonly isFileStart: boolean;
  readonly isFileEnd: boolean;
}

/**
 * The index behind the line break, outside of quotes, that comes first from `place` on; null where
 * more bytes are needed.
 */
function firstRecordIn(
  bytes: Uint8Array,
  place: number,
  ends: FileEnds,
  rules: QuoteRules,
): number | null {
  const { isFileEnd } = ends;
  // Quotes that may have begun before the bytes are passed over: what is assumed, is so behind them.
  let from = place;
  if (place > 0 && bytes[place - 1] === rules.quote) {
    while (bytes[from] === rules.quote) from++;
  }
  const runs = quoteRunsOf(bytes, from, ends, rules);
  const isEnough = isFileEnd || bytes.length - from >= aheadBytesMax;
  const isInside = isInsideAt(runs, isEnough);
  if (isInside === null) return null;
  let isQuoted = isInside;
  let at = from;
  for (const run of runs) {
    const index = isQuoted ? -1 : bytes.subarray(at, run.start).indexOf(newline);
    if (index >= 0) return at + index + 1;
    if (run.isOdd) isQuoted = !isQuoted;
    at = run.end;
  }
  const index = isQuoted ? -1 : bytes.subarray(at).indexOf(newline);
  if (index >= 0) return at + index + 1;
  return isFileEnd ? bytes.length : null;
}

/** Quotes side by side. */
interface QuoteRun {
  readonly start: number;
  readonly end: number;
  readonly isOdd: boolean;
  /** Whether a field may begin before them, and end behind them. */
  readonly followsBreak: boolean;
  readonly precedesBreak: boolean;
}

/** All runs from `from` on; one that the bytes' end cuts is left out, unless the file ends there. */
function quoteRunsOf(
  bytes: Uint8Array,
  from: number,
  { isFileStart, isFileEnd }: FileEnds,
  { delimiter, quote }: QuoteRules,
): QuoteRun[] {
  const hasMark = isFileStart && byteOrderMark.every((byte, index) => bytes[index] === byte);
  const isBreak = (at: number) => {
    const byte = hasMark && at < byteOrderMark.length ? undefined : bytes[at];
    return byte === undefined || byte === delimiter || byte === newline || byte === carriageReturn;
  };
  const runs: QuoteRun[] = [];
  let start = bytes.indexOf(quote, from);
  while (start >= 0) {
    let end = start + 1;
    while (bytes[end] === quote) end++;
    if (end >= bytes.length && !isFileEnd) break;
    const isOdd = (end - start) % 2 === 1;
    runs.push({ start, end, isOdd, followsBreak: isBreak(start - 1), precedesBreak: isBreak(end) });
    start = bytes.indexOf(quote, end);
  }
  return runs;
}

/** Whether what is before the first run is inside of quotes; null where it can't be told yet. */
function isInsideAt(runs: readonly QuoteRun[], isEnough: boolean): boolean | null {
  // The state of either assumption, or null once it is ruled out.
  let outside: boolean | null = false;
  let inside: boolean | null = true;
  for (const run of runs) {
    outside = outside === null ? null : stateAfter(outside, run);
    inside = inside === null ? null : stateAfter(inside, run);
    if (outside === null) return inside !== null;
    if (inside === null) return false;
  }
  return isEnough ? false : null;
}

/** Whether the text behind the run is in quotes, when that before it is or is not; null: impossible. */
function stateAfter(isQuoted: boolean, run: QuoteRun): boolean | null {
  if (isQuoted) {
    // Pairs stand for a quote each; one that is left over closes the field.
    if (!run.isOdd) return true;
    return run.precedesBreak ? false : null;
  }
  // The first opens a field. With an even count the last closes it.
  if (!run.followsBreak) return null;
  if (run.isOdd) return true;
  return run.precedesBreak ? false : null;
}

function bytesAt(file: FileBytes, start: number, end: number): Uint8Array {
  const bytes = new Uint8Array(end - start);
  file.read(bytes, start);
  return bytes;
}

export function cutError(path: string, byteOffset: number) {
  return typedError(
    'CSV_CUT',
    `file "${path}" cannot be cut near byte ${byteOffset}: its quotes are not clear there`,
    {
      hint:
        'Read the file in one piece, with csv(…, { split: false }); if quotes stand within fields ' +
        'that are not quoted, with { quote: null }.',
      details: { path, byteOffset },
    },
  );
}
