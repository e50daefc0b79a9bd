/**
 * Window output: gives windows out one after the other, each with its bounds in front of its groups.
 *
 *     the end of a window ─▶ its panes ─▶ groups (`WindowResults`) ─▶ start, end, keys, results ─▶ outbox
 *
 * Where windows grow from one start, each goes on with what was merged for the one before. Where they are given out
 * several times, it knows in which round each was, and of groups those come that have changed since (`RowTouch`).
 */
import { assert } from '../../../base/assert.ts';
import type { Batch } from '../../batch/batch.ts';
import type { Schema } from '../../schema/schema.ts';
import type { OperatorContext, Outbox } from '../operator.ts';
import type { OpenPanes } from './open-panes.ts';
import type { PaneDisk } from './pane-disk.ts';
import type { RowTouch } from './row-touch.ts';
import { withBounds } from './window-bounds.ts';
import type { WindowPanes } from './window-panes.ts';
import type { WindowResults } from './window-results.ts';
import type { ZoneClock } from './zone-clock.ts';

export interface WindowOutputOptions {
  readonly output: Schema;
  /** Columns in front of the keys: start and end, the pane alone, or none. */
  readonly boundCount: number;
  /** What is given out: windows, in a partial phase each pane as one. */
  readonly given: WindowPanes;
  readonly clock: ZoneClock;
  readonly open: OpenPanes;
  /** Null where panes never go to disk. */
  readonly disk: PaneDisk | null;
  readonly results: WindowResults;
  /** Null where no window is given out twice, or with new rows only. */
  readonly touch: RowTouch | null;
  /** Whether windows grow from one start. */
  readonly isCumulating: boolean;
  /** Whether rows that were given out are dropped. */
  readonly isDiscarding: boolean;
}

export class WindowOutput {
  readonly #context: OperatorContext;
  readonly #options: WindowOutputOptions;
  /** By end of a window that may be given out again: in which round it was. */
  readonly #rounds = new Map<number, number>();
  /** The end of the window that is given out. */
  #window: number | null = null;
  /** The start and end of the one before, where the next one may go on with it. */
  #before: { readonly start: number; readonly end: number } | null = null;
  #pending: Batch | null = null;

  constructor(context: OperatorContext, options: WindowOutputOptions) {
    this.#context = context;
    this.#options = options;
  }

  /**
   * Gives windows out, as long as `next` has an end of one; false asks to be called again.
   * @param onGiven - Is told of each window that is out.
   */
  give(outbox: Outbox, next: () => number | null, onGiven: (end: number) => void): boolean {
    if (this.#options.disk?.settle() === false) return false;
    for (;;) {
      if (this.#pending !== null && !outbox.offer(this.#pending)) return false;
      this.#pending = null;
      if (this.#window === null) {
        const end = next();
        if (end === null) return true;
        this.#begin(end);
      }
      const groups = this.#nextGroups();
      if (groups === 'end') onGiven(this.#end());
      else if (groups !== null) this.#pending = this.#bounded(groups);
      if (this.#context.shouldYield()) return false;
    }
  }

  /** Rows have come to a pane: what was merged for the window before may lack them. */
  forgetMerged(pane: number): void {
    if (this.#before !== null && pane < this.#before.end) this.#before = null;
  }

  /** Gives the memory of what was merged back: it would take the room, and is no beginning of a window with panes on disk. */
  letGo(): void {
    this.#before = null;
    this.#options.results.letGo();
  }

  /** Rows that come from now on belong to the next round. */
  endRound(): void {
    const { touch } = this.#options;
    if (touch !== null) touch.round++;
  }

  /** By end: the rounds in which windows were given out that may come again. */
  get rounds(): ReadonlyMap<number, number> {
    return this.#rounds;
  }

  /** Windows were given out in these rounds, before rows of the one that is now. */
  goOn(rounds: Iterable<readonly [end: number, round: number]>, round: number): void {
    for (const [end, given] of rounds) this.#rounds.set(end, given);
    if (this.#options.touch !== null) this.#options.touch.round = round;
  }

  /** Forgets in which round windows were that are not given out again. */
  dropRounds(isOver: (end: number) => boolean): void {
    for (const end of this.#rounds.keys()) if (isOver(end)) this.#rounds.delete(end);
  }

  close(): void {
    this.#pending?.release();
    this.#pending = null;
    this.#options.results.close();
  }

  #begin(end: number): void {
    const { given, open, results, touch, isCumulating } = this.#options;
    this.#window = end;
    const start = given.startOf(end);
    const before = this.#before;
    const grows = isCumulating && touch === null && before?.start === start && before.end < end;
    const [first, last] = given.rangeOf(end);
    // What was merged in memory does not go on with panes on disk: all are merged anew.
    const added = grows ? open.between(before.end, last) : [];
    const isContinued = grows && added.every(({ runs }) => runs.length === 0);
    const panes = isContinued ? added : open.between(first, last);
    const sinceRound = touch === null ? 0 : (this.#rounds.get(end) ?? 0);
    results.begin({ panes, sinceRound, isContinued });
    this.#before = results.isOnDisk ? null : { start, end };
  }

  #nextGroups(): Batch | null | 'end' {
    const { results, disk } = this.#options;
    try {
      return results.next();
    } catch (error) {
      throw disk?.explained(error) ?? error;
    }
  }

  /** The window is out; answers its end. */
  #end(): number {
    const { given, open, disk, touch, isDiscarding } = this.#options;
    const end = this.#window;
    assert(end !== null, 'a window is given out');
    this.#window = null;
    if (touch !== null) this.#rounds.set(end, touch.round);
    if (!isDiscarding) return end;
    for (const pane of open.between(...given.rangeOf(end))) {
      disk?.forget(pane);
      pane.table?.clear();
    }
    return end;
  }

  #bounded(groups: Batch): Batch {
    const { given, clock, boundCount, output } = this.#options;
    const end = this.#window ?? 0;
    // A pane without an end, that of all time, needs no name.
    const bounds = [given.startOf(end), end].map((bound) => clock.instantOf(bound));
    return withBounds(this.#context.scope, groups, bounds.slice(0, boundCount), output);
  }
}
