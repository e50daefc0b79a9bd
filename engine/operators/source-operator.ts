/**
 * Source: reads the splits that it is handed, one after the other, into batches.
 *
 *     offerSplit(a) … run: read a, ask for the next ahead … offerSplit(b) … offerSplit(null): the last
 *
 * It asks for the next split as soon as it has started one, so that it never waits for the answer
 * between two. First of a chain: it has no input, hence is no `Operator`.
 *
 * Invariants:
 * - At most one split is open and one is waiting.
 * - A snapshot is what has been given out: no row is behind it that a position has passed.
 * - A batch that the outbox refused is kept and offered again before anything more is read; the same
 *   for a batch of dead letters.
 * Before: engine/contracts/source.ts. After: engine/task/operator-chain.ts.
 */
import { assert } from '../../base/assert.ts';
import type { SourceSnapshot } from '../contracts/snapshot.ts';
import type { DueRows, DynamicFilter, Skipped, Split, SplitReader } from '../contracts/source.ts';
import type { AlignmentReport } from '../time/source-alignment.ts';
import type { Outbox } from './operator.ts';
import { ReadRows } from './read-rows.ts';

/** `full`: the outbox refused; `waiting`: no split, or nothing in it now; `more`: call again. */
export type SourceState = 'more' | 'full' | 'waiting' | 'done';

/** What a source tells of itself. */
// A type alias, not an interface: only those are assignable to `Json`.
export type SourceReport = {
  /** Ids of the splits that are open. */
  readonly splits: readonly string[];
  /** Where the reader is in what it reads; null between splits. */
  readonly position: string | null;
  /**
   * `reading`; `waiting`: nothing is there now; `asking`: it has no split and would like one; `held`: it waits for
   * another source; `ended`: there are no more.
   */
  readonly state: 'reading' | 'waiting' | 'asking' | 'held' | 'ended';
  readonly rowCount: number;
  /** Of one that follows event time: how far its lanes are. */
  readonly lanes?: readonly LaneReport[];
  /** Of one that is held: whom it waits for. */
  readonly waitsFor?: AlignmentReport;
};

export type LaneReport = {
  /** The split that the lane is at. */
  readonly splitId: string;
  /** Event time of its newest row; null before the first. */
  readonly newestMs: number | null;
  /** Since when it has nothing though it was asked, by the clock; null while it has. */
  readonly emptySinceMs: number | null;
};

/** The first of a chain: reads splits that it is handed. */
export interface TaskSource {
  /** Whether a split should be asked for now. */
  readonly wantsSplit: boolean;
  readonly bytesRead: number;
  readonly skipped: Skipped | null;
  /** Rows given out so far. */
  readonly rowCount: number;
  /** After `waiting`: when there is something to read, by the clock; infinity when nobody knows. */
  readonly dueAtMs: number;
  /** When the rows that it gave out last were due, by the clock; null where they are due when they are read. */
  readonly due: DueRows | null;
  /** What it reads, and whether it waits. */
  inspect(): SourceReport;
  /** Where it reads, for error messages. */
  position(): string;
  /** Before the first step: leaves out rows that one of the filters does not select, where the reader can. */
  narrow?(filters: readonly DynamicFilter[]): void;
  /** The next split, or null when there are no more; `later`: there is none now, and nobody knows of one to come. */
  offerSplit(split: Split | null | 'later'): void;
  /**
   * Reads one batch and offers it.
   *
   * @param deadLetters - Where records go that could not be read; null when the reader has none.
   */
  step(outbox: Outbox, deadLetters?: Outbox | null): SourceState;
  /**
   * What of its splits has been given out, for a checkpoint; null while something has been read and not been given out:
   * to be asked again after a step. A split that waits to be opened is not named.
   */
  snapshot(): SourceSnapshot | null;
  /** Its rows have no room, or wait for others: those who are aligned with it are not to wait for ever. @defaultValue nobody is */
  getStuck?(): void;
  /** Nobody needs more rows: what is not read stays unread. */
  stop(): void;
  close(): void;
}

/** Where the reader of an open split is, as a checkpoint has it. */
export function openSplitOf({ id }: Split, reader: SplitReader): SourceSnapshot['open'][number] {
  assert(reader.snapshot !== undefined, 'sources of a job with checkpoints know their positions');
  return { splitId: id, position: reader.snapshot() };
}

export class SourceOperator implements TaskSource {
  readonly #reader: SplitReader;
  #open: Split | null = null;
  #next: Split | null = null;
  /** Ids of splits that were read to their ends. */
  readonly #finished: string[] = [];
  #hasLast = false;
  #isStopped = false;
  /** Whether nothing was there when it read last. */
  #isWaiting = false;
  readonly #unsent = new ReadRows();

  constructor(reader: SplitReader) {
    this.#reader = reader;
  }

  get wantsSplit(): boolean {
    return this.#next === null && !this.#hasLast && !this.#isStopped;
  }

  get bytesRead(): number {
    return this.#reader.bytesRead;
  }

  get skipped(): Skipped | null {
    return this.#reader.skipped ?? null;
  }

  get dueAtMs(): number {
    return this.#isWaiting ? (this.#reader.dueAtMs ?? never) : never;
  }

  get due(): DueRows | null {
    return this.#reader.due ?? null;
  }

  get rowCount(): number {
    return this.#unsent.rowCount;
  }

  position(): string {
    return this.#reader.position();
  }

  /** What it reads, and whether it waits. */
  inspect(): SourceReport {
    const splits = this.#open === null ? [] : [this.#open.id];
    const hasNone = this.#open === null && this.#next === null;
    const isEnded = (hasNone && this.#hasLast) || this.#isStopped;
    return {
      splits,
      position: this.#open === null ? null : this.#reader.position(),
      state: isEnded ? 'ended' : hasNone ? 'asking' : this.#isWaiting ? 'waiting' : 'reading',
      rowCount: this.#unsent.rowCount,
    };
  }

  narrow(filters: readonly DynamicFilter[]): void {
    this.#reader.narrow?.(filters);
  }

  offerSplit(split: Split | null | 'later'): void {
    if (this.#isStopped || split === 'later') return; // It was asked for before anyone knew.
    assert(this.wantsSplit, 'a split is offered when it is wanted');
    if (split === null) this.#hasLast = true;
    else this.#next = split;
  }

  step(outbox: Outbox, deadLetters: Outbox | null = null): SourceState {
    const state = this.#unsent.isEmpty ? this.#read(deadLetters !== null) : 'more';
    return this.#unsent.offer(outbox, deadLetters) ? state : 'full';
  }

  snapshot(): SourceSnapshot | null {
    if (!this.#unsent.isUpTo(this.#reader)) return null;
    const open = this.#open === null ? [] : [openSplitOf(this.#open, this.#reader)];
    return { finished: [...this.#finished], open };
  }

  stop(): void {
    this.#isStopped = true;
  }

  close(): void {
    this.#unsent.close();
    this.#reader.close();
  }

  /** Reads one batch, and what could not be read. */
  #read(hasDeadLetters: boolean): SourceState {
    // A read may leave more of them than one batch holds.
    if (hasDeadLetters && this.#unsent.takeLetters(this.#reader)) return 'more';
    if (this.#open === null && !this.#openNext()) return this.#hasLast ? 'done' : 'waiting';
    const result = this.#reader.read();
    this.#isWaiting = result === 'waiting';
    if (hasDeadLetters) this.#unsent.takeLetters(this.#reader);
    if (result === 'waiting' || result === 'more') return result;
    if (result === 'end') this.#endOpen();
    else this.#unsent.put(result);
    return 'more';
  }

  #endOpen(): void {
    assert(this.#open !== null, 'what ends was open');
    this.#finished.push(this.#open.id);
    this.#open = null;
  }

  #openNext(): boolean {
    if (this.#next === null) return false;
    this.#open = this.#next;
    this.#next = null;
    this.#reader.open(this.#open);
    return true;
  }
}

const never = Number.POSITIVE_INFINITY;
