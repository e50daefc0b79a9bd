/**
 * Split times: how far event time has come in each lane of a source, and so in the source's task.
 *
 *     lane a   ── 10:03 ──   watermark of the task: the least, less how far rows may be out of order
 *     lane b   ── 10:01 ──                          10:01 − 2 s
 *     lane c   waits         left out once it has had nothing for `idleAfterMs`
 *
 * A lane is a sequence of splits that one reader goes through. Those that have not begun hold the watermark,
 * for nobody knows what is in them. A lane is idle only while its reader was asked and had nothing: one that
 * is not asked, since rows wait further down, holds the watermark as well.
 *
 * Times are milliseconds of event time, whole ones; clock times are those of the task's clock.
 * Before: engine/operators/merged-source-operator.ts. After: engine/operators/event-time-operator.ts.
 */

export interface SplitTimesOptions {
  /** How much older than the newest row of its lane a row may be. */
  readonly outOfOrdernessMs: number;
  /** Null: lanes without rows hold the watermark for ever. */
  readonly idleAfterMs: number | null;
}

/** A lane as a person may want to see it. */
export interface LaneTime {
  /** The split that it is at. */
  readonly splitId: string;
  /** Of its newest row; null before the first. */
  readonly newestMs: number | null;
  /** Since when it has had no rows though it was asked, by the clock; null while it has. */
  readonly emptySinceMs: number | null;
}

interface Lane {
  splitId: string;
  newestMs: number;
  /** When the newest row was due, by the clock. */
  newestDueMs: number;
  emptySinceMs: number;
  hasEnded: boolean;
}

export class SplitTimes {
  readonly #options: SplitTimesOptions;
  readonly #lanes = new Map<number, Lane>();
  /** How far splits had come in the tasks of an earlier attempt. */
  readonly #restored = new Map<string, number>();
  /** Lanes there will be; infinity while nobody knows. */
  #laneCount = Number.POSITIVE_INFINITY;
  #isEndless = false;
  /** The lane whose rows are on their way. */
  #current: Lane | null = null;
  /** When the rows on their way were due, by the clock. */
  #dueMs = Number.NEGATIVE_INFINITY;
  #watermarkMs = Number.NEGATIVE_INFINITY;
  #watermarkDueMs = Number.NEGATIVE_INFINITY;

  constructor(options: SplitTimesOptions) {
    this.#options = options;
  }

  /** How many lanes there are, once that is known. */
  expect(laneCount: number): void {
    this.#laneCount = laneCount;
  }

  /** There may be more lanes than there are, and rows of those there are: who has nothing now is idle, and not at the end. */
  setEndless(): void {
    this.#isEndless = true;
  }

  /** How far the splits have come that lanes are at: what `goOnFrom` takes. */
  newestBySplit(): Readonly<Record<string, number>> {
    const newest: Record<string, number> = {};
    for (const { splitId, newestMs } of this.lanes()) {
      if (newestMs !== null) newest[splitId] = newestMs;
    }
    return newest;
  }

  /**
   * A lane that begins with such a split has come so far already. One of another split holds time until its first row,
   * as any lane does.
   */
  goOnFrom(newestBySplit: Readonly<Record<string, number>>): void {
    for (const [splitId, newestMs] of Object.entries(newestBySplit)) {
      this.#restored.set(splitId, newestMs);
    }
  }

  /** A lane begins, or goes on with another split. */
  begin(lane: number, splitId: string): void {
    const known = this.#lanes.get(lane) ?? { splitId, ...unread };
    known.splitId = splitId;
    known.newestMs = Math.max(known.newestMs, this.#restored.get(splitId) ?? none);
    this.#restored.delete(splitId);
    this.#lanes.set(lane, known);
  }

  end(lane: number): void {
    const ended = this.#lanes.get(lane);
    if (ended !== undefined) ended.hasEnded = true;
  }

  /** Rows of the lane come next. */
  enter(lane: number): void {
    this.#current = this.#lanes.get(lane) ?? null;
    if (this.#current !== null) this.#current.emptySinceMs = never;
  }

  /** The last of the rows that come next was due then, by the clock. */
  setDue(dueMs: number): void {
    this.#dueMs = dueMs;
  }

  /** The lane was asked and had nothing. */
  foundEmpty(lane: number, nowMs: number): void {
    const empty = this.#lanes.get(lane);
    if (empty !== undefined && empty.emptySinceMs === never) empty.emptySinceMs = nowMs;
  }

  /** The lane is not asked for now: what it has nobody knows, so it is not idle. */
  leaveOut(lane: number): void {
    const known = this.#lanes.get(lane);
    if (known !== undefined) known.emptySinceMs = never;
  }

  /** The newest of the rows that have come now; they were due now where nobody has said when. */
  observe(newestMs: number, nowMs = none): void {
    const lane = this.#current;
    if (lane === null || newestMs <= lane.newestMs) return;
    lane.newestMs = newestMs;
    lane.newestDueMs = this.#dueMs === none ? nowMs : this.#dueMs;
  }

  /** The time of a lane's newest row: what to read next is the least of them. */
  newestOf(lane: number): number {
    return this.#lanes.get(lane)?.newestMs ?? none;
  }

  /** What of its rows is behind a lane, by how far they may be out of order; minus infinity before the first. */
  reachedBy(lane: number): number {
    return this.newestOf(lane) - this.#options.outOfOrdernessMs;
  }

  /** The watermark now, which never falls; minus infinity before the first. */
  watermark(nowMs: number): number {
    const least = this.#heldMs(nowMs);
    if (least - this.#options.outOfOrdernessMs > this.#watermarkMs && least < never) {
      this.#watermarkMs = Math.floor(least - this.#options.outOfOrdernessMs);
      this.#watermarkDueMs = this.#dueOf(least);
    }
    return this.#watermarkMs;
  }

  /** When the row was due that the watermark follows, by the clock; minus infinity where nobody has said. */
  get watermarkDueMs(): number {
    return this.#watermarkDueMs;
  }

  /** Whether no lane that has not ended has had rows lately: then the task holds nobody's watermark. */
  isIdle(nowMs: number): boolean {
    if (this.#lanes.size < this.#laneCount || this.#leastMs(nowMs) < never) return false;
    if (this.#isEndless) return true;
    // Where all have ended the end comes next, behind what operators still hold.
    return [...this.#lanes.values()].some(({ hasEnded }) => !hasEnded);
  }

  /** The clock time at which a lane will be idle if nothing comes; infinity for none. */
  get idleAtMs(): number {
    const { idleAfterMs } = this.#options;
    if (idleAfterMs === null) return never;
    let earliest = never;
    for (const { hasEnded, emptySinceMs } of this.#lanes.values()) {
      if (!hasEnded) earliest = Math.min(earliest, emptySinceMs + idleAfterMs);
    }
    return earliest;
  }

  /** Lanes that have not ended. */
  lanes(): readonly LaneTime[] {
    return [...this.#lanes.values()].flatMap(({ splitId, newestMs, emptySinceMs, hasEnded }) => {
      if (hasEnded) return [];
      const newest = newestMs === none ? null : newestMs;
      return [
        { splitId, newestMs: newest, emptySinceMs: emptySinceMs === never ? null : emptySinceMs },
      ];
    });
  }

  #dueOf(newestMs: number): number {
    for (const lane of this.#lanes.values()) {
      if (!lane.hasEnded && lane.newestMs === newestMs) return lane.newestDueMs;
    }
    return none;
  }

  /** What lanes that count hold time at; where all are idle, nobody holds what the furthest has come to. */
  #heldMs(nowMs: number): number {
    const least = this.#leastMs(nowMs);
    if (least < never) return least;
    let most = none;
    for (const { newestMs, hasEnded } of this.#lanes.values()) {
      if (!hasEnded) most = Math.max(most, newestMs);
    }
    return most;
  }

  /** The least of the newest rows of lanes that count; infinity when none counts. */
  #leastMs(nowMs: number): number {
    if (this.#lanes.size < this.#laneCount) return none;
    const { idleAfterMs } = this.#options;
    let least = never;
    for (const { newestMs, emptySinceMs, hasEnded } of this.#lanes.values()) {
      const isIdle = idleAfterMs !== null && nowMs - emptySinceMs >= idleAfterMs;
      if (!hasEnded && !isIdle) least = Math.min(least, newestMs);
    }
    return least;
  }
}

const none = Number.NEGATIVE_INFINITY;
const never = Number.POSITIVE_INFINITY;
const unread = { newestMs: none, newestDueMs: none, emptySinceMs: never, hasEnded: false };
