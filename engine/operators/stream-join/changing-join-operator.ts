/**
 * Changing join: a regular join of streams whose rows go again.
 *
 *     rows that come   past all rows of the other side ──▶ -D alone, +I pairs ──▶ put into a segment of their side
 *     rows that go     found among the rows of their side ──▶ past the other side ──▶ -D pairs, +I alone
 *
 * Each row knows how many partners it has: the first one takes it back where it came out alone, and when the last one
 * goes it comes alone again. Of a batch rows that come are worked in before rows that go: a row may do both, and a pair that
 * is replaced does not leave its partner alone in between.
 *
 * Invariants:
 * - A pair that goes has come: what goes is a row that is kept, equal in all columns. One that is not there any more, since
 *   its time is over, changes nothing.
 * - What is dropped is not taken back, as in `RegularJoinOperator`.
 * Before: engine/task/build-join-operators.ts · After: engine/operators/stream-join/live-rows.ts
 */
import { assert } from '../../../base/assert.ts';
import { closeAll } from '../../../base/close-all.ts';
import { type Batch, batchRowsMax } from '../../batch/batch.ts';
import type { SnapshotReader, SnapshotWriter } from '../../contracts/snapshot.ts';
import { addressOf } from '../../memory/slot-memory.ts';
import { isOneSided, isOuter, type JoinSide } from '../../plan/join-type.ts';
import { rowKinds } from '../../plan/row-kind.ts';
import type { Schema } from '../../schema/schema.ts';
import type { IdleAnswer, Operator, OperatorContext, Outbox } from '../operator.ts';
import { Arrivals, type ArrivedRows } from './arrivals.ts';
import { areRowsEqual } from './equal-rows.ts';
import { otherSide } from './interval-join-options.ts';
import type { JoinSegment } from './join-segment.ts';
import { JoinSides } from './join-sides.ts';
import { JoinSidesSnapshot } from './join-sides-snapshot.ts';
import { LiveRows } from './live-rows.ts';
import { type RegularJoinOptions, sliceMsOf } from './regular-join-options.ts';
import { RowKindColumn } from './row-kind-column.ts';
import { SegmentPairs } from './segment-pairs.ts';
import { timeMax } from './stream-side.ts';

/** Rows of a batch that all come, or all go. */
interface Part extends ArrivedRows {
  readonly batch: Batch;
  readonly side: JoinSide;
  readonly goes: boolean;
}

/** A part of the work: rows to give out, or null where it may rest. */
type Work = Generator<Batch | null, void>;

const everywhere = { low: -timeMax, high: timeMax };

export class ChangingJoinOperator implements Operator {
  readonly #context: OperatorContext;
  readonly #options: RegularJoinOptions;
  readonly #sides: JoinSides;
  readonly #live: LiveRows;
  readonly #parts: { close(): void }[] = [];
  readonly #arrivals: Arrivals;
  readonly #kinds: RowKindColumn;
  readonly #snapshot: JoinSidesSnapshot;
  /** Pairs of rows with the same key, of one side. */
  readonly #own: SegmentPairs;
  /** By stored row of the part at hand: how many partners it has. */
  readonly #partners = new Uint32Array(batchRowsMax);
  /** By stored row of a part that goes: whether the row was found. */
  readonly #found = new Uint8Array(batchRowsMax);
  #work: Work | null = null;
  #pending: Batch | null = null;
  wakeAtMs = Number.POSITIVE_INFINITY;

  /** @throws MEMORY_EXHAUSTED */
  constructor(context: OperatorContext, options: RegularJoinOptions) {
    const { kindColumn, output, left, right } = options;
    assert(kindColumn !== null, 'a join of rows that go gives out rows that go');
    this.#context = context;
    this.#options = options;
    const without = (schema: Schema) => ({
      fields: schema.fields.filter(({ name }) => name !== kindColumn),
    });
    const sides = {
      left: { ...left, schema: without(left.schema) },
      right: { ...right, schema: without(right.schema) },
    };
    try {
      const slice = sliceMsOf(options);
      const all = { ...options, ...sides, output: without(output), slice };
      this.#sides = this.#part(new JoinSides(context, all));
      this.#live = this.#part(new LiveRows(context.scope));
      this.#arrivals = this.#part(new Arrivals(context, this.#sides));
      this.#kinds = this.#part(new RowKindColumn(context.scope, output));
      this.#own = new SegmentPairs(context, this.#sides.bands, null);
      this.#snapshot = this.#part(
        new JoinSidesSnapshot(context, {
          ...{ ...sides, sides: this.#sides, live: this.#live, isByClock: options.ttlMs !== null },
          keep: (side, rows, heldMs, partners) => this.#keepAgain(side, rows, heldMs, partners),
        }),
      );
    } catch (error) {
      this.close();
      throw error;
    }
  }

  process(batch: Batch, fromRow: number, outbox: Outbox): number {
    return this.#run('left', batch, fromRow, outbox);
  }

  processRight(batch: Batch, fromRow: number, outbox: Outbox): number {
    return this.#run('right', batch, fromRow, outbox);
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
    if (this.#work !== null) {
      // Segments stay while rows go past them.
      this.wakeAtMs = nowMs + 1;
      return true;
    }
    this.#arrivals.drop(nowMs - ttlMs, (segment) => this.#live.forget(segment));
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

  finish(): boolean {
    assert(this.#work === null, 'all batches were worked on to their ends');
    return true;
  }

  close(): void {
    this.#work?.return();
    this.#work = null;
    this.#pending?.release();
    this.#pending = null;
    closeAll(this.#parts.splice(0).reverse());
  }

  #part<T extends { close(): void }>(part: T): T {
    this.#parts.push(part);
    return part;
  }

  #run(side: JoinSide, batch: Batch, fromRow: number, outbox: Outbox): number {
    if (batch.rowCount === 0) return 0;
    this.#work ??= this.#worked(side, batch);
    for (;;) {
      if (this.#pending !== null && !outbox.offer(this.#pending)) return fromRow;
      this.#pending = null;
      const { done, value } = this.#work.next();
      if (done === true) break;
      this.#pending = value;
      if (value === null && this.#context.shouldYield()) return fromRow;
    }
    this.#work = null;
    this.#expectWake();
    return batch.rowCount;
  }

  *#worked(side: JoinSide, batch: Batch): Work {
    for (const goes of [false, true]) {
      const rows = this.#rowsOf(side, batch, goes);
      if (rows === null) continue;
      try {
        this.#partners.fill(0, 0, rows.storedRows);
        const part = { ...this.#arrivals.list(side, rows), batch: rows, side, goes };
        if (goes) yield* this.#gone(part);
        else yield* this.#come(part);
      } finally {
        rows.release();
      }
    }
    yield* this.#compacted(side);
  }

  *#come(part: Part): Work {
    if (part.count > 0) yield* this.#meet(part, part.count);
    yield* this.#alone(part, part.count);
    const { batch, side, count, timeMs } = part;
    if (count === 0) return;
    // Rows are moved out of the list while they are put in.
    const { memory } = this.#context.scope;
    const at = this.#sides.bands.rows >>> 2;
    const stored = memory.uint32.slice(at, at + count);
    this.#sides.keep({ batch, side, count, least: timeMs, most: timeMs });
    this.#live.note(this.#sides[side].segments, (place) => {
      return this.#partners[stored[place] ?? 0] ?? 0;
    });
  }

  *#gone(part: Part): Work {
    const count = part.count === 0 ? 0 : yield* this.#find(part);
    if (count > 0) yield* this.#meet(part, count);
    yield* this.#alone(part, count);
  }

  /** Goes past all rows of the other side: pairs come, or go, with the first rows of the list. */
  *#meet(part: Part, count: number): Work {
    const { batch, side, goes } = part;
    const probed = { batch, count, side: this.#sides[side], ...everywhere };
    for (const segment of this.#sides[otherSide(side)].within(-timeMax, timeMax)) {
      for (let isDone = false; !isDone; ) {
        const pairs = this.#sides.pairs.next(probed, segment);
        isDone = pairs.isDone;
        const { live, changed } = this.#count(segment, pairs.count, goes);
        if (live === 0) yield null;
        else if (goes) yield* this.#pairsGo(part, segment, live, changed);
        else yield* this.#pairsCome(part, segment, live, changed);
      }
    }
  }

  /**
   * Leaves the pairs with rows that are there, and counts them for both rows; `changed` rows of the segment, listed at
   * `partRows`, have got their first partner, or lost the last one.
   */
  #count(segment: JoinSegment, count: number, goes: boolean): { live: number; changed: number } {
    const { uint32 } = this.#context.scope.memory;
    const { bands } = this.#sides;
    const [probe, build, first] = [bands.probe >>> 2, bands.build >>> 2, bands.partRows >>> 2];
    let live = 0;
    let changed = 0;
    for (let at = 0; at < count; at++) {
      const row = uint32[build + at] ?? 0;
      if (!this.#live.isLive(segment, row)) continue;
      const own = uint32[probe + at] ?? 0;
      uint32[probe + live] = own;
      uint32[build + live++] = row;
      if (!goes) this.#partners[own] = (this.#partners[own] ?? 0) + 1;
      const before = this.#live.add(segment, row, goes ? -1 : 1);
      if (before === (goes ? 1 : 0)) uint32[first + changed++] = row;
    }
    return { live, changed };
  }

  *#pairsCome({ batch, side }: Part, segment: JoinSegment, live: number, changed: number): Work {
    const { type } = this.#options;
    if (changed > 0 && this.#sides.hasMarks(otherSide(side))) {
      yield this.#partnersAlone(segment, changed, type === 'semi' ? 'insert' : 'delete');
    }
    if (isOneSided(type)) return;
    const { probe: rows, build: numbers } = this.#sides.bands;
    const pairs = segment.output.make({ count: live, probe: { batch, rows }, numbers });
    yield this.#kinds.behind(pairs, rowKinds.insert);
  }

  *#pairsGo({ batch, side }: Part, segment: JoinSegment, live: number, changed: number): Work {
    const { type } = this.#options;
    const { probe: rows, build: numbers } = this.#sides.bands;
    if (!isOneSided(type)) {
      const pairs = segment.output.make({ count: live, probe: { batch, rows }, numbers });
      yield this.#kinds.behind(pairs, rowKinds.delete);
    }
    if (changed === 0 || !this.#sides.hasMarks(otherSide(side))) return;
    yield this.#partnersAlone(segment, changed, type === 'semi' ? 'delete' : 'insert');
  }

  /** Rows of a segment by themselves. */
  #partnersAlone(segment: JoinSegment, count: number, kind: keyof typeof rowKinds): Batch {
    const { partRows: numbers } = this.#sides.bands;
    return this.#kinds.behind(segment.output.make({ count, probe: null, numbers }), rowKinds[kind]);
  }

  /** Rows of the part that are by themselves in the result: those without a partner; of a semi join those with one. */
  *#alone({ batch, side, aloneCount, goes }: Part, count: number): Work {
    if (!this.#sides.hasMarks(side)) return;
    const { type } = this.#options;
    const { alone, rows, probe } = this.#sides.bands;
    const kind = goes ? rowKinds.delete : rowKinds.insert;
    const output = this.#sides.alone[side];
    const made = (list: number, listed: number) => {
      const own = output.make({ count: listed, probe: { batch, rows: list }, numbers: 0 });
      return this.#kinds.behind(own, kind);
    };
    // Without a key a row has no partner, and is not kept.
    if (isOuter(type, side) && aloneCount > 0) yield made(alone, aloneCount);
    const { uint32 } = this.#context.scope.memory;
    let found = 0;
    for (let at = 0; at < count; at++) {
      const row = uint32[(rows >>> 2) + at] ?? 0;
      const hasPartner = (this.#partners[row] ?? 0) > 0;
      if (hasPartner === (type === 'semi')) uint32[(probe >>> 2) + found++] = row;
    }
    if (found > 0) yield made(probe, found);
  }

  /** Takes rows that go out of their side; the list has those that were there then, which it answers the count of. */
  *#find({ batch, side, count }: Part): Generator<Batch | null, number> {
    const stream = this.#sides[side];
    const probed = { batch, count, side: stream, ...everywhere };
    this.#found.fill(0, 0, batch.storedRows);
    for (const segment of stream.within(-timeMax, timeMax)) {
      for (let isDone = false; !isDone; ) {
        const pairs = this.#own.next(probed, segment);
        isDone = pairs.isDone;
        if (pairs.count > 0) this.#take(batch, segment, pairs.count);
        yield null;
      }
    }
    const { uint32 } = this.#context.scope.memory;
    const { rows, times } = this.#sides.bands;
    let found = 0;
    for (let at = 0; at < count; at++) {
      const row = uint32[(rows >>> 2) + at] ?? 0;
      if (this.#found[row] !== 1) continue;
      uint32[(rows >>> 2) + found] = row;
      uint32.copyWithin(
        (times >>> 2) + found * 2,
        (times >>> 2) + at * 2,
        (times >>> 2) + at * 2 + 2,
      );
      found++;
    }
    return found;
  }

  /** Takes rows of a segment that are equal to rows that go, one for each. */
  #take(batch: Batch, segment: JoinSegment, count: number): void {
    const { uint32 } = this.#context.scope.memory;
    const { probe, build } = this.#sides.bands;
    const kept = segment.rowsAt(build, count);
    try {
      for (let at = 0; at < count; at++) {
        const row = uint32[(probe >>> 2) + at] ?? 0;
        const number = uint32[(build >>> 2) + at] ?? 0;
        if (this.#found[row] === 1 || !this.#live.isLive(segment, number)) continue;
        if (!areRowsEqual(batch, row, kept, at)) continue;
        this.#found[row] = 1;
        this.#partners[row] = this.#live.partnersOf(segment, number);
        this.#live.remove(segment, number);
      }
    } finally {
      kept.release();
    }
  }

  /** Segments of which most rows have gone are made anew of the others. */
  *#compacted(side: JoinSide): Work {
    const stream = this.#sides[side];
    for (const segment of stream.segments.filter((one) => this.#live.isMostlyGone(one))) {
      stream.detach(segment);
      try {
        for (let from = 0; from < segment.rowCount; from += batchRowsMax) {
          this.#move(segment, side, from);
          yield null;
        }
      } finally {
        this.#live.forget(segment);
        segment.close();
      }
    }
  }

  /** Puts the rows that are there of a stretch of a segment into others. */
  #move(segment: JoinSegment, side: JoinSide, from: number): void {
    const { memory } = this.#context.scope;
    const { bands } = this.#sides;
    const partners: number[] = [];
    const end = Math.min(from + batchRowsMax, segment.rowCount);
    for (let row = from; row < end; row++) {
      if (!this.#live.isLive(segment, row)) continue;
      memory.uint32[(bands.build >>> 2) + partners.length] = row;
      partners.push(this.#live.partnersOf(segment, row));
    }
    const count = partners.length;
    if (count === 0) return;
    const batch = segment.rowsAt(bands.build, count);
    try {
      const timeMs = segment.most;
      this.#arrivals.listAt(batch, timeMs);
      this.#sides.keep({ batch, side, count, least: timeMs, most: timeMs });
      this.#live.note(this.#sides[side].segments, (place) => partners[place] ?? 0);
    } finally {
      batch.release();
    }
  }

  /** Keeps rows that were kept before, as if they had come when they came: those of one time after the other. */
  #keepAgain(side: JoinSide, rows: Batch, heldMs: number, partners: number): void {
    const { memory } = this.#context.scope;
    const wordOf = (address: number, row: number) => memory.uint32[(address >>> 2) + row] ?? 0;
    const isSameTime = (row: number, other: number) =>
      heldMs === 0 ||
      (wordOf(heldMs, row * 2) === wordOf(heldMs, other * 2) &&
        wordOf(heldMs, row * 2 + 1) === wordOf(heldMs, other * 2 + 1));
    for (let from = 0; from < rows.rowCount; ) {
      const first = rows.storedRowOf(from);
      let to = from + 1;
      while (to < rows.rowCount && isSameTime(first, rows.storedRowOf(to))) to++;
      const block = this.#context.scope.allocate((to - from) * 4);
      const selection = addressOf(block);
      for (let row = from; row < to; row++) {
        memory.uint32[(selection >>> 2) + row - from] = rows.storedRowOf(row);
      }
      const batch = rows.derive({ rowCount: to - from, selection, blocks: [block] });
      try {
        const listed = this.#arrivals.listHeld(side, batch, heldMs);
        const at = this.#sides.bands.rows >>> 2;
        const stored = memory.uint32.slice(at, at + listed.count);
        this.#sides.keep(listed);
        this.#live.note(this.#sides[side].segments, (place) => {
          return wordOf(partners, (stored[place] ?? 0) * 2);
        });
      } finally {
        batch.release();
      }
      from = to;
    }
    this.#expectWake();
  }

  #expectWake(): void {
    const { ttlMs } = this.#options;
    if (ttlMs !== null) this.wakeAtMs = this.#arrivals.oldestMs + ttlMs + 1;
  }

  /** The rows of a batch that come, or go, without their kinds; null for none. */
  #rowsOf(side: JoinSide, batch: Batch, goes: boolean): Batch | null {
    const { schema } = this.#options[side];
    const kindAt = schema.fields.findIndex(({ name }) => name === this.#options.kindColumn);
    if (kindAt < 0) return goes ? null : batch.retain();
    const kinds = batch.columns[kindAt]?.values ?? 0;
    const block = this.#context.scope.allocate(batch.rowCount * 4);
    const { bytes, uint32 } = this.#context.scope.memory;
    const selection = addressOf(block);
    let rowCount = 0;
    for (let row = 0; row < batch.rowCount; row++) {
      const stored = batch.storedRowOf(row);
      // Odd kinds take a row away.
      if ((((bytes[kinds + stored] ?? 0) & 1) === 1) === goes) {
        uint32[(selection >>> 2) + rowCount++] = stored;
      }
    }
    if (rowCount === 0) {
      this.#context.scope.memory.release(block);
      return null;
    }
    const without = { fields: schema.fields.filter((_, at) => at !== kindAt) };
    const columns = batch.columns.filter((_, at) => at !== kindAt);
    return batch.derive({ schema: without, columns, rowCount, selection, blocks: [block] });
  }
}
