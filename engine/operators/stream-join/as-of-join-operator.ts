/**
 * As-of join of two streams: each row of the left side beside the version of its key that was valid at its time,
 * which is the right side's last row of that key at that time or before.
 *
 *     right  ──▶ kept as a version                    event time is at 10
 *     left   ──▶ waits until no older version can come:  rows below 10 go out beside their versions
 *     event time ──▶ due rows find their versions ──▶ versions that nobody can find any more are dropped
 *
 * What is kept of the right side is, by key, the last version at the watermark or before, and those behind it; with
 * a tolerance no version that is older than that. Dropping is copying what is left into a new table, when there
 * is twice as much as after the last time: so it costs a part of what putting in has cost.
 *
 * Invariants:
 * - A row comes out once, behind no watermark that is past it; without a key or a time at once, where rows
 *   without a version come out.
 * - A row that is late, older than event time allows, is left out and counted: a version that comes late would have
 *   been that of rows that are gone, and that of a late row may have been dropped.
 * Before: engine/task/operator-chain.ts · After: engine/operators/stream-join/version-table.ts
 * @see docs/design/022-joins-with-versions.md
 */
import { assert } from '../../../base/assert.ts';
import { closeAll } from '../../../base/close-all.ts';
import type { Batch } from '../../batch/batch.ts';
import type { Json } from '../../contracts/json.ts';
import type { SnapshotReader, SnapshotWriter } from '../../contracts/snapshot.ts';
import type { JoinSide } from '../../plan/join-type.ts';
import { fieldIndexOf } from '../../schema/schema.ts';
import { OwnedRows } from '../../stream/owned-rows.ts';
import type { KeysOfBatch } from '../group-keys.ts';
import { JoinKeys } from '../join-keys.ts';
import { JoinOutput } from '../join-output.ts';
import type { Operator, OperatorContext, Outbox } from '../operator.ts';
import { leastTimeOf, sumOfCounts } from '../snapshot-notes.ts';
import { AsOfJoinSnapshot } from './as-of-join-snapshot.ts';
import { type AsOfJoinOptions, type AsOfTimes, asOfTimesOf } from './as-of-options.ts';
import { BandScratch } from './band-scratch.ts';
import { joinStateTooLarge } from './join-state-too-large.ts';
import { type DueRows, PendingRows } from './pending-rows.ts';
import { timeMax } from './stream-side.ts';
import { VersionTable } from './version-table.ts';

/** A copy of what is left of versions, and the next chunk of it. */
interface Copy {
  readonly table: VersionTable;
  chunk: number;
}

/** Rows of one batch, or those that are due, with their keys. */
interface Keyed {
  readonly batch: Batch;
  readonly keys: KeysOfBatch;
}

/** Rows and keys that may always be held before looking for some to drop. */
const slackRows = 16_384;

export class AsOfJoinOperator implements Operator {
  readonly #context: OperatorContext;
  readonly #options: AsOfJoinOptions;
  readonly #times: AsOfTimes;
  readonly #snapshot: AsOfJoinSnapshot;
  readonly #timeColumns: { readonly [Side in JoinSide]: number };
  readonly #parts: { close(): void }[] = [];
  readonly #bands: BandScratch;
  readonly #leftKeys: JoinKeys;
  readonly #alone: JoinOutput;
  readonly #pending: PendingRows;
  #versions: VersionTable | null = null;
  /** Of the right side's batch: what is being put in. */
  #incoming: Keyed | null = null;
  #due: (Keyed & { readonly rows: DueRows }) | null = null;
  #copy: Copy | null = null;
  #waiting: Batch | null = null;
  /** Whether the current batch of the left side was taken in. */
  #isTaken = false;
  /** What the versions weighed when the last ones were dropped. */
  #weight = 0;
  /** Times below are late: no row with such a time follows. */
  #bound = -timeMax;
  #lateCount = 0;

  /** @throws MEMORY_EXHAUSTED */
  constructor(context: OperatorContext, options: AsOfJoinOptions) {
    const { left, right, output } = options;
    const { scope, kernels } = context;
    this.#context = context;
    this.#options = options;
    this.#times = asOfTimesOf(options);
    this.#snapshot = new AsOfJoinSnapshot(context, options);
    this.#timeColumns = {
      left: fieldIndexOf(left.schema, left.time),
      right: fieldIndexOf(right.schema, right.time),
    };
    try {
      this.#bands = this.#part(new BandScratch(scope));
      this.#leftKeys = this.#part(new JoinKeys(scope, kernels, left));
      const none = { scope, kernels, schema: right.schema, isSmallAtFirst: true };
      const noRows = this.#part(new OwnedRows(none));
      const sides = { probe: left.schema, build: right.schema, mayBeNull: false };
      this.#alone = this.#part(new JoinOutput(context, noRows, { ...sides, output }));
      this.#pending = this.#part(new PendingRows(context, left.schema, this.#bands));
      this.#versions = this.#newTable();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  get notedRows(): Readonly<Record<string, number>> {
    return { late: this.#lateCount };
  }

  process(batch: Batch, _fromRow: number, outbox: Outbox): number {
    if (batch.rowCount === 0) return 0;
    if (!this.#isTaken) {
      this.#takeLeft(batch);
      this.#isTaken = true;
    }
    if (!this.#give(outbox)) return 0;
    this.#isTaken = false;
    return batch.rowCount;
  }

  processRight(batch: Batch): number {
    if (batch.rowCount === 0) return 0;
    const versions = this.#table;
    const incoming = this.#incoming ?? this.#takeRight(batch);
    this.#incoming = incoming;
    if (!this.#isNumbered(versions, incoming)) return 0;
    if (incoming.batch.rowCount > 0) versions.append(incoming.batch, this.#bands.times);
    incoming.batch.release();
    this.#incoming = null;
    return batch.rowCount;
  }

  advance(timeMs: number, outbox: Outbox): boolean {
    const { unitsPerMs } = this.#times;
    return this.#passTo(Math.max(-timeMax, Math.min(timeMax, timeMs * unitsPerMs)), outbox);
  }

  snapshot(writer: SnapshotWriter): boolean {
    writer.note({ bound: this.#bound, late: this.#lateCount });
    this.#snapshot.write(writer, this.#pending, this.#table);
    return true;
  }

  /** The bound is not known before the rows are there: so none is late. */
  restore(reader: SnapshotReader): boolean {
    const isDone = this.#snapshot.restore(reader, {
      waiting: (batch) => {
        this.#takeLeft(batch);
        return true;
      },
      version: (batch) => this.processRight(batch) === batch.rowCount,
    });
    if (!isDone) return false;
    this.#bound = Math.max(-timeMax, leastTimeOf(reader, 'bound'));
    this.#lateCount = sumOfCounts(reader, 'late');
    return true;
  }

  finish(outbox: Outbox): boolean {
    return this.#passTo(Infinity, outbox);
  }

  inspect(): Json {
    const versions = this.#versions?.rowCount ?? 0;
    const { rowCount, least } = this.#pending;
    const { unitsPerMs } = this.#times;
    const oldest = Number.isFinite(least) ? Math.floor(least / unitsPerMs) : null;
    return { waitingRows: rowCount, oldestWaitingMs: oldest, versions };
  }

  close(): void {
    const batches = [this.#waiting, this.#incoming?.batch, this.#due?.batch, this.#due?.rows.batch];
    for (const batch of batches) batch?.release();
    this.#waiting = null;
    this.#incoming = null;
    this.#due = null;
    this.#snapshot.close();
    closeAll([this.#copy?.table ?? null, this.#versions, ...this.#parts.splice(0).reverse()]);
    this.#copy = null;
    this.#versions = null;
  }

  get #table(): VersionTable {
    assert(this.#versions !== null, 'versions are there until the operator is closed');
    return this.#versions;
  }

  /** Keeps rows until event time has passed them; those without a key or a time are given out, if at all. */
  #takeLeft(batch: Batch): void {
    const { rows, times, alone } = this.#bands;
    const keys = this.#leftKeys.read(batch);
    const isByPlace = this.#leftKeys.areTransient;
    const { count, aloneCount, least } = this.#sort('left', batch, keys, isByPlace);
    if (aloneCount > 0 && this.#options.type === 'left') {
      const probe = { batch, rows: alone };
      this.#waiting = this.#alone.make({ count: aloneCount, probe, numbers: 0 });
    }
    if (count === 0) return;
    const timed = batch.derive({ rowCount: count, selection: rows });
    try {
      this.#pending.append(timed, times, least);
      this.#checkRoom(this.#table.sizeBytes);
    } finally {
      timed.release();
    }
  }

  /** Sorts out the rows that can be versions. */
  #takeRight(batch: Batch): Keyed {
    const versions = this.#table;
    const keys = versions.readKeys(batch);
    const { count } = this.#sort('right', batch, keys, versions.areKeysByPlace);
    const timed = batch.derive({ rowCount: count, selection: this.#bands.rows });
    try {
      if (count > 0) this.#checkRoom(versions.sizeBytesWith(timed));
      return { batch: timed, keys: versions.readKeys(timed) };
    } catch (error) {
      timed.release();
      throw error;
    }
  }

  /** Rows with a time and a key, those without, and late ones, into the lists. */
  #sort(side: JoinSide, batch: Batch, keys: KeysOfBatch, isByPlace: boolean) {
    const { kernels, scope } = this.#context;
    const { rows, times, alone, counts } = this.#bands;
    const column = batch.columns[this.#timeColumns[side]];
    assert(column !== undefined, 'a batch has the columns of its schema');
    const count = kernels.timedRows(
      ...([column.values, column.validity, batch.selection, batch.rowCount] as const),
      ...([this.#times.factors[side], this.#bound, keys.validity] as const),
      ...([Number(isByPlace), rows, times, alone, counts] as const),
    );
    const { uint32, float64 } = scope.memory;
    this.#lateCount += uint32[(counts >>> 2) + 1] ?? 0;
    const aloneCount = uint32[counts >>> 2] ?? 0;
    return { count, aloneCount, least: float64[(counts >>> 3) + 1] ?? 0 };
  }

  /** Whether keys have their numbers; false when the slice has ended before. */
  #isNumbered(versions: VersionTable, { batch, keys }: Keyed): boolean {
    if (batch.rowCount === 0) return true;
    while (!versions.number(keys, batch.rowCount)) if (this.#context.shouldYield()) return false;
    return true;
  }

  /** Gives out what is below a time, then drops versions; false asks to be called again. */
  #passTo(bound: number, outbox: Outbox): boolean {
    for (let steps = 0; ; steps++) {
      if (!this.#give(outbox)) return false;
      if (steps > 0 && this.#context.shouldYield()) return false;
      if (this.#copy !== null) {
        if (this.#copyNext(this.#copy)) return true;
        continue;
      }
      this.#due ??= this.#nextDue(bound);
      if (this.#due !== null) {
        this.#answer(this.#due);
        continue;
      }
      // Behind a restart time begins anew.
      this.#bound = Math.max(this.#bound, Math.min(bound, timeMax));
      if (bound === Infinity || this.#table.weight <= this.#weight * 2 + slackRows) return true;
      this.#copy = { table: this.#newTable(), chunk: 0 };
    }
  }

  #nextDue(bound: number): (Keyed & { readonly rows: DueRows }) | null {
    const rows = this.#pending.take(bound);
    if (rows === null) return null;
    const batch = rows.batch.derive({ rowCount: rows.count, selection: rows.rows });
    return { rows, batch, keys: this.#leftKeys.read(batch) };
  }

  /** Looks up the versions of rows that are due, for a slice. */
  #answer(due: Keyed & { readonly rows: DueRows }): void {
    const versions = this.#table;
    if (!versions.number(due.keys, due.batch.rowCount)) return;
    const { probe, build } = this.#bands;
    const count = versions.find(due.rows, { rows: probe, numbers: build });
    if (count > 0) {
      const rows = { batch: due.rows.batch, rows: probe };
      this.#waiting = versions.output.make({ count, probe: rows, numbers: build });
    }
    due.batch.release();
    due.rows.batch.release();
    this.#due = null;
  }

  /** Copies a chunk of versions; true when the copy is in place. */
  #copyNext(copy: Copy): boolean {
    const versions = this.#table;
    if (copy.chunk < versions.chunkCount) {
      versions.copyLive(copy.chunk, this.#bound, copy.table);
      copy.chunk++;
      return false;
    }
    versions.close();
    this.#versions = copy.table;
    this.#copy = null;
    this.#weight = copy.table.weight;
    return true;
  }

  #checkRoom(versionBytes: number): void {
    const held = versionBytes + this.#pending.sizeBytes + this.#bands.sizeBytes;
    const missing = held - this.#context.spill.share.bytes;
    if (missing > 0) throw joinStateTooLarge(this.#context, missing);
  }

  #newTable(): VersionTable {
    const { tolerance } = this.#times;
    const options = { ...this.#options, bands: this.#bands, tolerance };
    return new VersionTable(this.#context, options);
  }

  /** Offers what waits; false when the outbox is full. */
  #give(outbox: Outbox): boolean {
    if (this.#waiting !== null && !outbox.offer(this.#waiting)) return false;
    this.#waiting = null;
    return true;
  }

  #part<T extends { close(): void }>(part: T): T {
    this.#parts.push(part);
    return part;
  }
}
