/**
 * Window rows: gives each row to all windows of event time that it is in, for operators that keep the rows of a
 * window until it is complete.
 *
 *     batch ─▶ parts by pane ─▶ a batch for each window of the pane      late ones are put aside
 *
 * Why no merged panes: what needs the rows themselves, or an order of them, can't be merged.
 *
 * Invariants:
 * - A row is given to each of its windows once, or put aside as late.
 * - Windows are known by their end, by the clock of the windows' place.
 */
import { assert } from '../../../base/assert.ts';
import type { Batch } from '../../batch/batch.ts';
import type { Json } from '../../contracts/json.ts';
import type { SnapshotReader } from '../../contracts/snapshot.ts';
import type { TimeWindowSpec, WindowFiring } from '../../plan/window-spec.ts';
import { fieldIndexOf, type Schema } from '../../schema/schema.ts';
import type { OperatorContext } from '../operator.ts';
import { leastTimeOf, notedTime, sumOfCounts } from '../snapshot-notes.ts';
import { eventTimeMissing, LateRows } from './late-rows.ts';
import { type PaneRows, PaneSplit } from './pane-split.ts';
import { type WindowPanes, windowPanesOf } from './window-panes.ts';
import { ZoneClock } from './zone-clock.ts';

export interface WindowRowsOptions {
  readonly input: Schema;
  readonly window: TimeWindowSpec;
  /** The time of a row; null where all are in one window. */
  readonly column: string | null;
  readonly missing: WindowFiring['missing'];
}

/** Takes all rows of a batch for the window with this end, without taking it over; false asks to be called again. */
export type GiveRows = (end: number, batch: Batch) => boolean;

export class WindowRows {
  readonly #context: OperatorContext;
  readonly #options: WindowRowsOptions;
  readonly #panes: WindowPanes;
  readonly #clock: ZoneClock;
  readonly #split: PaneSplit;
  readonly #late: LateRows;
  #watermark = Number.NEGATIVE_INFINITY;
  /** What is left of the batch that is worked on, and the last window that has got the first part of it. */
  #parts: PaneRows[] | null = null;
  #partEnd = Number.NEGATIVE_INFINITY;

  constructor(context: OperatorContext, options: WindowRowsOptions) {
    const { input, window, column } = options;
    this.#context = context;
    this.#options = options;
    this.#panes = windowPanesOf(window);
    this.#clock = new ZoneClock(context.scope, 'timeZone' in window ? window.timeZone : null);
    this.#late = new LateRows(context);
    this.#split = new PaneSplit(context, {
      ...{ panes: this.#panes, clock: this.#clock },
      column: column === null ? -1 : fieldIndexOf(input, column),
    });
  }

  /** Rows that came too late, or without a time, and are in no window. */
  get lateCount(): number {
    return this.#late.count;
  }

  /** Works on rows as `Operator.process` does. */
  process(batch: Batch, fromRow: number, give: GiveRows): number {
    this.#parts ??= this.#split.split(batch);
    while (this.#parts.length > 0) {
      if (!this.#addPart(this.#parts, give)) return fromRow;
      if (this.#parts.length > 0 && this.#context.shouldYield()) return fromRow;
    }
    this.#parts = null;
    return batch.rowCount;
  }

  /** The first end of windows that are open, by their ends, if that one is complete at `timeMs`; else null. */
  completeAt(timeMs: number, windows: ReadonlyMap<number, unknown>): number | null {
    const first = Math.min(...windows.keys());
    return windows.size > 0 && this.#clock.instantOf(first) <= timeMs ? first : null;
  }

  /** All windows that are complete at `timeMs` have been given out: rows of them are late from now on. */
  advanceTo(timeMs: number): void {
    // Behind a restart time begins anew.
    this.#watermark = Math.max(this.#watermark, timeMs);
  }

  /** What is to be known behind a restart, beside the rows. */
  note(): Json {
    return { watermark: notedTime(this.#watermark), late: this.#late.count };
  }

  restore(reader: SnapshotReader): void {
    this.#watermark = leastTimeOf(reader, 'watermark');
    this.#late.goOn(sumOfCounts(reader, 'late'));
  }

  /** When a window begins and ends; infinite for the one of all time. */
  boundsOf(end: number): readonly [start: number, end: number] {
    const [start, until] = [this.#panes.startOf(end), end].map((bound) => {
      return Number.isFinite(bound) ? this.#clock.instantOf(bound) : bound;
    });
    return [start ?? 0, until ?? 0];
  }

  close(): void {
    for (const { batch } of this.#parts ?? []) batch.release();
    this.#parts = null;
    this.#split.close();
    this.#clock.close();
  }

  /** Gives the first part to all of its windows; false asks to be called again. */
  #addPart(parts: PaneRows[], give: GiveRows): boolean {
    const part = parts[0];
    assert(part !== undefined, 'a batch has parts');
    const { pane, batch } = part;
    if (pane === null && this.#options.missing !== 'late') {
      throw eventTimeMissing(this.#context.name, this.#options.column ?? '');
    }
    if (pane === null || this.#isOver(this.#panes.lastEndOf(pane))) {
      if (!this.#late.offer(batch)) return false;
      parts.shift();
      return true;
    }
    const from = Math.max(this.#partEnd, this.#clock.localOf(this.#watermark));
    let end = this.#panes.nextEndOf(pane, from);
    while (end !== null) {
      if (!give(end, batch)) return false;
      this.#partEnd = end;
      end = this.#panes.nextEndOf(pane, end);
    }
    this.#partEnd = Number.NEGATIVE_INFINITY;
    parts.shift();
    batch.release();
    return true;
  }

  #isOver(localEnd: number): boolean {
    return this.#clock.instantOf(localEnd) <= this.#watermark;
  }
}
