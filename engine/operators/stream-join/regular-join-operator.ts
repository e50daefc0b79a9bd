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
 * Before: engine/task/operator-chain.ts · After: engine/operators/stream-join/stream-side.ts
 */
import { assert } from '../../../base/assert.ts';
import { closeAll } from '../../../base/close-all.ts';
import { type Batch, batchRowsMax } from '../../batch/batch.ts';
import { addressOf } from '../../memory/slot-memory.ts';
import { isOneSided, isOuter, type JoinSide } from '../../plan/join-type.ts';
import { rowKinds } from '../../plan/row-kind.ts';
import { OwnedRows } from '../../stream/owned-rows.ts';
import { type JoinCondition, joinConditionOf } from '../join-condition.ts';
import { JoinOutput } from '../join-output.ts';
import type { IdleAnswer, Operator, OperatorContext, Outbox } from '../operator.ts';
import { BandScratch } from './band-scratch.ts';
import { otherSide } from './interval-join-options.ts';
import type { JoinSegment } from './join-segment.ts';
import { type RegularJoinOptions, sliceMsOf } from './regular-join-options.ts';
import { RowKindColumn } from './row-kind-column.ts';
import { SegmentPairs } from './segment-pairs.ts';
import { StreamSide, timeMax } from './stream-side.ts';

/** The batch that is being worked on. */
interface Current {
  readonly batch: Batch;
  readonly side: JoinSide;
  /** When it came. */
  readonly timeMs: number;
  /** Rows with a key, and without. */
  readonly count: number;
  readonly aloneCount: number;
  /** Segments of the other side that are to come; null once all have been. */
  segments: JoinSegment[] | null;
}

type Sides<T> = { readonly [Side in JoinSide]: T };

const sideNames = ['left', 'right'] as const;

export class RegularJoinOperator implements Operator {
  readonly #context: OperatorContext;
  readonly #options: RegularJoinOptions;
  readonly #parts: ({ close(): void } | null)[] = [];
  readonly #bands: BandScratch;
  /** When rows came, by stored row: all of a batch at once. */
  readonly #arrivals: number;
  readonly #sides: Sides<StreamSide>;
  /** Rows of a side's batch alone. */
  readonly #alone: Sides<JoinOutput>;
  readonly #condition: JoinCondition | null;
  readonly #pairs: SegmentPairs;
  readonly #kinds: RowKindColumn | null;
  #current: Current | null = null;
  #waiting: Batch[] = [];
  wakeAtMs = Number.POSITIVE_INFINITY;

  /** @throws MEMORY_EXHAUSTED */
  constructor(context: OperatorContext, options: RegularJoinOptions) {
    const { left, right, condition, kindColumn, output } = options;
    const { scope } = context;
    this.#context = context;
    this.#options = options;
    try {
      this.#bands = this.#part(new BandScratch(scope));
      const block = scope.allocate(batchRowsMax * 8);
      this.#part({ close: () => scope.memory.release(block) });
      this.#arrivals = addressOf(block);
      this.#kinds = kindColumn === null ? null : this.#part(new RowKindColumn(scope, output));
      const sides = { probe: left.schema, build: right.schema };
      const all = { type: options.type, buildSide: 'right', probeKeys: [], buildKeys: [] } as const;
      this.#condition = joinConditionOf(context, { ...all, ...sides, condition, output });
      this.#part(this.#condition?.filter ?? null);
      this.#pairs = new SegmentPairs(context, this.#bands, this.#condition);
      this.#sides = { left: this.#sideOf('left'), right: this.#sideOf('right') };
      this.#alone = { left: this.#aloneOf('left'), right: this.#aloneOf('right') };
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
    for (const side of sideNames) {
      const stream = this.#sides[side];
      for (
        let old = stream.expired(nowMs - ttlMs);
        old !== null;
        old = stream.expired(nowMs - ttlMs)
      ) {
        stream.remove(old);
      }
    }
    this.#expectWake();
    return true;
  }

  finish(outbox: Outbox): boolean {
    return this.#give(outbox);
  }

  close(): void {
    for (const batch of this.#waiting.splice(0)) batch.release();
    closeAll(this.#parts.splice(0).reverse());
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
    const { kernels, scope } = this.#context;
    const { rows, times, alone, counts } = this.#bands;
    const stream = this.#sides[side];
    const timeMs = Math.floor(this.#context.nowMs?.() ?? 0);
    this.#stampArrivals(timeMs, batch.storedRows);
    const keys = stream.readKeys(batch);
    const count = kernels.timedRows(
      ...([this.#arrivals, 0, batch.selection, batch.rowCount, 1, -timeMax] as const),
      ...([keys.validity, Number(stream.areKeysByPlace), rows, times, alone, counts] as const),
    );
    this.#bands.clearBits();
    const segments = this.#sides[otherSide(side)].within(-timeMax, timeMax);
    const aloneCount = scope.memory.uint32[counts >>> 2] ?? 0;
    return { batch, side, timeMs, count, aloneCount, segments: count === 0 ? [] : segments };
  }

  /** A time before 1970 does not come from a clock. */
  #stampArrivals(timeMs: number, count: number): void {
    const { uint32 } = this.#context.scope.memory;
    const [low, high] = [timeMs % 2 ** 32, Math.floor(timeMs / 2 ** 32)];
    const at = this.#arrivals >>> 2;
    for (let row = 0; row < count; row++) {
      uint32[at + row * 2] = low;
      uint32[at + row * 2 + 1] = high;
    }
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
    const pairs = this.#pairs.next(probed, segment);
    if (pairs.isDone) current.segments?.shift();
    if (pairs.count > 0) this.#givePairs(current, segment, pairs.count);
  }

  /** Marks the rows of pairs, and gives out what they change. */
  #givePairs({ batch, side }: Current, segment: JoinSegment, count: number): void {
    const { kernels } = this.#context;
    const { type } = this.#options;
    const { probe, build, bits, partRows: first } = this.#bands;
    const other = otherSide(side);
    if (this.#hasMarks(side)) kernels.markRows(bits, probe, count);
    if (this.#hasMarks(other)) {
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
    const { alone, rows, bits, probe } = this.#bands;
    if (!this.#hasMarks(side)) return;
    const output = this.#alone[side];
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

  #keep({ side, batch, count, timeMs }: Current): void {
    if (count === 0) return;
    const { rows, times } = this.#bands;
    const others = this.#sides[otherSide(side)].sizeBytes;
    const room = this.#context.spill.share.bytes - others - this.#bands.sizeBytes;
    const timed = { batch, rows, times, count, least: timeMs, most: timeMs };
    this.#sides[side].put(timed, room);
    this.#expectWake();
  }

  #expectWake(): void {
    const { ttlMs } = this.#options;
    if (ttlMs === null) return;
    const oldest = sideNames.flatMap((side) => this.#sides[side].segments.map(({ most }) => most));
    this.wakeAtMs = Math.min(...oldest) + ttlMs + 1;
  }

  /** Whether it matters which rows of a side have had a partner. */
  #hasMarks(side: JoinSide): boolean {
    const { type } = this.#options;
    return isOuter(type, side) || (side === 'left' && type === 'semi');
  }

  #offer(rows: Batch, kind: number): void {
    this.#waiting.push(this.#kinds === null ? rows : this.#kinds.behind(rows, kind));
  }

  #sideOf(side: JoinSide): StreamSide {
    const { schema, keys } = this.#options[side];
    const output = this.#pairSchema;
    const conditionColumns = this.#condition?.columns ?? null;
    const other = this.#options[otherSide(side)].schema;
    const common = { schema, keys, other, output, conditionColumns, bands: this.#bands };
    return this.#part(
      new StreamSide(this.#context, {
        ...common,
        scratch: this.#bands.table,
        hasMarks: this.#hasMarks(side),
        slice: sliceMsOf(this.#options),
      }),
    );
  }

  #aloneOf(side: JoinSide): JoinOutput {
    const { scope, kernels } = this.#context;
    const [probe, build] = [this.#options[side].schema, this.#options[otherSide(side)].schema];
    const none = this.#part(new OwnedRows({ scope, kernels, schema: build, isSmallAtFirst: true }));
    const sides = { probe, build, mayBeNull: false };
    return this.#part(new JoinOutput(this.#context, none, { ...sides, output: this.#pairSchema }));
  }

  /** What comes out without the row kind. */
  get #pairSchema() {
    const { output, kindColumn } = this.#options;
    return { fields: output.fields.filter(({ name }) => name !== kindColumn) };
  }

  /** Offers what waits; false when the outbox is full. */
  #give(outbox: Outbox): boolean {
    for (let batch = this.#waiting[0]; batch !== undefined; batch = this.#waiting[0]) {
      if (!outbox.offer(batch)) return false;
      this.#waiting.shift();
    }
    return true;
  }

  #part<T extends { close(): void } | null>(part: T): T {
    this.#parts.push(part);
    return part;
  }
}
