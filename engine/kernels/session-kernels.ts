/**
 * The session kernels as TypeScript sees them. Conventions: engine/kernels/kernels.ts; what a record is:
 * engine/kernels/session.as.ts.
 *
 * `keyEnd` is where the key of a record ends, and its bounds begin; `cell` where a key's slot has its list.
 */

/** Byte offsets of what sessions have in common. */
export const sessionLayout = {
  /** The first record that is free again. */
  free: 0,
  /** Where the next new record goes, and where there is no more room. */
  fresh: 4,
  freshEnd: 8,
  /** A record for rows that are late. */
  dummy: 12,
  /** int64: before that time no session is due. */
  due: 16,
  /** Late rows so far. */
  late: 24,
  /** Records in use. */
  used: 28,
  /** int64: how long after its last row a session that has come out is over. */
  keptMs: 32,
  size: 40,
  /** Of bounds and lists, behind the key of a record. */
  headBytes: 24,
} as const;

/** Rows by key, into sessions. */
export interface SessionKernels {
  /**
   * Writes the record of each row to `outRecords` (u32), that of `dummy` for late ones, whose stored rows go to
   * `outLate`. A row is from `starts` to `lasts`, the same for one moment. Late is what can't join a session and is
   * over, with the gap, at `overMs`.
   * @returns Rows done; fewer than `count` when there is no room for a record.
   */
  assignSessions(
    slots: number,
    count: number,
    cell: number,
    starts: number,
    lasts: number,
    selection: number,
    fromRow: number,
    unitsPerMs: number,
    gapMs: number,
    overMs: number,
    control: number,
    keyEnd: number,
    stride: number,
    outRecords: number,
    outLate: number,
  ): number;
  /**
   * Adds to `outDue` sessions with rows that have not come out and whose end the watermark has passed, to `outOver`
   * those that have come out and are kept no longer; `counts` (two u32) go on. Lowers `due` to that of others.
   */
  dueSessions(
    records: number,
    count: number,
    stride: number,
    keyEnd: number,
    gapMs: number,
    watermarkMs: number,
    latenessMs: number,
    control: number,
    outDue: number,
    outOver: number,
    counts: number,
  ): void;
  /** Sessions of one record to `outSingles`, the records of others to `outLinked`, with the bounds of all. */
  divideSessions(
    list: number,
    count: number,
    keyEnd: number,
    outSingles: number,
    outLinked: number,
    counts: number,
  ): void;
  /** Starts, and last times with `beyondMs` more, as int64. */
  sessionBounds(
    list: number,
    count: number,
    keyEnd: number,
    beyondMs: number,
    outStarts: number,
    outEnds: number,
  ): void;
  /** Frees sessions whose last row is not after `overMs`, and marks others as come out. `slots` are of their keys. */
  retireSessions(
    slots: number,
    list: number,
    count: number,
    cell: number,
    keyEnd: number,
    overMs: number,
    control: number,
  ): void;
  /** Puts sessions into the lists of new slots of their keys. */
  relinkSessions(slots: number, list: number, count: number, cell: number, keyEnd: number): void;
  /** The records that are in lists. @returns How many there are. */
  openSessions(records: number, count: number, stride: number, out: number): number;
}
