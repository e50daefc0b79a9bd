/**
 * Early windows: those that have got rows and whose end has not come, and when they are given out for them.
 *
 *     rows ─▶ ends of their windows ──so many rows · so long by the clock · a multiple in event time──▶ take
 *
 * Windows are known by their ends. Each is given out once for all rows that came since it was given out last.
 */
import type { WindowFiring } from '../../plan/window-spec.ts';

export class EarlyWindows {
  readonly #firing: WindowFiring;
  readonly #ends = new Set<number>();
  #rowsSince = 0;
  /** When the clock brings them out; it begins with the first row that nothing was given out for. */
  wakeAtMs = Number.POSITIVE_INFINITY;

  constructor(firing: WindowFiring) {
    this.#firing = firing;
  }

  /** Whether windows come out early at all: else nothing needs to be noted. */
  get isWanted(): boolean {
    const { everyMs, everyRows, everyEventTimeMs } = this.#firing;
    return everyMs !== null || everyRows !== null || everyEventTimeMs !== null;
  }

  /** Whether so many rows have come that windows come out. */
  get hasAllRows(): boolean {
    const { everyRows } = this.#firing;
    return everyRows !== null && this.#rowsSince >= everyRows;
  }

  /** Rows came that are in a window. */
  add(end: number): void {
    this.#ends.add(end);
  }

  /** So many rows have been added to windows. */
  noteRows(count: number, nowMs: number): void {
    const { everyMs } = this.#firing;
    this.#rowsSince += count;
    if (everyMs === null || this.wakeAtMs !== Number.POSITIVE_INFINITY) return;
    this.wakeAtMs = nowMs + everyMs;
  }

  /** Whether event time comes to a multiple of the interval, or past it, on its way. */
  isDueBetween(fromMs: number, toMs: number): boolean {
    const { everyEventTimeMs: every } = this.#firing;
    return every !== null && Math.floor(toMs / every) > Math.floor(fromMs / every);
  }

  /** As a note of a snapshot: clocks of other machines show other times, so what is left of the interval. */
  note(nowMs: number) {
    const inMs = Number.isFinite(this.wakeAtMs) ? this.wakeAtMs - nowMs : null;
    return { ends: [...this.#ends], rowsSince: this.#rowsSince, wakeInMs: inMs };
  }

  /** Goes on with windows of another task; of several, each brings its own out. */
  goOn(ends: Iterable<number>, rowsSince: number, wakeAtMs: number): void {
    for (const end of ends) this.#ends.add(end);
    this.#rowsSince = Math.max(this.#rowsSince, rowsSince);
    this.wakeAtMs = Math.min(this.wakeAtMs, wakeAtMs);
  }

  /** A window has been given out. */
  forget(end: number): void {
    this.#ends.delete(end);
  }

  /** The windows, in the order of their ends; from now on there are none. */
  take(): number[] {
    const ends = [...this.#ends].sort((a, b) => a - b);
    this.#ends.clear();
    this.#rowsSince = 0;
    return ends;
  }
}
