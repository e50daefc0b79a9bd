/**
 * Session aggregate: groups the rows of a key that are no further apart than a gap, and gives a session out when the
 * watermark has passed its last row by the gap.
 *
 *     partial   sessions of this task's rows, as parts from the first to the last row
 *     final     merges those into the sessions of all rows, as it would rows
 *     whole     both in one
 *
 * A row may join two sessions into one; what was accumulated for each is merged when the session comes out. A row is
 * late when it is in no open session and would be over itself. With allowed lateness sessions that have come out are
 * kept, and come again, maybe longer, when they get rows.
 *
 * Where sessions have what they may have in memory they go to disk, and come back for rows of their keys and when they are
 * complete (`RecordDisk`); a partial phase gives them out instead.
 *
 * Invariants:
 * - A session comes out before the watermark that completes it goes on.
 * - A partial phase that is full, or has a barrier, gives all of its sessions out: cut anywhere, they are joined again
 *   behind it. Rows that come behind that, late by themselves, find none to join, and are late.
 */
import { assert } from '../../../base/assert.ts';
import { type Batch, batchRowsMax } from '../../batch/batch.ts';
import type { Json } from '../../contracts/json.ts';
import type { SnapshotReader, SnapshotWriter } from '../../contracts/snapshot.ts';
import { addressOf, type BlockHandle } from '../../memory/slot-memory.ts';
import { aggregatePartsOf } from '../../plan/aggregate-parts.ts';
import { partialMemoryWeight } from '../../plan/memory-weight.ts';
import { firesOnce, type WindowFiring } from '../../plan/window-spec.ts';
import { fieldIndexOf, type Schema } from '../../schema/schema.ts';
import {
  type AggregateColumnOptions,
  type AggregatePhase,
  type AggregatePlan,
  planAggregates,
} from '../aggregate-plan.ts';
import type { IdleAnswer, Operator, OperatorContext, Outbox } from '../operator.ts';
import { leastTimeOf, notedTime, sumOfCounts } from '../snapshot-notes.ts';
import { LateRounds } from './late-rounds.ts';
import { eventTimeMissing, LateRows } from './late-rows.ts';
import { type PaneRows, PaneSplit, unitsPerMsOf } from './pane-split.ts';
import { RecordDisk } from './record-disk.ts';
import { RecordSnapshot } from './record-snapshot.ts';
import { type SessionMerge, SessionResults } from './session-results.ts';
import { sessionStates } from './session-states.ts';
import { SessionTable } from './session-table.ts';
import { windowPanesOf } from './window-panes.ts';
import { ZoneClock } from './zone-clock.ts';

export interface SessionAggregateOptions {
  readonly input: Schema;
  /** Start, end, keys, results; in the partial phase the first and the last time, keys, parts. */
  readonly output: Schema;
  readonly phase: AggregatePhase;
  readonly gapMs: number;
  /** @defaultValue each session once */
  readonly firing?: WindowFiring;
  /** The time of a row; in the final phase of the first row of a part. */
  readonly column: string;
  /** In the final phase the time of its last row. @defaultValue `column` */
  readonly lastColumn?: string;
  readonly keys: readonly string[];
  readonly aggregates: readonly AggregateColumnOptions[];
  /** What open sessions may have in memory before they go to disk. @defaultValue as the share allows */
  readonly recordBytesMax?: number;
}

export class SessionAggregateOperator implements Operator {
  readonly #context: OperatorContext;
  readonly #options: SessionAggregateOptions;
  readonly #firing: WindowFiring;
  readonly #plan: AggregatePlan;
  /** How the records of a session are merged; null where that is done behind. */
  readonly #merge: SessionMerge | null;
  readonly #split: PaneSplit;
  readonly #clock: ZoneClock;
  readonly #table: SessionTable;
  /** Null in a partial phase, and where there is one key. */
  readonly #disk: RecordDisk | null;
  /** Null in a partial phase, which has nothing to hand out. */
  readonly #snapshot: RecordSnapshot | null;
  readonly #results: SessionResults;
  readonly #late: LateRows;
  readonly #columns: readonly [start: number, last: number];
  /** Stored rows of the batch that are late. */
  readonly #lateRows: BlockHandle;
  /** Null where late rows bring sessions out with the next watermark. */
  readonly #rounds: LateRounds | null;
  #parts: SessionRows[] | null = null;
  #partRow = 0;
  /** Late rows that the late output has not taken. */
  #waiting: Batch | null = null;
  #watermark = Number.NEGATIVE_INFINITY;
  /** All that was due then is out. */
  #passedMs = Number.NEGATIVE_INFINITY;
  /** Up to when sessions are being given out; null when none are. */
  #givingUntil: number | null = null;
  #pending: Batch | null = null;

  constructor(context: OperatorContext, options: SessionAggregateOptions) {
    const { input, output, phase, gapMs, column, lastColumn = column, keys, aggregates } = options;
    this.#context = context;
    this.#options = options;
    this.#firing = options.firing ?? firesOnce;
    this.#columns = [fieldIndexOf(input, column), fieldIndexOf(input, lastColumn)];
    this.#late = new LateRows(context);
    const plan = planAggregates(input, phase, aggregates);
    this.#plan = plan;
    this.#merge = phase === 'partial' ? null : mergeOf(options);
    const latenessMs = this.#firing.allowedLatenessMs;
    const pieces = this.#merge?.schema;
    const table = { input, keys, plan, gapMs, latenessMs, ...(pieces && { pieces }) };
    this.#table = new SessionTable(context, table);
    this.#disk = pieces === undefined || keys.length === 0 ? null : this.#newDisk(pieces);
    this.#snapshot = pieces === undefined ? null : this.#newSnapshot(pieces);
    this.#results = new SessionResults(context, this.#table, {
      ...{ output, keys, plan, gapMs, isPartial: phase === 'partial' },
      merge: this.#merge,
    });
    // Rows without a time are told from the others, which are one pane.
    this.#clock = new ZoneClock(context.scope, null);
    const panes = windowPanesOf({ kind: 'global' });
    this.#split = new PaneSplit(context, { column: this.#columns[0], panes, clock: this.#clock });
    this.#lateRows = context.scope.allocate(batchRowsMax * 4);
    this.#rounds = this.#firing.isLatePerRow ? new LateRounds(context, input, keys) : null;
  }

  /** Rows that came too late, or without a time, and are in no session. */
  get notedRows(): Readonly<Record<string, number>> {
    return { late: this.#late.count };
  }

  process(batch: Batch, fromRow: number, outbox: Outbox): number {
    if (!this.#giveOut(outbox)) return fromRow;
    this.#parts ??= this.#split.split(batch);
    try {
      if (!this.#addParts(this.#parts, outbox)) return fromRow;
    } catch (error) {
      throw this.#disk?.explained(error) ?? error;
    }
    if (this.#isFull) this.#givingUntil = Number.POSITIVE_INFINITY;
    if (!this.#giveOut(outbox)) return fromRow;
    this.#parts = null;
    return batch.rowCount;
  }

  advance(timeMs: number, outbox: Outbox): boolean {
    // Behind a restart time begins anew.
    if (timeMs <= this.#passedMs) return true;
    if (!this.#giveOut(outbox)) return false;
    this.#watermark = Math.max(this.#watermark, timeMs);
    try {
      if (!this.#giveDue(outbox)) return false;
      this.#passedMs = timeMs;
      return true;
    } catch (error) {
      throw this.#disk?.explained(error) ?? error;
    }
  }

  /** A partial phase gives its sessions out, which are joined again behind it; others hold what is not over. */
  idle(outbox: Outbox): IdleAnswer {
    if (!this.#giveOut(outbox)) return 'again';
    if (this.#table.records.isEmpty && this.#disk?.isEmpty !== false) return 'pass';
    if (this.#options.phase !== 'partial') return 'hold';
    this.#givingUntil = Number.POSITIVE_INFINITY;
    return this.#giveOut(outbox) ? 'pass' : 'again';
  }

  /** The open sessions of a key, and its results in each so far, or their parts. */
  stateOf(key: string): Json | undefined {
    const { keys, output, gapMs } = this.#options;
    if (keys.length === 0) return undefined;
    const columns = output.fields.slice(2);
    const isOnDisk = (hash: number) => this.#disk?.mayHold(hash) === true;
    const options = { columns, keys, gapMs, plan: this.#plan, merge: this.#merge, key, isOnDisk };
    return sessionStates(this.#context, this.#table, options);
  }

  /** A partial phase gives its sessions out; others hand them out as records. */
  snapshot(writer: SnapshotWriter, outbox: Outbox): boolean {
    if (!this.#giveOut(outbox)) return false;
    if (this.#snapshot === null && !this.#table.records.isEmpty) {
      this.#givingUntil = Number.POSITIVE_INFINITY;
      if (!this.#giveOut(outbox)) return false;
    }
    const rows = this.#snapshot?.freeze();
    if (rows === null) return false;
    writer.note({ watermark: notedTime(this.#watermark), late: this.#late.count });
    if (rows !== undefined && this.#snapshot !== null) {
      writer.rows('records', this.#snapshot.schema, rows);
    }
    return true;
  }

  restore(reader: SnapshotReader): boolean {
    this.#watermark = leastTimeOf(reader, 'watermark');
    this.#passedMs = this.#watermark;
    if (this.#snapshot?.restore(reader) === false) return false;
    this.#late.goOn(sumOfCounts(reader, 'late'));
    return true;
  }

  finish(outbox: Outbox): boolean {
    return this.advance(Number.POSITIVE_INFINITY, outbox);
  }

  close(): void {
    this.#pending?.release();
    this.#pending = null;
    this.#waiting?.release();
    this.#waiting = null;
    for (const { batch } of this.#parts ?? []) batch.release();
    this.#parts = null;
    this.#results.close();
    this.#snapshot?.close();
    this.#disk?.close();
    this.#table.close();
    this.#split.close();
    this.#rounds?.close();
    this.#clock.close();
    this.#context.scope.memory.release(this.#lateRows);
  }

  get #isFull(): boolean {
    const limit = this.#context.spill.share.bytes * partialMemoryWeight;
    return this.#options.phase === 'partial' && this.#table.records.sizeBytes > limit;
  }

  #newDisk(pieces: Schema): RecordDisk {
    const { input, keys, gapMs, recordBytesMax } = this.#options;
    const keptMs = gapMs + this.#firing.allowedLatenessMs;
    return new RecordDisk(this.#context, this.#table.records, {
      ...{ input, keys, plan: this.#plan, pieces, order: this.#table.order },
      restore: (rows, fromRow, areKept) => this.#table.restore(rows, fromRow, areKept),
      isOver: (rows, row) => timeOf(rows, 1, row) + keptMs <= this.#watermark,
      ...(recordBytesMax !== undefined && { recordBytesMax }),
    });
  }

  #newSnapshot(pieces: Schema): RecordSnapshot {
    const { records, order } = this.#table;
    return new RecordSnapshot(this.#context, {
      ...{ records, order, pieces, disk: this.#disk },
      ...{ keys: this.#options.keys, plan: this.#plan },
      restore: (rows, fromRow, areKept) => this.#table.restore(rows, fromRow, areKept),
    });
  }

  /** Works on all parts; false asks to be called again. */
  #addParts(parts: SessionRows[], outbox: Outbox): boolean {
    while (parts.length > 0 || this.#waiting !== null) {
      if (!this.#addPart(parts)) return false;
      if (!this.#giveOut(outbox)) return false;
      if (parts.length > 0 && this.#context.shouldYield()) return false;
    }
    return true;
  }

  /** Gives out all sessions that are complete, those on disk too; false asks to be called again. */
  #giveDue(outbox: Outbox): boolean {
    const disk = this.#disk;
    for (;;) {
      if (disk?.settle() === false) return false;
      const { records, dueMs } = this.#table;
      if (!records.isEmpty && this.#watermark >= dueMs) this.#givingUntil = this.#watermark;
      if (!this.#giveOut(outbox)) return false;
      if (disk === null || disk.isEmpty || disk.dueMs > this.#watermark) return true;
      if (disk.isFull) disk.write();
      else disk.recallDue(this.#watermark);
    }
  }

  /** Works on the first part; false asks to be called again. */
  #addPart(parts: SessionRows[]): boolean {
    if (this.#waiting !== null) {
      if (!this.#late.offer(this.#waiting)) return false;
      this.#waiting = null;
      if (parts.length === 0) return true;
    }
    const part = parts[0];
    assert(part !== undefined, 'a batch has parts');
    const { pane, batch } = part;
    if (pane === null) {
      if (this.#firing.missing !== 'late') {
        throw eventTimeMissing(this.#context.name, this.#options.column);
      }
      if (!this.#late.offer(batch)) return false;
      parts.shift();
      return true;
    }
    if (this.#rounds !== null && part.isRound !== true) {
      const rounds = this.#rounds.divide(batch, this.#endsBeforeWatermark(batch));
      parts.splice(0, 1, ...rounds.map((batch) => ({ pane, batch, isRound: true }) as const));
      return this.#addPart(parts);
    }
    if (this.#disk?.makeReady(batch) === false) return false;
    this.#partRow = this.#addRows(batch, this.#partRow);
    if (this.#partRow < batch.rowCount) return false;
    this.#disk?.endBatch();
    this.#partRow = 0;
    parts.shift();
    const isDue = part.isRound === true && this.#table.dueMs <= this.#watermark;
    if (isDue) this.#givingUntil = this.#watermark;
    const late = this.#lateOf(batch);
    batch.release();
    if (late === null || this.#late.offer(late)) return true;
    this.#waiting = late;
    return false;
  }

  #addRows(batch: Batch, fromRow: number): number {
    const [start, last] = this.#columns.map((index) => batch.columns[index]);
    assert(start !== undefined && last !== undefined, 'the times are in the batch');
    const unitsPerMs = unitsPerMsOf(start.type);
    const times = { starts: start.values, lasts: last.values, unitsPerMs };
    // Parts of a partial phase come before the watermark that completed them.
    const isFinal = this.#options.phase === 'final';
    const over = isFinal
      ? Number.NEGATIVE_INFINITY
      : this.#watermark - this.#firing.allowedLatenessMs;
    return this.#table.add(batch, fromRow, times, { overMs: over, out: addressOf(this.#lateRows) });
  }

  /** Which rows of a batch would be sessions that are complete. */
  #endsBeforeWatermark(batch: Batch): (row: number) => boolean {
    const column = this.#columns[1];
    const last = batch.columns[column];
    assert(last !== undefined, 'the times are in the batch');
    const lastMs = this.#watermark - this.#options.gapMs;
    const unitsPerMs = unitsPerMsOf(last.type);
    return (row) => Math.floor(timeOf(batch, column, row) / unitsPerMs) <= lastMs;
  }

  /** The rows of a batch that were late, or null. */
  #lateOf(batch: Batch): Batch | null {
    const count = this.#table.takeLateCount();
    if (count === 0) return null;
    const { scope } = this.#context;
    const block = scope.allocate(count * 4);
    const from = addressOf(this.#lateRows);
    scope.memory.bytes.copyWithin(addressOf(block), from, from + count * 4);
    return batch.derive({ rowCount: count, selection: addressOf(block), blocks: [block] });
  }

  /** Gives out what is due; false asks to be called again. */
  #giveOut(outbox: Outbox): boolean {
    for (;;) {
      if (this.#pending !== null && !outbox.offer(this.#pending)) return false;
      this.#pending = null;
      if (this.#givingUntil === null) return true;
      const next = this.#results.next(this.#givingUntil);
      if (next === 'end') this.#givingUntil = null;
      else this.#pending = next;
      if (this.#context.shouldYield()) return false;
    }
  }
}

/** Rows with a time, or without; those of a round bring complete sessions out at once. */
type SessionRows = PaneRows & { readonly isRound?: true };

/** A time of a row, in the units of its column. */
function timeOf(batch: Batch, column: number, row: number): number {
  const { int32, uint32 } = batch.memory;
  const at = ((batch.columns[column]?.values ?? 0) >>> 2) + batch.storedRowOf(row) * 2;
  return (int32[at + 1] ?? 0) * 2 ** 32 + (uint32[at] ?? 0);
}

/** How records of one session are merged: as parts, by bounds and keys. */
function mergeOf({ input, output, keys, aggregates }: SessionAggregateOptions): SessionMerge {
  const bounds = output.fields.slice(0, 2).map((field) => field.name);
  const all = { keys: [...bounds, ...keys], aggregates, output };
  const { schema, aggregates: merges } = aggregatePartsOf(all, input);
  return { schema, plan: planAggregates(schema, 'final', merges) };
}
