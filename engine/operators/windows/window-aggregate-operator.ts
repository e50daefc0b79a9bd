/**
 * Window aggregate: groups rows by key columns and by windows of event time, and gives a window out when the
 * watermark has passed its end.
 *
 *     rows ─▶ panes ─▶ groups of each pane ──watermark──▶ windows, merged of their panes, in order of their ends
 *
 *     partial   a pane is given out as parts, so that the final phase has it before the same watermark comes there
 *     final     merges parts by pane; its rows have the pane in place of a time
 *     whole     both in one: where parts can't be merged, and where windows are given out more than once
 *
 * Why panes: a row is put into one group, whatever the number of windows that it is in. A late row (all windows
 * of its pane are over) is counted and goes to the late output. What is late is said where rows are first seen:
 * a partial phase knows watermarks that are at least those of the final one, so its parts are never late there.
 *
 * Invariants:
 * - Between two calls a batch has been worked in up to a border of its parts by pane, or of a table's slice.
 * - Nothing is given out for a window twice, but groups with rows that came since (`RowTouch`).
 * - The watermark goes on behind the last window that it completes.
 * After: engine/operators/windows/open-panes.ts, window-output.ts, early-windows.ts, late-rounds.ts
 */
import { assert } from '../../../base/assert.ts';
import type { Batch } from '../../batch/batch.ts';
import type { Json } from '../../contracts/json.ts';
import type { SnapshotReader, SnapshotWriter } from '../../contracts/snapshot.ts';
import { aggregatePartsOf } from '../../plan/aggregate-parts.ts';
import { partialMemoryWeight } from '../../plan/memory-weight.ts';
import {
  comesOnce,
  firesOnce,
  hasBounds,
  type TimeWindowSpec,
  type WindowFiring,
} from '../../plan/window-spec.ts';
import { fieldIndexOf, type Schema } from '../../schema/schema.ts';
import {
  type AggregateColumnOptions,
  type AggregatePhase,
  planAggregates,
} from '../aggregate-plan.ts';
import type { IdleAnswer, Operator, OperatorContext, Outbox } from '../operator.ts';
import { sumOfCounts } from '../snapshot-notes.ts';
import { EarlyWindows } from './early-windows.ts';
import { LateRounds } from './late-rounds.ts';
import { eventTimeMissing, LateRows } from './late-rows.ts';
import { OpenPanes } from './open-panes.ts';
import { PaneDisk } from './pane-disk.ts';
import { type PaneRows, PaneSplit } from './pane-split.ts';
import { paneStates } from './pane-states.ts';
import { RowTouch } from './row-touch.ts';
import { WindowAggregateSnapshot } from './window-aggregate-snapshot.ts';
import { notedWindows, noteOfWindows } from './window-notes.ts';
import { WindowOutput } from './window-output.ts';
import { type WindowPanes, windowPanesOf } from './window-panes.ts';
import { WindowResults } from './window-results.ts';
import { WindowTimer } from './window-timer.ts';
import { ZoneClock } from './zone-clock.ts';

/** Batches between two looks at how much memory is held. */
const batchesPerLook = 8;

export interface WindowAggregateOptions {
  readonly input: Schema;
  /** The window's start and end where it has them, keys, results; in the partial phase the pane, keys, parts. */
  readonly output: Schema;
  readonly phase: AggregatePhase;
  readonly window: TimeWindowSpec;
  /** The time of a row; in the final phase its pane. */
  readonly column: string | null;
  /** @defaultValue each window once, at its end */
  readonly firing?: WindowFiring;
  readonly keys: readonly string[];
  readonly aggregates: readonly AggregateColumnOptions[];
  /** What open panes may have in memory before they go to disk. @defaultValue as the share allows */
  readonly paneBytesMax?: number;
}

/** Rows of a pane on their way into it; those of a round bring windows out at once. */
type WindowRows = PaneRows & { readonly isRound?: true };

export class WindowAggregateOperator implements Operator {
  readonly #context: OperatorContext;
  readonly #options: WindowAggregateOptions;
  readonly #firing: WindowFiring;
  /** Of windows, which say what is late. */
  readonly #panes: WindowPanes;
  /** What is given out: windows, in a partial phase each pane as one. */
  readonly #given: WindowPanes;
  readonly #clock: ZoneClock;
  readonly #split: PaneSplit;
  readonly #open: OpenPanes;
  /** Null in a partial phase, which gives its panes out instead. */
  readonly #disk: PaneDisk | null;
  /** Null where there is nothing to hand out. */
  readonly #snapshot: WindowAggregateSnapshot | null;
  readonly #results: WindowResults;
  readonly #output: WindowOutput;
  readonly #timer: WindowTimer;
  readonly #late: LateRows;
  /** Null where no window is given out twice, or with new rows only. */
  readonly #touch: RowTouch | null;
  readonly #early: EarlyWindows;
  /** Null where late rows bring windows out with the next watermark. */
  readonly #rounds: LateRounds | null;
  /** Windows that are given out now, besides those that a watermark completes; null for none. */
  #triggered: number[] | null = null;
  /** Whether the watermark at hand has brought out all windows that it completes. */
  #hasGivenEnds = false;
  #batches = 0;
  /** Whether panes are given out because there is no more room for them. */
  #isFlushing = false;
  /** What is left of the batch that is worked on. */
  #parts: WindowRows[] | null = null;
  #partRow = 0;

  constructor(context: OperatorContext, options: WindowAggregateOptions) {
    const { input, output, phase, window, column, keys, aggregates } = options;
    this.#context = context;
    this.#options = options;
    this.#firing = options.firing ?? firesOnce;
    this.#panes = windowPanesOf(window);
    this.#clock = new ZoneClock(context.scope, 'timeZone' in window ? window.timeZone : null);
    this.#late = new LateRows(context);
    this.#early = new EarlyWindows(this.#firing);
    this.#touch = isGivenOutAgain(this.#firing) ? new RowTouch(context.scope, input, output) : null;
    this.#rounds = this.#firing.isLatePerRow ? new LateRounds(context, input, keys) : null;
    const read = this.#touch?.schema ?? input;
    const all = this.#touch === null ? aggregates : [...aggregates, this.#touch.aggregate];
    const plan = planAggregates(read, phase, all);
    const place = { panes: this.#panes, clock: this.#clock };
    const given =
      phase === 'partial' ? windowPanesOf(paneWindow(window, this.#panes)) : this.#panes;
    this.#given = given;
    this.#timer = new WindowTimer(given, this.#clock);
    this.#split = new PaneSplit(context, {
      column: column === null ? -1 : fieldIndexOf(input, column),
      ...place,
    });
    const bounds = this.#boundCount;
    const touched = this.#touch === null ? [] : [...this.#touch.schema.fields.slice(-1)];
    const groups = { fields: [...output.fields.slice(bounds), ...touched] };
    const parts = aggregatePartsOf({ keys, aggregates: all, output: groups }, read).schema;
    const disk = {
      ...{ parts, output: groups, plan },
      ...(options.paneBytesMax !== undefined && { tableBytes: options.paneBytesMax }),
    };
    this.#disk = phase === 'partial' ? null : new PaneDisk(context, disk);
    const limit = this.#disk?.size.canSpill ? { bytesMax: this.#disk.limitBytes } : {};
    this.#open = new OpenPanes(context, { input: read, keys, plan, ...limit });
    this.#results = new WindowResults(context, {
      ...{ input: read, keys, aggregates: all, plan },
      ...{ groups, disk: this.#disk },
      givesParts: phase === 'partial',
      mergesAll: this.#isCumulating,
      hasTouch: this.#touch !== null,
    });
    this.#snapshot =
      this.#disk === null
        ? null
        : new WindowAggregateSnapshot(context, {
            ...{ input: read, keys, parts, plan, open: this.#open, disk: this.#disk },
            hasTouch: this.#touch !== null,
            newSince: (pane) => this.#newSince(pane),
          });
    this.#output = new WindowOutput(context, {
      ...{ output, boundCount: bounds, given, clock: this.#clock, open: this.#open },
      ...{ disk: this.#disk, results: this.#results, touch: this.#touch },
      isCumulating: this.#isCumulating,
      isDiscarding: this.#firing.isDiscarding,
    });
  }

  get wakeAtMs(): number {
    return this.#early.wakeAtMs;
  }

  /** Rows that came too late, or without a time, and are in no window. */
  get notedRows(): Readonly<Record<string, number>> {
    return { late: this.#late.count };
  }

  process(batch: Batch, fromRow: number, outbox: Outbox): number {
    if (!this.#giveTriggered(outbox)) return fromRow;
    this.#parts ??= this.#split.split(batch);
    while (this.#parts.length > 0) {
      if (!this.#addPart(this.#parts)) return fromRow;
      if (!this.#giveTriggered(outbox)) return fromRow;
      if (this.#parts.length > 0 && this.#context.shouldYield()) return fromRow;
    }
    if (this.#early.hasAllRows) this.#trigger(this.#early.take());
    if (!this.#isFlushing && this.#isFull()) this.#flush();
    if (!this.#giveTriggered(outbox)) return fromRow;
    this.#parts = null;
    return batch.rowCount;
  }

  advance(timeMs: number, outbox: Outbox): boolean {
    // Behind a restart time begins anew.
    if (timeMs <= this.#timer.watermark) return true;
    if (!this.#hasGivenEnds) {
      if (!this.#give(outbox, () => this.#timer.next(timeMs, this.#open))) return false;
      const isTick = this.#early.isDueBetween(this.#timer.watermark, timeMs);
      if (isTick) this.#trigger(this.#early.take());
      this.#hasGivenEnds = true;
    }
    if (!this.#giveTriggered(outbox)) return false;
    this.#hasGivenEnds = false;
    this.#timer.advanceTo(timeMs);
    this.#drop();
    this.#output.endRound();
    return true;
  }

  /** A partial phase gives its panes out, which are merged behind it; others hold what time has not completed. */
  idle(outbox: Outbox): IdleAnswer {
    const isPartial = this.#options.phase === 'partial';
    if (isPartial ? !this.#giveAll(outbox) : !this.#giveTriggered(outbox)) return 'again';
    return this.#open.all.length === 0 ? 'pass' : 'hold';
  }

  wake(nowMs: number, outbox: Outbox): boolean {
    if (this.#early.wakeAtMs <= nowMs) {
      this.#early.wakeAtMs = Number.POSITIVE_INFINITY;
      this.#trigger(this.#early.take());
    }
    return this.#giveTriggered(outbox);
  }

  /** The panes that have rows of a key, and its results in each so far, or their parts. */
  stateOf(key: string): Json | undefined {
    const { keys, output } = this.#options;
    if (keys.length === 0) return undefined;
    return paneStates(this.#context, {
      ...{ panes: this.#panes, clock: this.#clock, open: this.#open.all },
      columns: output.fields.slice(this.#boundCount),
      keyCount: keys.length,
      results: this.#results.results,
      key,
    });
  }

  /** A partial phase gives its panes out; others hand out their groups, and what has been given out of them. */
  snapshot(writer: SnapshotWriter, outbox: Outbox): boolean {
    if (this.#snapshot === null && !this.#giveAll(outbox)) return false;
    const rows = this.#snapshot?.freeze();
    if (rows === null) return false;
    writer.note(
      noteOfWindows({
        ...{ timer: this.#timer, early: this.#early, output: this.#output },
        ...{ round: this.#touch?.round ?? 0, lateCount: this.#late.count },
        nowMs: this.#context.nowMs?.() ?? 0,
      }),
    );
    if (rows !== undefined && this.#snapshot !== null) {
      writer.rows('panes', this.#snapshot.schema, rows);
    }
    return true;
  }

  restore(reader: SnapshotReader): boolean {
    const noted = notedWindows(reader, this.#context.nowMs?.() ?? 0);
    if (this.#snapshot?.restore(reader, noted.isMixed) === false) return false;
    const { watermark, again, ends, rowsSince, wakeAtMs, rounds, round } = noted;
    this.#timer.goOn(watermark, again);
    this.#early.goOn(ends, rowsSince, wakeAtMs);
    this.#output.goOn(rounds, round);
    this.#late.goOn(sumOfCounts(reader, 'late'));
    return true;
  }

  finish(outbox: Outbox): boolean {
    return this.advance(Number.POSITIVE_INFINITY, outbox);
  }

  close(): void {
    for (const { batch } of this.#parts ?? []) batch.release();
    this.#parts = null;
    this.#output.close();
    this.#open.close();
    this.#split.close();
    this.#touch?.close();
    this.#rounds?.close();
    this.#clock.close();
    this.#snapshot?.close();
    this.#disk?.close();
  }

  get #isCumulating(): boolean {
    return this.#options.window.kind === 'cumulating' && this.#options.phase !== 'partial';
  }

  /** Columns in front of the keys. */
  get #boundCount(): number {
    const { phase, window } = this.#options;
    if (phase === 'partial') return 1;
    return hasBounds(window) ? 2 : 0;
  }

  get #latenessMs(): number {
    return this.#firing.allowedLatenessMs;
  }

  /** Works on the first part; false asks to be called again. */
  #addPart(parts: WindowRows[]): boolean {
    const part = parts[0];
    assert(part !== undefined, 'a batch has parts');
    const { pane, batch } = part;
    if (pane === null && this.#firing.missing !== 'late') {
      throw eventTimeMissing(this.#context.name, this.#options.column ?? '');
    }
    const isLate =
      pane === null || this.#timer.hasPassed(this.#panes.lastEndOf(pane), this.#latenessMs);
    if (isLate) {
      if (!this.#late.offer(batch)) return false;
      parts.shift();
      return true;
    }
    if (this.#rounds !== null && part.isRound !== true && this.#timer.hasGiven(pane)) {
      const rounds = this.#rounds.divide(batch, () => true);
      parts.splice(0, 1, ...rounds.map((batch) => ({ pane, batch, isRound: true }) as const));
      return this.#addPart(parts);
    }
    if (this.#touch !== null && batch.schema !== this.#touch.schema) {
      parts[0] = { ...part, batch: this.#touch.mark(batch) };
      return this.#addPart(parts);
    }
    if (!this.#addRows(pane, batch)) return false;
    this.#partRow = 0;
    parts.shift();
    this.#output.forgetMerged(pane);
    this.#noteRows(pane, batch.rowCount);
    if (part.isRound === true) this.#trigger(this.#timer.takeAgain());
    batch.release();
    return true;
  }

  /** Adds rows of a part to its pane, and puts others on disk where there is no room; false asks to be called again. */
  #addRows(pane: number, batch: Batch): boolean {
    const disk = this.#disk;
    try {
      if (disk?.isFull(this.#open, pane)) {
        this.#output.letGo();
        if (!disk.makeRoom(this.#open, pane)) return false;
      }
      // A round may have ended since the part was begun.
      if (this.#partRow > 0) this.#touch?.renew(batch);
      this.#partRow = this.#open.add(pane, batch, this.#partRow);
      return this.#partRow === batch.rowCount;
    } catch (error) {
      throw disk?.explained(error) ?? error;
    }
  }

  /** Which windows are to be given out again, or early, for rows of a pane. */
  #noteRows(pane: number, rowCount: number): void {
    const isPartial = this.#options.phase === 'partial';
    const isOver = (end: number) => !isPartial && this.#timer.hasPassed(end, this.#latenessMs);
    this.#timer.touch(pane, isOver);
    if (!this.#early.isWanted) return;
    let end = this.#panes.nextEndOf(pane, this.#clock.localOf(this.#timer.watermark));
    while (end !== null) {
      this.#early.add(end);
      end = this.#panes.nextEndOf(pane, end);
    }
    this.#early.noteRows(rowCount, this.#context.nowMs?.() ?? 0);
  }

  /** The first round in which a window of the pane was given out; 0 where one has not been. */
  #newSince(pane: number): number {
    let least = Number.POSITIVE_INFINITY;
    let end = this.#panes.nextEndOf(pane, Number.NEGATIVE_INFINITY);
    while (end !== null) {
      // What is over does not come again.
      if (!this.#timer.hasPassed(end, this.#latenessMs)) {
        least = Math.min(least, this.#output.rounds.get(end) ?? 0);
      }
      end = this.#panes.nextEndOf(pane, end);
    }
    return least;
  }

  /** Windows come out before the next rows. */
  #trigger(ends: readonly number[]): void {
    if (ends.length === 0) return;
    const before = this.#triggered ?? [];
    this.#triggered = [...new Set([...before, ...ends])];
  }

  /** Whether a partial phase has what it may have; looked at now and then, for it adds up tables. */
  #isFull(): boolean {
    if (this.#options.phase !== 'partial' || ++this.#batches % batchesPerLook !== 0) return false;
    return this.#open.sizeBytes > this.#context.spill.share.bytes * partialMemoryWeight;
  }

  /** Gives all panes out; false asks to be called again. */
  #giveAll(outbox: Outbox): boolean {
    if (!this.#giveTriggered(outbox)) return false;
    if (this.#open.all.length > 0) this.#flush();
    return this.#giveTriggered(outbox);
  }

  /** All panes are given out as they are: what comes later is merged with them behind. */
  #flush(): void {
    this.#trigger(this.#open.all.map(({ start }) => this.#given.lastEndOf(start)));
    this.#isFlushing = true;
  }

  /** Gives out what a trigger asked for; false asks to be called again. */
  #giveTriggered(outbox: Outbox): boolean {
    if (this.#triggered === null) return true;
    const triggered = this.#triggered;
    if (!this.#give(outbox, () => triggered.shift() ?? null)) return false;
    this.#triggered = null;
    if (this.#isFlushing) this.#open.clear();
    this.#isFlushing = false;
    this.#output.endRound();
    return true;
  }

  #give(outbox: Outbox, next: () => number | null): boolean {
    return this.#output.give(outbox, next, (end) => {
      if (this.#options.phase !== 'partial') this.#context.gaveWindow?.(this.#clock.instantOf(end));
      this.#early.forget(end);
    });
  }

  /** Drops panes whose windows are all over. */
  #drop(): void {
    const isPartial = this.#options.phase === 'partial';
    const latenessMs = isPartial ? 0 : this.#latenessMs;
    this.#open.dropWhile(
      ({ start }) => this.#timer.hasPassed(this.#given.lastEndOf(start), latenessMs),
      (pane) => this.#disk?.forget(pane),
    );
    this.#output.dropRounds((end) => this.#timer.hasPassed(end, this.#latenessMs));
  }
}

/** Whether a window may be given out again with rows that it had before. */
function isGivenOutAgain(firing: WindowFiring): boolean {
  return !firing.isDiscarding && !comesOnce(firing);
}

/** The panes of windows, as windows side by side. */
function paneWindow(window: TimeWindowSpec, { paneMs }: WindowPanes): TimeWindowSpec {
  if (window.kind === 'global' || window.kind === 'until') return window;
  return { ...window, kind: 'tumbling', sizeMs: paneMs } as TimeWindowSpec;
}
