/**
 * Row pace: when the rows of a source are due that is to give out so many per second (`--rate`).
 *
 *     chunk     0     1     2     3     4     …    of 10 ms of rows, one row at least; the next one that nobody has
 *     task 0  ▉▉▉▉▉       ▉▉▉▉▉ ▉▉▉▉▉             is a count in shared memory: all tasks of the source together keep
 *     task 1        ▉▉▉▉▉             ▉▉▉▉▉       the rate, however few of them have rows
 *
 *     row n of all is due at     start + n / rate          whatever happened before
 *
 * The start is when the first task asked. Who was held up gives out at once what was due meanwhile, and its rows were
 * due when the schedule says: a source that slept between rows would hide just those delays that it is there to show
 * (coordinated omission). Time in which the source itself had nothing to give does not count: rows that were not
 * there were not due. Where one task had nothing and another was held up at that time, what was due there is lost from
 * the schedule, as nobody can tell the two apart without asking the other thread.
 *
 * A chunk's rest is left when its task has no more rows. Counts are of chunks and start over after 2^32, in 497 days.
 * Before: engine/task/build-source.ts. After: engine/operators/paced-reader.ts.
 */
import { assert } from '../../base/assert.ts';
import type { DueRows } from '../contracts/source.ts';

export interface RowPaceOptions {
  /** Rows per second, of all tasks together. */
  readonly rate: number;
  /** Shared by the tasks of the source; `rowPaceBytes`, zeroed. */
  readonly buffer: ArrayBufferLike;
}

/** A chunk that nobody has, and the start in ms of the clock, modulo 2^32. */
export const rowPaceBytes = 8;

const nextChunk = 0;
const startMs = 1;

/** How long rows of a task are next to each other in the schedule. */
const chunkMs = 10;

export class RowPace {
  readonly #rate: number;
  readonly #chunkRows: number;
  readonly #words: Int32Array;
  #startMs: number | null = null;
  /** The next row that is this task's, among all of the source. */
  #at = 0;
  /** Rows from there on that are this task's as well. */
  #left = 0;
  /** Readers that have rows to give. */
  #holderCount = 0;
  #hasFoundNothing = false;

  constructor({ rate, buffer }: RowPaceOptions) {
    assert(rate > 0 && Number.isFinite(rate), 'a rate is above 0');
    this.#rate = rate;
    this.#chunkRows = Math.max(1, Math.floor((rate * chunkMs) / 1_000));
    this.#words = new Int32Array(buffer, 0, rowPaceBytes / 4);
  }

  /** When the next row is due, by the clock; minus infinity before the first question. */
  get nextDueMs(): number {
    return this.#startMs === null || this.#left === 0 ? none : this.#dueAt(this.#at);
  }

  /** A reader has rows to give. */
  hold(nowMs: number): void {
    this.#startMs ??= this.#commonStart(nowMs);
    if (this.#holderCount === 0 && this.#hasFoundNothing) this.#skipTo(nowMs);
    this.#holderCount++;
    this.#hasFoundNothing = false;
  }

  /** It has given them. */
  letGo(): void {
    assert(this.#holderCount > 0, 'rows are held before they are let go');
    this.#holderCount--;
  }

  /** A reader was asked and nothing was there. */
  foundNothing(): void {
    if (this.#holderCount === 0) this.#hasFoundNothing = true;
  }

  /** How many rows may be given out now, of `most` that are there. */
  dueCount(nowMs: number, most: number): number {
    assert(this.#startMs !== null, 'only rows that are held are due');
    if (this.#left === 0) this.#takeChunks(nowMs, most);
    if (this.#dueAt(this.#at) > nowMs) return 0;
    const due = Math.floor(((nowMs - this.#startMs) * this.#rate) / 1_000) + 1 - this.#at;
    // A row that is due by the one way of counting is by the other, whatever was rounded.
    return Math.min(most, this.#left, Math.max(due, 1));
  }

  /** So many have been given out; answers when they were due. */
  take(count: number): DueRows {
    assert(count > 0 && count <= this.#left, 'rows are given out when they are due');
    const due = { fromMs: this.#dueAt(this.#at), toMs: this.#dueAt(this.#at + count - 1) };
    this.#at += count;
    this.#left -= count;
    return due;
  }

  /** One chunk, or, behind the schedule, as many as the rows that are there may need. */
  #takeChunks(nowMs: number, most: number): void {
    const behind = this.#chunkAt(nowMs) - (Atomics.load(this.#words, nextChunk) >>> 0);
    const count = Math.max(1, Math.min(behind, Math.ceil(most / this.#chunkRows)));
    const chunk = Atomics.add(this.#words, nextChunk, count) >>> 0;
    this.#at = chunk * this.#chunkRows;
    this.#left = count * this.#chunkRows;
  }

  /** Leaves out what is in the past. */
  #skipTo(nowMs: number): void {
    this.#left = 0;
    const chunk = this.#chunkAt(nowMs);
    let free = Atomics.load(this.#words, nextChunk);
    while (free >>> 0 < chunk) {
      const found = Atomics.compareExchange(this.#words, nextChunk, free, chunk);
      if (found === free) return;
      free = found;
    }
  }

  /** Whoever is first says it; the others are no more than 24 days behind. */
  #commonStart(nowMs: number): number {
    const now = Math.floor(nowMs);
    // Zero stands for nobody.
    const own = now | 0 || 1;
    const first = Atomics.compareExchange(this.#words, startMs, 0, own);
    return now - ((own - (first || own)) | 0);
  }

  #chunkAt(nowMs: number): number {
    return Math.floor(((nowMs - (this.#startMs ?? nowMs)) * this.#rate) / 1_000 / this.#chunkRows);
  }

  #dueAt(row: number): number {
    return (this.#startMs ?? 0) + (row * 1_000) / this.#rate;
  }
}

const none = Number.NEGATIVE_INFINITY;
