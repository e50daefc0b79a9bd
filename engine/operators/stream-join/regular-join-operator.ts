/**
 * Regular join of two streams: rows are partners when their keys are equal, whenever they come. Rows of both sides are
 * kept, and each goes past the rows of the other side that came before it.
 *
 *     left   ──▶ past all segments of the right side ──▶ +I pairs        ──▶ put into a segment of the left side
 *     right  ──▶ past all segments of the left side  ──▶ -D alone, +I pairs ──▶ put into one of the right side
 *     clock  ──▶ segments that came longer ago than rows are kept are dropped
 *
 * A row without a partner comes out at once where the type has such rows, and is taken back when its first partner
 * comes: so joins but inner and semi ones give out changes, whose kind is in a column behind the others.
 *
 * Invariants:
 * - A pair comes out once: a row goes past the other side's rows before it is kept, and those after it go past it.
 * - A row is kept for the time to live at least, and not much longer; without one for ever. What is dropped is not taken back.
 * - Nothing is promised about event time: a row may meet one that is much older.
 * Before: engine/task/operator-chain.ts · After: engine/operators/stream-join/join-sides.ts
 */
import { assert } from '../../../base/assert.ts';
import { closeAll } from '../../../base/close-all.ts';
import type { Batch } from '../../batch/batch.ts';
import type { SnapshotReader, SnapshotWriter } from '../../contracts/snapshot.ts';
import { isOneSided, isOuter, type JoinSide } from '../../plan/join-type.ts';
import { rowKinds } from '../../plan/row-kind.ts';
import type { IdleAnswer, Operator, OperatorContext, Outbox } from '../operator.ts';
import { Arrivals, type ArrivedRows } from './arrivals.ts';
import { otherSide } from './interval-join-options.ts';
import type { JoinSegment } from './join-segment.ts';
import { JoinSides } from './join-sides.ts';
import { JoinSidesSnapshot } from './join-sides-snapshot.ts';
import { type RegularJoinOptions, sliceMsOf } from './regular-join-options.ts';
import { RowKindColumn } from './row-kind-column.ts';
import { timeMax } from './stream-side.ts';

/** The batch that is being worked on. */
interface Current extends ArrivedRows {
  readonly batch: Batch;
  readonly side: JoinSide;
  /** Segments of the other side that are to come; null once all have been. */
  segments: JoinSegment[] | null;
}

export class RegularJoinOperator implements Operator {
  readonly #context: OperatorContext;
  readonly #options: RegularJoinOptions;
  readonly #sides: JoinSides;
  readonly #snapshot: JoinSidesSnapshot;
  readonly #arrivals: Arrivals;
  #kinds: RowKindColumn | null = null;
  #current: Current | null = null;
  #waiting: Batch[] = [];
  wakeAtMs = Number.POSITIVE_INFINITY;

  /** @throws MEMORY_EXHAUSTED */
  constructor(context: OperatorContext, options: RegularJoinOptions) {
    const { kindColumn, output } = options;
    this.#context = context;
    this.#options = options;
    // What comes out without the row kind.
    const pairs = { fields: output.fields.filter(({ name }) => name !== kindColumn) };
    this.#sides = new JoinSides(context, { ...options, output: pairs, slice: sliceMsOf(options) });
    this.#snapshot = new JoinSidesSnapshot(context, {
      ...{ left: options.left, right: options.right, sides: this.#sides },
      isByClock: options.ttlMs !== null,
      keep: (side, rows, heldMs) => this.#keepAgain(side, rows, heldMs),
    });
    try {
      this.#arrivals = new Arrivals(context, this.#sides);
      if (kindColumn !== null) this.#kinds = new RowKindColumn(context.scope, output);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  process(batch: Batch, fromRow: number, outbox: Outbox): number {
    return this.#work('left', batch, fromRow, outbox);
  }

  processRight(batch: Batch, fromRow: number, outbox: Outbox): number {
    return this.#work('right', batch, fromRow, outbox);
  }

  watermarkBehind(): number {
    return Number.NEGATIVE_INFINITY;
  }

  idle(): IdleAnswer {
    return 'hold';
  }

  wake(nowMs: number): boolean {
    const { ttlMs } = this.#options;
    if (ttlMs === null) return true;
    this.#arrivals.drop(nowMs - ttlMs);
    this.#expectWake();
    return true;
  }

  snapshot(writer: SnapshotWriter): boolean {
    this.#snapshot.write(writer, this.#arrivals.nowMs);
    return true;
  }

  restore(reader: SnapshotReader): boolean {
    return this.#snapshot.restore(reader);
  }

  finish(outbox: Outbox): boolean {
    return this.#give(outbox);
  }

  close(): void {
    for (const batch of this.#waiting.splice(0)) batch.release();
    closeAll([this.#kinds, this.#arrivals, this.#snapshot, this.#sides]);
  }

  #work(side: JoinSide, batch: Batch, fromRow: number, outbox: Outbox): number {
    if (batch.rowCount === 0) return 0;
    this.#current ??= this.#begin(side, batch);
    const current = this.#current;
    assert(current.batch === batch, 'a batch is worked on to its end before the next one');
    for (let steps = 0; ; steps++) {
      if (!this.#give(outbox)) return fromRow;
      if (this.#current === null) return batch.rowCount;
      if (steps > 0 && this.#context.shouldYield()) return fromRow;
      this.#step(current);
    }
  }

  #begin(side: JoinSide, batch: Batch): Current {
    const arrived = this.#arrivals.list(side, batch);
    const segments = this.#sides[otherSide(side)].within(-timeMax, timeMax);
    return { ...arrived, batch, side, segments: arrived.count === 0 ? [] : segments };
  }

  /** Keeps rows that were kept before, as if they had come when they came. */
  #keepAgain(side: JoinSide, batch: Batch, heldMs: number): void {
    this.#sides.keep(this.#arrivals.listHeld(side, batch, heldMs));
    this.#expectWake();
  }

  /** Does a step with the current batch. */
  #step(current: Current): void {
    const { segments } = current;
    const [segment] = segments ?? [];
    if (segment !== undefined) {
      this.#pair(current, segment);
      return;
    }
    if (segments !== null) {
      current.segments = null;
      this.#giveOwn(current);
      return;
    }
    this.#keep(current);
    this.#current = null;
  }

  /** The next pairs with rows of a segment. */
  #pair(current: Current, segment: JoinSegment): void {
    const { side, batch, count } = current;
    const band = { low: -timeMax, high: timeMax };
    const probed = { batch, count, side: this.#sides[side], ...band };
    const pairs = this.#sides.pairs.next(probed, segment);
    if (pairs.isDone) current.segments?.shift();
    if (pairs.count > 0) this.#givePairs(current, segment, pairs.count);
  }

  /** Marks the rows of pairs, and gives out what they change. */
  #givePairs({ batch, side }: Current, segment: JoinSegment, count: number): void {
    const { kernels } = this.#context;
    const { type } = this.#options;
    const { probe, build, bits, partRows: first } = this.#sides.bands;
    const other = otherSide(side);
    if (this.#sides.hasMarks(side)) kernels.markRows(bits, probe, count);
    if (this.#sides.hasMarks(other)) {
      const firstCount = kernels.markNewRows(segment.marks, build, count, first);
      const kind = type === 'semi' ? rowKinds.insert : rowKinds.delete;
      if (firstCount > 0)
        this.#offer(segment.output.make({ count: firstCount, probe: null, numbers: first }), kind);
    }
    if (isOneSided(type)) return;
    const pairs = segment.output.make({ count, probe: { batch, rows: probe }, numbers: build });
    this.#offer(pairs, rowKinds.insert);
  }

  /** Rows of the batch that come out by themselves: those without a partner; of a semi join those with one. */
  #giveOwn({ side, batch, aloneCount, count }: Current): void {
    const { kernels } = this.#context;
    const { type } = this.#options;
    const { alone, rows, bits, probe } = this.#sides.bands;
    if (!this.#sides.hasMarks(side)) return;
    const output = this.#sides.alone[side];
    if (isOuter(type, side) && aloneCount > 0) {
      const probed = { batch, rows: alone };
      this.#offer(output.make({ count: aloneCount, probe: probed, numbers: 0 }), rowKinds.insert);
    }
    const wanted = type === 'semi' ? 1 : 0;
    const found = kernels.rowsByMark(bits, rows, 0, count, wanted, probe);
    if (found === 0) return;
    const probed = { batch, rows: probe };
    this.#offer(output.make({ count: found, probe: probed, numbers: 0 }), rowKinds.insert);
  }

  #keep({ timeMs, ...rows }: Current): void {
    this.#sides.keep({ ...rows, least: timeMs, most: timeMs });
    if (rows.count > 0) this.#expectWake();
  }

  #expectWake(): void {
    const { ttlMs } = this.#options;
    if (ttlMs !== null) this.wakeAtMs = this.#arrivals.oldestMs + ttlMs + 1;
  }

  #offer(rows: Batch, kind: number): void {
    this.#waiting.push(this.#kinds === null ? rows : this.#kinds.behind(rows, kind));
  }

  /** Offers what waits; false when the outbox is full. */
  #give(outbox: Outbox): boolean {
    for (let batch = this.#waiting[0]; batch !== undefined; batch = this.#waiting[0]) {
      if (!outbox.offer(batch)) return false;
      this.#waiting.shift();
    }
    return true;
  }
}
