/**
 * Paced range: which events of a range are due by the clock. The schedule is fixed when the first one is asked for:
 *
 *     event k of the range is due at   start + k / rate          whatever happened before
 *
 *     lane 0   ▉▉▉▉        ▉▉▉▉        ▉▉▉▉              events in chunks, turn by turn, so that all tasks
 *     lane 1       ▉▉▉▉        ▉▉▉▉        ▉▉▉▉          have events of about the same time
 *
 * A reader that was held up gives out late what was due meanwhile, at once; the schedule does not move. A source that
 * sleeps between rows would hide just those delays that it is there to show (coordinated omission). Who goes on from a
 * checkpoint has another schedule, in which the next event is due at once: time without a reader is no delay of the job's.
 *
 * Pure: the clock comes in. Before: connectors/generator/nexmark-reader.ts.
 */
import { assert } from '../../base/assert.ts';

/** Event numbers, half-open. */
export interface EventRange {
  readonly from: number;
  readonly to: number;
}

/** Every `laneCount`th chunk of a range. */
export interface PacedLane extends EventRange {
  readonly lane: number;
  readonly laneCount: number;
  readonly chunkSize: number;
  /** Events per second, of all lanes together. */
  readonly rate: number;
}

export class PacedRange {
  readonly #lane: PacedLane;
  #startMs: number | null = null;
  #at: number;
  /** The event that is due when the first one is asked for. */
  readonly #dueAtStart: number;

  /** @param at - The event that it goes on with; null: the lane's first. */
  constructor(lane: PacedLane, at: number | null = null) {
    assert(lane.rate > 0 && lane.chunkSize > 0, 'a pace is above 0, and so is a chunk');
    this.#lane = lane;
    this.#at = at ?? lane.from + lane.lane * lane.chunkSize;
    this.#dueAtStart = at ?? lane.from;
  }

  /** The next event. */
  get at(): number {
    return this.#at;
  }

  get isDone(): boolean {
    return this.#at >= this.#lane.to;
  }

  /** When the next event is due, by the clock; infinity behind the last, minus infinity before the first question. */
  get dueAtMs(): number {
    if (this.isDone) return Number.POSITIVE_INFINITY;
    return this.#startMs === null ? Number.NEGATIVE_INFINITY : this.#dueAt(this.#at);
  }

  /** When an event of the range is due; only once events have been asked for. */
  dueMsOf(event: number): number {
    assert(this.#startMs !== null, 'the schedule begins with the first question');
    return this.#dueAt(event);
  }

  /** The events that are due and of one chunk; null when none is. */
  next(nowMs: number): EventRange | null {
    this.#startMs ??= nowMs;
    const from = this.#at;
    if (this.isDone || this.#dueAt(from) > nowMs) return null;
    const { from: first, to: end, chunkSize, rate } = this.#lane;
    const chunkEnd = from - ((from - first) % chunkSize) + chunkSize;
    const dueEnd = this.#dueAtStart + Math.floor(((nowMs - this.#startMs) * rate) / 1_000) + 1;
    // An event that is due by the one way of counting is by the other, whatever was rounded.
    return { from, to: Math.min(end, chunkEnd, Math.max(dueEnd, from + 1)) };
  }

  /** The events up to here have been given out. */
  advance(to: number): void {
    const { from, chunkSize, laneCount } = this.#lane;
    const isChunkDone = (to - from) % chunkSize === 0;
    this.#at = isChunkDone ? to + (laneCount - 1) * chunkSize : to;
  }

  #dueAt(event: number): number {
    return (this.#startMs ?? 0) + ((event - this.#dueAtStart) * 1_000) / this.#lane.rate;
  }
}
