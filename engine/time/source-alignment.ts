/**
 * Source alignment: sources of a group stay together in event time. Who is ahead of the last of them by more than the
 * drift stops reading until that one has caught up, so that what joins and windows keep for it stays small.
 *
 *     bids      watermark 10:07   ✋ waits for the auctions      drift 5 min
 *     auctions  watermark 10:01   ◀── the last: always reads
 *     persons   idle: ∞               holds nobody
 *
 * Each task of each source tells its watermark in shared memory, and looks at those of the others before it reads a
 * lane: one that is ahead waits, while one of the same task that is behind is read. A batch that was read is given
 * out whatever it brings, so a lane may be ahead by one batch more than the drift.
 *
 * Why it comes to an end: the last of the group, in its lane that is behind, is never held. What may prevent it is only
 * - its input: one that is idle or has ended tells infinity;
 * - its output: its rows have no room while an operator behind wants rows of one that is held, such as a join that
 *   reads its other side to the end first. A source that has got rid of nothing for a second tells infinity
 *   until it goes on, and at once where it has not begun; so the next one is the last, and so on, until somebody's rows
 *   move. Who is slow for another reason than that lets others ahead by what they read in that time.
 * A thread that is in a call of the user's, or that has died, says nothing: others wait until it goes on, or its tasks run
 * again, from minus infinity.
 *
 * Not here: how lanes of one task stay together, which is what engine/operators/merged-source-operator.ts does.
 * Before: engine/operators/merged-source-operator.ts. After: engine/time/shared-moment.ts.
 */
import { SharedMoment } from './shared-moment.ts';

/** A task's place in its group. */
export interface AlignmentPlace {
  /** Shared by the tasks of the group: a moment for each, zeroed. */
  readonly buffer: ArrayBufferLike;
  /** Ids of all tasks of the group. */
  readonly members: readonly string[];
  /** Which of them it is. */
  readonly own: number;
}

export interface SourceAlignmentOptions extends AlignmentPlace {
  /** How far ahead of the last of the others it may be. */
  readonly driftMs: number;
}

/** Whom a source waits for. */
// A type alias, not an interface: only those are assignable to `Json`.
export type AlignmentReport = {
  /** The task that is behind all others. */
  readonly taskId: string;
  /** How far that one is; null before its first row. */
  readonly watermarkMs: number | null;
  /** How far the source itself is, in the lane that it would read next. */
  readonly reachedMs: number;
  readonly driftMs: number;
};

/** How long one that is held waits before it looks again. */
const lookAgainMs = 5;
/** A source whose rows nobody has taken for so long holds nobody. */
const stuckAfterMs = 1_000;

/** The place of the one that holds a source up: the last of the others, if it is that far behind; null when none does. */
export function holderOf(
  ownMs: number,
  othersMs: readonly number[],
  driftMs: number,
): number | null {
  let last: number | null = null;
  let leastMs = ownMs - driftMs;
  for (const [place, otherMs] of othersMs.entries()) {
    if (otherMs >= leastMs) continue;
    leastMs = otherMs;
    last = place;
  }
  return last;
}

export class SourceAlignment {
  readonly #options: SourceAlignmentOptions;
  readonly #own: SharedMoment;
  readonly #others: readonly { readonly taskId: string; readonly moment: SharedMoment }[];
  /** How far the lane is that waits. */
  #reachedMs = none;
  #toldMs = none;
  #holder: number | null = null;
  /** Since when its rows have no room; null while they have. */
  #stuckSinceMs: number | null = null;
  #dueAtMs = never;
  /** Whether it has been about to read. */
  #hasBegun = false;

  constructor(options: SourceAlignmentOptions) {
    const { buffer, members, own } = options;
    this.#options = options;
    this.#own = new SharedMoment(buffer, own);
    // What an earlier attempt of the task has told holds no longer.
    this.#own.write(none);
    this.#others = members.flatMap((taskId, place) =>
      place === own ? [] : [{ taskId, moment: new SharedMoment(buffer, place) }],
    );
  }

  /** When there is something to do though nothing comes, by the clock; infinity for never. */
  get dueAtMs(): number {
    return this.#dueAtMs;
  }

  /** Whom it waits for; null while it reads. */
  get report(): AlignmentReport | null {
    const holder = this.#holder === null ? undefined : this.#others[this.#holder];
    if (holder === undefined) return null;
    const watermarkMs = holder.moment.read();
    return {
      taskId: holder.taskId,
      watermarkMs: Number.isFinite(watermarkMs) ? watermarkMs : null,
      reachedMs: this.#reachedMs,
      driftMs: this.#options.driftMs,
    };
  }

  /** Tells how far it is; before it reads. */
  tell({ watermarkMs, isIdle }: { readonly watermarkMs: number; readonly isIdle: boolean }): void {
    this.#hasBegun = true;
    this.#stuckSinceMs = null;
    this.#holder = null;
    this.#dueAtMs = never;
    this.#tell(isIdle ? never : watermarkMs);
  }

  /** Whether it has to wait before it reads a lane. @param reachedMs - How far that lane is; minus infinity before its first row. */
  mustWait(reachedMs: number, nowMs: number): boolean {
    if (reachedMs === none) return false;
    const othersMs = this.#others.map(({ moment }) => moment.read());
    this.#holder = holderOf(reachedMs, othersMs, this.#options.driftMs);
    if (this.#holder === null) return false;
    this.#reachedMs = reachedMs;
    this.#dueAtMs = nowMs + lookAgainMs;
    return true;
  }

  /** Its rows have no room, or it has to wait for other rows before its own. */
  getStuck(nowMs: number): void {
    this.#stuckSinceMs ??= nowMs;
    const freeAtMs = this.#hasBegun ? this.#stuckSinceMs + stuckAfterMs : nowMs;
    if (nowMs >= freeAtMs) this.#tell(never);
    this.#dueAtMs = nowMs >= freeAtMs ? never : freeAtMs;
  }

  /** It reads no more. */
  end(): void {
    this.#tell(never);
    this.#holder = null;
    this.#dueAtMs = never;
  }

  #tell(timeMs: number): void {
    if (timeMs === this.#toldMs) return;
    this.#toldMs = timeMs;
    this.#own.write(timeMs);
  }
}

const none = Number.NEGATIVE_INFINITY;
const never = Number.POSITIVE_INFINITY;
