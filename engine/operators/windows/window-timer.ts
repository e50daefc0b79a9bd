/**
 * Window timer: which windows are to be given out next.
 *
 *     ends of windows   ──────────┬────────┬────▶        behind the last watermark: in order, as it comes to them
 *                        due again ┘        └ early       before it, after late rows; beyond it, by a trigger
 *
 * A window is known by its end, in local time (engine/operators/windows/window-panes.ts).
 */
import { notedTime } from '../snapshot-notes.ts';
import type { OpenPanes, Pane } from './open-panes.ts';
import type { WindowPanes } from './window-panes.ts';
import type { ZoneClock } from './zone-clock.ts';

export class WindowTimer {
  readonly #panes: WindowPanes;
  readonly #clock: ZoneClock;
  /** Ends up to here have been given out. */
  #firedEnd = Number.NEGATIVE_INFINITY;
  /** Ends up to there that have got rows since. */
  readonly #again = new Set<number>();
  #watermark = Number.NEGATIVE_INFINITY;

  constructor(panes: WindowPanes, clock: ZoneClock) {
    this.#panes = panes;
    this.#clock = clock;
  }

  get watermark(): number {
    return this.#watermark;
  }

  /** Whether the watermark has passed what comes at that local time, by `marginMs` or more. */
  hasPassed(localMs: number, marginMs: number): boolean {
    return this.#clock.instantOf(localMs) + marginMs <= this.#watermark;
  }

  /** Rows came to a pane: windows of it that were given out are due again, but those that `isOver`. */
  touch(pane: number, isOver: (end: number) => boolean): void {
    let end = this.#panes.nextEndOf(pane, Number.NEGATIVE_INFINITY);
    while (end !== null && end <= this.#firedEnd) {
      if (!isOver(end)) this.#again.add(end);
      end = this.#panes.nextEndOf(pane, end);
    }
  }

  /** Whether a window of the pane has been given out. */
  hasGiven(pane: number): boolean {
    const end = this.#panes.nextEndOf(pane, Number.NEGATIVE_INFINITY);
    return end !== null && end <= this.#firedEnd;
  }

  /** The ends of windows that are due again, in order; from now on none is. */
  takeAgain(): number[] {
    const ends = [...this.#again].sort((a, b) => a - b);
    this.#again.clear();
    return ends;
  }

  /** The end of the next window to be given out up to that instant, in the order of ends; null for none. */
  next(limitMs: number, open: OpenPanes): number | null {
    const [again = Number.POSITIVE_INFINITY] =
      this.#again.size > 0 ? [Math.min(...this.#again)] : [];
    const regular = this.#nextRegular(open.all);
    if (this.#again.size > 0 && (regular === null || again <= regular)) {
      this.#again.delete(again);
      return again;
    }
    if (regular === null || this.#clock.instantOf(regular) > limitMs) return null;
    this.#firedEnd = regular;
    return regular;
  }

  /** What windows are due again, as a note of a snapshot. */
  note() {
    return { watermark: notedTime(this.#watermark), again: [...this.#again] };
  }

  /** Goes on as several timers would together, whose watermark is the least of theirs. */
  goOn(watermark: number, again: Iterable<number>): void {
    this.advanceTo(watermark);
    for (const end of again) this.#again.add(end);
  }

  /** All up to that instant has been given out. */
  advanceTo(watermark: number): void {
    this.#watermark = watermark;
    this.#firedEnd = Math.max(this.#firedEnd, this.#clock.localOf(watermark));
  }

  /** The first pane that has a window to come has the one that ends first. */
  #nextRegular(panes: readonly Pane[]): number | null {
    for (const { start } of panes) {
      const end = this.#panes.nextEndOf(start, this.#firedEnd);
      if (end !== null) return end;
    }
    return null;
  }
}
