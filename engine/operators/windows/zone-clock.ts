/**
 * Zone clock: what the clocks of a time zone show, as a table of how far they are ahead of UTC since when.
 *
 *     Europe/Berlin   … 2026-03-29 01:00Z  +2 h    2026-10-25 01:00Z  +1 h …
 *
 * The table is made once, from 1970 to 2100, by asking the language for the offset of each week and, where two
 * weeks differ, for the minute between. Windows are cut by local time: a day has 23 or 25 hours where clocks
 * change. Times that clocks show twice are one piece of time for windows shorter than that; one that they leave
 * out has no rows.
 *
 * Invariant: `localOf(instantOf(t))` is t for every t that clocks show.
 */
import { assert } from '../../../base/assert.ts';
import { addressOf, type BlockHandle, type MemoryScope } from '../../memory/slot-memory.ts';

const dayMs = 86_400_000;
const weekMs = 7 * dayMs;
const minuteMs = 60_000;
const lastMs = Date.UTC(2100, 0, 1);

interface Shift {
  readonly sinceMs: number;
  readonly shiftMs: number;
}

export class ZoneClock {
  readonly #scope: MemoryScope;
  /** None for UTC. */
  readonly #shifts: readonly Shift[];
  #block: BlockHandle = 0;

  constructor(scope: MemoryScope, timeZone: string | null) {
    this.#scope = scope;
    this.#shifts = timeZone === null ? [] : shiftsOf(timeZone);
  }

  /** What clocks are ahead of UTC. */
  shiftOf(instantMs: number): number {
    return this.#shiftAt(instantMs)?.shiftMs ?? 0;
  }

  /** What clocks show. */
  localOf(instantMs: number): number {
    return instantMs + this.shiftOf(instantMs);
  }

  /** When clocks show that for the first time, or would where they leave it out. */
  instantOf(localMs: number): number {
    if (this.#shifts.length === 0) return localMs;
    if (!Number.isFinite(localMs)) return localMs;
    // Clocks are never more than a day off: the shift before is in force until the next one begins.
    const before = this.shiftOf(localMs - dayMs);
    const instant = localMs - before;
    const shift = this.shiftOf(instant);
    if (shift === before) return instant;
    const later = localMs - shift;
    return this.localOf(later) === localMs ? later : instant;
  }

  /** The table for kernels: its address, and how many pairs it has. */
  shiftsAt(): readonly [address: number, count: number] {
    if (this.#shifts.length === 0) return [0, 0];
    if (this.#block === 0) this.#block = this.#write();
    return [addressOf(this.#block), this.#shifts.length];
  }

  close(): void {
    if (this.#block !== 0) this.#scope.memory.release(this.#block);
    this.#block = 0;
  }

  #write(): BlockHandle {
    const block = this.#scope.allocate(this.#shifts.length * 16);
    const { float64 } = this.#scope.memory;
    let at = addressOf(block) >>> 3;
    for (const { sinceMs, shiftMs } of this.#shifts) {
      float64[at++] = sinceMs;
      float64[at++] = shiftMs;
    }
    return block;
  }

  #shiftAt(instantMs: number): Shift | undefined {
    let [low, high] = [0, this.#shifts.length];
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if ((this.#shifts[middle]?.sinceMs ?? 0) <= instantMs) low = middle;
      else high = middle;
    }
    return this.#shifts[low];
  }
}

/** The first is for all before. */
function shiftsOf(timeZone: string): Shift[] {
  const offsetAt = offsetsOf(timeZone);
  const shifts: Shift[] = [{ sinceMs: 0, shiftMs: offsetAt(0) }];
  let before = offsetAt(0);
  for (let week = 0; week < lastMs; week += weekMs) {
    const after = offsetAt(week + weekMs);
    if (after === before) continue;
    shifts.push({ sinceMs: changeBetween(week, week + weekMs, offsetAt), shiftMs: after });
    before = after;
  }
  return shifts;
}

/** The minute in which clocks change, of a week at whose end they show something else than at its start. */
function changeBetween(from: number, to: number, offsetAt: (at: number) => number): number {
  const before = offsetAt(from);
  let [low, high] = [from / minuteMs, to / minuteMs];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetAt(middle * minuteMs) === before) low = middle;
    else high = middle;
  }
  return high * minuteMs;
}

/** How far a zone's clocks are ahead of UTC, by what the language says they show. */
function offsetsOf(timeZone: string): (instantMs: number) => number {
  const format = new Intl.DateTimeFormat('en-US', {
    ...{ timeZone, hourCycle: 'h23', era: 'short' },
    ...{ year: 'numeric', month: 'numeric', day: 'numeric' },
    ...{ hour: 'numeric', minute: 'numeric', second: 'numeric' },
  });
  return (instantMs) => {
    const parts = new Map(format.formatToParts(instantMs).map(({ type, value }) => [type, value]));
    const of = (type: Intl.DateTimeFormatPartTypes) => Number(parts.get(type));
    assert(parts.has('year'), 'a date has a year');
    const date = [of('year'), of('month') - 1, of('day')] as const;
    return Date.UTC(...date, of('hour'), of('minute'), of('second')) - instantMs;
  };
}
