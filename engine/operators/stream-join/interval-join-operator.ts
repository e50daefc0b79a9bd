/**
 * Interval join: rows of two streams are partners when their keys are equal and the time of the right one is
 * near that of the left one. Rows of both come in any turn; each goes past the rows of the other side that
 * are kept, and is kept itself.
 *
 *     left   ──▶ past segments of the right side ──▶ pairs ──▶ put into a segment of the left side
 *     right  ──▶ past segments of the left side  ──▶ pairs ──▶ put into a segment of the right side
 *     event time ──▶ rows that can have no more partners: those without one are given out; segments of such rows go
 *
 * A window join is the same over starts of windows: times are equal then, and partners are in one window.
 *
 * What comes out when: pairs, and rows of a semi join, with the later of their two rows; rows without a partner
 * when event time says that none can come, or at once where they have no key or no time.
 *
 * Invariants:
 * - A pair comes out once: a row goes past the other side's rows before it is kept, and those after it go past it.
 * - A row that is late, older than event time allows, is left out and counted: its partners may have been given
 *   out as rows without one.
 * - No call makes more than 8,192 pairs; the place within a segment and a chain is kept between calls.
 * Before: engine/task/operator-chain.ts · After: engine/operators/stream-join/join-sides.ts
 * @see docs/design/018-joins-of-streams.md
 */
import { assert } from '../../../base/assert.ts';
import type { Batch } from '../../batch/batch.ts';
import type { Json } from '../../contracts/json.ts';
import type { SnapshotReader, SnapshotWriter } from '../../contracts/snapshot.ts';
import { isOneSided, isOuter, type JoinSide } from '../../plan/join-type.ts';
import { fieldIndexOf } from '../../schema/schema.ts';
import type { Operator, OperatorContext, Outbox } from '../operator.ts';
import { leastTimeOf, sumOfCounts } from '../snapshot-notes.ts';
import { heldRows } from './held-rows.ts';
import {
  type IntervalJoinOptions,
  type JoinTimes,
  joinTimesOf,
  otherSide,
} from './interval-join-options.ts';
import type { JoinSegment } from './join-segment.ts';
import { JoinSides, type ListedRows } from './join-sides.ts';
import { JoinSidesSnapshot } from './join-sides-snapshot.ts';
import { timeMax } from './stream-side.ts';

/** The batch that is being worked on. */
interface Current {
  readonly batch: Batch;
  readonly side: JoinSide;
  /** Rows with a time and a key, their least and largest time; rows that come alone. */
  readonly count: number;
  readonly least: number;
  readonly most: number;
  readonly aloneCount: number;
  /** Segments of the other side that are to come; null once all have been. */
  segments: JoinSegment[] | null;
}

/** The segment that is being given out, and the next of its rows. */
interface Leaving {
  readonly segment: JoinSegment;
  readonly side: JoinSide;
  /** Rows with times before are given out. */
  readonly until: number;
  row: number;
}

export class IntervalJoinOperator implements Operator {
  readonly #context: OperatorContext;
  readonly #options: IntervalJoinOptions;
  readonly #times: JoinTimes;
  readonly #sides: JoinSides;
  readonly #snapshot: JoinSidesSnapshot;
  readonly #timeColumns: { readonly [Side in JoinSide]: number };
  #current: Current | null = null;
  #waiting: Batch | null = null;
  /** Times below are late: no row with such a time follows. */
  #bound = -timeMax;
  #lateCount = 0;
  #leaving: Leaving | null = null;

  /** @throws MEMORY_EXHAUSTED */
  constructor(context: OperatorContext, options: IntervalJoinOptions) {
    const { left, right } = options;
    this.#context = context;
    this.#options = options;
    this.#times = joinTimesOf(options);
    this.#timeColumns = {
      left: fieldIndexOf(left.schema, left.time),
      right: fieldIndexOf(right.schema, right.time),
    };
    this.#sides = new JoinSides(context, { ...options, slice: this.#times.slice });
    this.#snapshot = new JoinSidesSnapshot(context, {
      ...{ left, right, sides: this.#sides, isByClock: false },
      keep: (side, rows) => this.#keepAgain(side, rows),
    });
  }

  get notedRows(): Readonly<Record<string, number>> {
    return { late: this.#lateCount };
  }

  process(batch: Batch, fromRow: number, outbox: Outbox): number {
    return this.#work('left', batch, fromRow, outbox);
  }

  processRight(batch: Batch, fromRow: number, outbox: Outbox): number {
    return this.#work('right', batch, fromRow, outbox);
  }

  advance(timeMs: number, outbox: Outbox): boolean {
    const { unitsPerMs, lag } = this.#times;
    const time = Math.max(-timeMax, Math.min(timeMax, timeMs * unitsPerMs - lag));
    if (!this.#expire(time, outbox)) return false;
    // Behind a restart time begins anew.
    this.#bound = Math.max(this.#bound, time);
    return true;
  }

  watermarkBehind(timeMs: number): number {
    const { before, after, lag, unitsPerMs } = this.#times;
    const pairs = timeMs - (Math.max(before, after, 0) + lag) / unitsPerMs;
    const kept = (['left', 'right'] as const).map((side) =>
      isOuter(this.#options.type, side) ? this.#sides[side].least / unitsPerMs : Infinity,
    );
    return Math.floor(Math.min(pairs, ...kept));
  }

  /** The rows of a key that wait for partners. */
  stateOf(key: string): Json | undefined {
    const [left, right] = (['left', 'right'] as const).map((side) => {
      const { schema, keys } = this.#options[side];
      return heldRows(this.#context, { schema, keys, segments: this.#sides[side].segments }, key);
    });
    assert(left !== undefined && right !== undefined, 'a join has two sides');
    return left.rowCount + right.rowCount === 0 ? undefined : { left, right };
  }

  snapshot(writer: SnapshotWriter): boolean {
    writer.note({ bound: this.#bound, late: this.#lateCount });
    this.#snapshot.write(writer, 0);
    return true;
  }

  restore(reader: SnapshotReader): boolean {
    if (!this.#snapshot.restore(reader)) return false;
    this.#bound = Math.max(-timeMax, leastTimeOf(reader, 'bound'));
    this.#lateCount = sumOfCounts(reader, 'late');
    return true;
  }

  finish(outbox: Outbox): boolean {
    return this.#expire(Infinity, outbox);
  }

  close(): void {
    this.#waiting?.release();
    this.#waiting = null;
    this.#snapshot.close();
    this.#sides.close();
  }

  #work(side: JoinSide, batch: Batch, fromRow: number, outbox: Outbox): number {
    if (batch.rowCount === 0) return 0;
    let current = this.#current;
    if (current === null) {
      current = this.#begin(side, batch);
      this.#current = current;
    }
    assert(current.batch === batch, 'a batch is worked on to its end before the next one');
    for (let steps = 0; ; steps++) {
      if (!this.#give(outbox)) return fromRow;
      if (this.#current === null) return batch.rowCount;
      if (steps > 0 && this.#context.shouldYield()) return fromRow;
      this.#waiting = this.#step(current);
    }
  }

  #begin(side: JoinSide, batch: Batch): Current {
    const listed = this.#list(side, batch);
    const { counts } = this.#sides.bands;
    const { uint32 } = this.#context.scope.memory;
    this.#lateCount += uint32[(counts >>> 2) + 1] ?? 0;
    this.#sides.bands.clearBits();
    const { low, high } = this.#bandOf(side);
    const { count, least, most } = listed;
    const others = this.#sides[otherSide(side)];
    return {
      ...{ ...listed, aloneCount: uint32[counts >>> 2] ?? 0 },
      segments: count === 0 ? [] : others.within(least + low, most + high),
    };
  }

  /** Lists the rows of a batch that have a key and a time. */
  #list(side: JoinSide, batch: Batch): ListedRows {
    const { kernels, scope } = this.#context;
    const { rows, times, alone, counts } = this.#sides.bands;
    const stream = this.#sides[side];
    const column = batch.columns[this.#timeColumns[side]];
    assert(column !== undefined, 'a batch has the columns of its schema');
    const keys = stream.readKeys(batch);
    const count = kernels.timedRows(
      ...([column.values, column.validity, batch.selection, batch.rowCount] as const),
      ...([this.#times.factors[side], this.#bound, keys.validity] as const),
      ...([Number(stream.areKeysByPlace), rows, times, alone, counts] as const),
    );
    const { float64 } = scope.memory;
    const [least = 0, most = 0] = float64.subarray((counts >>> 3) + 1, (counts >>> 3) + 3);
    return { batch, side, count, least, most };
  }

  /** Keeps rows that were kept before: the bound is not known yet, so none is late. */
  #keepAgain(side: JoinSide, rows: Batch): void {
    this.#sides.keep(this.#list(side, rows));
  }

  /** From where to where the other side's times are, counted from a row of this side. */
  #bandOf(side: JoinSide): { readonly low: number; readonly high: number } {
    const { before, after } = this.#times;
    return side === 'left' ? { low: -before, high: after } : { low: -after, high: before };
  }

  /** Does a step with the current batch; what is given out, if any. */
  #step(current: Current): Batch | null {
    const { segments } = current;
    const [segment] = segments ?? [];
    if (segment !== undefined) return this.#nextPairs(current, segment);
    if (segments !== null) {
      current.segments = null;
      const given = this.#ownRows(current);
      if (given !== null) return given;
    }
    this.#sides.keep(current);
    this.#current = null;
    return null;
  }

  /** The next pairs with rows of a segment. */
  #nextPairs(current: Current, segment: JoinSegment): Batch | null {
    const { side, batch, count } = current;
    const probed = { batch, count, side: this.#sides[side], ...this.#bandOf(side) };
    const pairs = this.#sides.pairs.next(probed, segment);
    if (pairs.isDone) current.segments?.shift();
    return pairs.count === 0 ? null : this.#given(current, segment, pairs.count);
  }

  /** Marks the rows of pairs; what is given out of them. */
  #given({ batch, side }: Current, segment: JoinSegment, count: number): Batch | null {
    const { kernels } = this.#context;
    const { type } = this.#options;
    const { probe, build, bits } = this.#sides.bands;
    if (this.#sides.hasMarks(side)) kernels.markRows(bits, probe, count);
    if (!isOneSided(type)) {
      if (this.#sides.hasMarks(otherSide(side))) kernels.markRows(segment.marks, build, count);
      return segment.output.make({ count, probe: { batch, rows: probe }, numbers: build });
    }
    if (side === 'left') return null;
    const newCount = kernels.markNewRows(segment.marks, build, count, build);
    if (type === 'anti' || newCount === 0) return null;
    return segment.output.make({ count: newCount, probe: null, numbers: build });
  }

  /** Rows of the batch that come out by themselves: those without a key or a time; of a semi join those with a partner. */
  #ownRows({ side, batch, aloneCount, count }: Current): Batch | null {
    const { kernels } = this.#context;
    const { type } = this.#options;
    const { alone, rows, bits, probe } = this.#sides.bands;
    if (isOuter(type, side)) {
      if (aloneCount === 0) return null;
      return this.#sides.alone[side].make({
        count: aloneCount,
        probe: { batch, rows: alone },
        numbers: 0,
      });
    }
    if (type !== 'semi' || side === 'right') return null;
    const matched = kernels.rowsByMark(bits, rows, 0, count, 1, probe);
    if (matched === 0) return null;
    return this.#sides.alone.left.make({
      count: matched,
      probe: { batch, rows: probe },
      numbers: 0,
    });
  }

  /** Gives out rows, and closes segments, that can have no more partners; false when the outbox is full. */
  #expire(bound: number, outbox: Outbox): boolean {
    for (let steps = 0; ; steps++) {
      if (!this.#give(outbox)) return false;
      if (steps > 0 && this.#context.shouldYield()) return false;
      this.#leaving ??= this.#nextLeaving('left', bound);
      this.#leaving ??= this.#nextLeaving('right', bound);
      if (this.#leaving === null) return true;
      this.#leave(this.#leaving);
    }
  }

  #nextLeaving(side: JoinSide, bound: number): Leaving | null {
    const stream = this.#sides[side];
    const isGiven = isOuter(this.#options.type, side);
    const until = isGiven ? this.#givenUntil(side, bound) : Number.POSITIVE_INFINITY;
    const segment = isGiven
      ? stream.reachingBelow(until)
      : stream.expired(bound - this.#partnersAfter(side));
    return segment === null ? null : { segment, side, until, row: isGiven ? 0 : segment.rowCount };
  }

  /** How long after a row its last partner may come. */
  #partnersAfter(side: JoinSide): number {
    return side === 'left' ? this.#times.after : this.#times.before;
  }

  /**
   * Rows of a side whose times are before come out without a partner, if they had none: those of slices that are over. It is
   * the row's own slice that counts, and not which rows it is kept with: behind a restart these may be others.
   */
  #givenUntil(side: JoinSide, bound: number): number {
    const { slice } = this.#times;
    return Math.floor((bound - Math.max(0, this.#partnersAfter(side))) / slice) * slice;
  }

  #leave(leaving: Leaving): void {
    const { segment, side, until, row } = leaving;
    const { build } = this.#sides.bands;
    if (row < segment.rowCount) {
      const { count, nextRow } = segment.takeUnmatched(row, until, build);
      leaving.row = nextRow;
      if (count > 0) this.#waiting = segment.output.make({ count, probe: null, numbers: build });
      return;
    }
    if (!segment.passTo(until)) this.#sides[side].remove(segment);
    this.#leaving = null;
  }

  /** Offers what waits; false when the outbox is full. */
  #give(outbox: Outbox): boolean {
    if (this.#waiting !== null && !outbox.offer(this.#waiting)) return false;
    this.#waiting = null;
    return true;
  }
}
