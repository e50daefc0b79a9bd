/**
 * Pattern: finds sequences of rows in each key. Rows wait until event time has passed them, go through the automaton of
 * their key in the order of their times, and complete matches come out as rows that a function makes of them.
 *
 *     rows ─▶ by time (time-ordered-rows.ts) ──watermark──▶ timers up to the row's time, then the row:
 *             partial matches of its key ─▶ stepped (pattern-step.ts) ─▶ matches · partial matches
 *
 * In batch rows come sorted, and none of them waits. So both modes give the same rows.
 *
 * At a barrier matches and late rows that wait go out; partial matches, and rows whose time has not come, are handed out.
 *
 * What costs: a row of a key without partial matches that begins none is looked up once, and no object is made for it.
 *
 * Invariants:
 * - Rows of a key are stepped in the order of time; those of one time as they came.
 * - Before a row is stepped, what was over before its time is gone.
 * @see docs/design/023-patterns.md
 * Before: engine/task/build-function-operators.ts · After: engine/operators/pattern/pattern-step.ts
 */
import { assert } from '../../../base/assert.ts';
import type { Batch, Column } from '../../batch/batch.ts';
import { BatchBuilder } from '../../batch/batch-builder.ts';
import type { Json } from '../../contracts/json.ts';
import type { SnapshotReader, SnapshotWriter } from '../../contracts/snapshot.ts';
import { addressOf } from '../../memory/slot-memory.ts';
import type { PatternSpec } from '../../plan/pattern-spec.ts';
import type { ProcessKey } from '../../plan/state-spec.ts';
import type { PatternFunctions } from '../../plan/user-functions.ts';
import { type Field, fieldIndexOf, type Schema } from '../../schema/schema.ts';
import { RowKeys } from '../../state/row-keys.ts';
import type { StateNote } from '../../state/state-snapshot.ts';
import { BuiltBatches } from '../built-batches.ts';
import { FrozenBatches } from '../frozen-batches.ts';
import type { Operator, OperatorContext, Outbox } from '../operator.ts';
import { OwnRows } from '../own-rows.ts';
import { RowPacer } from '../row-pacer.ts';
import { leastTimeOf, notedTime, notesOf, sumOfCounts } from '../snapshot-notes.ts';
import { eventTimeMissing, LateRows } from '../windows/late-rows.ts';
import { KeyMatcher } from './key-matcher.ts';
import { matchesOfKey } from './matches-of-key.ts';
import { TimeOrderedRows, timeReaderOf } from './time-ordered-rows.ts';

export interface PatternOperatorOptions {
  /** What comes in: the fields of the user's rows, and behind them keys and conditions. */
  readonly input: Schema;
  /** How many fields functions see. */
  readonly fieldCount: number;
  readonly output: Schema;
  readonly keys: readonly ProcessKey[];
  readonly timeColumn: string;
  readonly pattern: PatternSpec;
  /** By stage, the column that says whether a row is one; null where every row may be. */
  readonly conditions: readonly (string | null)[];
  /** Whether rows come in the order of their times. */
  readonly isSorted: boolean;
  readonly functions: PatternFunctions;
}

export class PatternOperator implements Operator {
  readonly #context: OperatorContext;
  readonly #options: PatternOperatorOptions;
  readonly #keys: RowKeys;
  readonly #keyFields: readonly Field[];
  readonly #builder: BatchBuilder;
  readonly #output: BuiltBatches;
  readonly #matcher: KeyMatcher;
  readonly #late: LateRows;
  readonly #pacer: RowPacer;
  readonly #rows: TimeOrderedRows;
  readonly #timeIndex: number;
  /** Late rows that the late output has not taken. */
  #waiting: Batch | null = null;
  /** Rows in order that are worked on, and from where. */
  #due: Batch | null = null;
  #dueRow = 0;
  #watermarkMs = Number.NEGATIVE_INFINITY;
  /** Event time of the snapshot that the operator goes on from: nothing comes of times up to it. */
  #restoredMs = Number.NEGATIVE_INFINITY;
  /** Rows of a snapshot that are being read. */
  #restored: OwnRows | 'read' | null = null;
  /** The batch whose keys and conditions are read. */
  #read: Batch | null = null;
  #timeOf: (storedRow: number) => number = () => 0;

  constructor(context: OperatorContext, options: PatternOperatorOptions) {
    const { scope, kernels, shouldYield } = context;
    const { input, output, keys, timeColumn } = options;
    this.#context = context;
    this.#options = options;
    this.#timeIndex = fieldIndexOf(input, timeColumn);
    this.#late = new LateRows(context);
    this.#pacer = new RowPacer(shouldYield);
    this.#builder = new BatchBuilder(scope, output);
    this.#output = new BuiltBatches(this.#builder);
    const columns = keys.map(({ column }) => column);
    this.#keys = new RowKeys({ scope, kernels, schema: input }, columns);
    this.#keyFields = this.#keys.named(keys);
    this.#rows = new TimeOrderedRows(context, input);
    this.#matcher = new KeyMatcher(context, {
      ...options,
      keyFields: this.#keyFields,
      builder: this.#builder,
      overflow: () => this.#output.cut(),
    });
  }

  /** Rows that came after event time had passed them, and are in no match. */
  get notedRows(): Readonly<Record<string, number>> {
    return { late: this.#late.count };
  }

  process(batch: Batch, fromRow: number, outbox: Outbox): number {
    if (!this.#output.flush(outbox) || !this.#giveLate()) return fromRow;
    if (this.#options.isSorted) return this.#work(batch, fromRow, outbox);
    this.#keep(batch);
    this.#giveLate();
    return batch.rowCount;
  }

  advance(timeMs: number, outbox: Outbox): boolean {
    if (timeMs <= this.#restoredMs) return true;
    this.#watermarkMs = timeMs;
    for (;;) {
      if (!this.#giveLate()) return false;
      this.#due ??= this.#rows.take(timeMs);
      if (this.#due === null) break;
      this.#dueRow = this.#work(this.#due, this.#dueRow, outbox);
      if (this.#dueRow < this.#due.rowCount) return false;
      this.#releaseDue();
      if (this.#context.shouldYield()) return false;
    }
    return this.#expire(timeMs, outbox) && this.#output.finish(outbox);
  }

  /** The partial matches of a key, with their rows. */
  stateOf(key: string): Json | undefined {
    const { stages } = this.#options.pattern;
    const matches = this.#matcher.matches;
    return matchesOfKey(this.#context, { fields: this.#keyFields, matches, stages, key });
  }

  snapshot(writer: SnapshotWriter, outbox: Outbox): boolean {
    if (!this.#giveLate() || !this.#output.finish(outbox)) return false;
    const state = this.#matcher.matches.state.snapshot(writer);
    writer.rows('waiting', this.#options.input, new FrozenBatches(this.#rows.waiting()));
    const watermarkMs = notedTime(this.#watermarkMs);
    writer.note({ watermarkMs, late: this.#late.count, state });
    return true;
  }

  restore(reader: SnapshotReader): boolean {
    if (!this.#restoreRows(reader)) return false;
    const notes = notesOf(reader).map(({ state }) => state as StateNote);
    if (!this.#matcher.matches.state.restore(reader, notes)) return false;
    this.#restoredMs = leastTimeOf(reader, 'watermarkMs');
    this.#watermarkMs = this.#restoredMs;
    this.#late.goOn(sumOfCounts(reader, 'late'));
    return true;
  }

  finish(outbox: Outbox): boolean {
    return this.advance(Number.POSITIVE_INFINITY, outbox);
  }

  close(): void {
    this.#waiting?.release();
    this.#waiting = null;
    if (this.#restored !== 'read') this.#restored?.close();
    this.#releaseDue();
    this.#rows.close();
    this.#output.close();
    this.#keys.close();
    this.#matcher.close();
  }

  /** The next batch of rows whose time has not come; true when there is none. */
  #restoreRows(reader: SnapshotReader): boolean {
    if (this.#restored === 'read') return true;
    const { input: schema, keys } = this.#options;
    const columns = keys.map(({ column }) => column);
    this.#restored ??= new OwnRows(this.#context, { part: 'waiting', schema, keys: columns });
    const batch = this.#restored.next(reader);
    if (batch === 'end') {
      this.#restored.close();
      this.#restored = 'read';
      return true;
    }
    if (batch !== null) this.#rows.add(batch, this.#timeReader(batch));
    return false;
  }

  /** Keeps the rows that are not late. @throws EVENT_TIME_MISSING */
  #keep(batch: Batch): void {
    const timeOf = this.#timeReader(batch);
    const late: number[] = [];
    const kept: number[] = [];
    for (let row = 0; row < batch.rowCount; row++) {
      const stored = batch.storedRowOf(row);
      const timeMs = timeOf(stored);
      if (Number.isNaN(timeMs)) throw this.#timeMissing();
      (timeMs < this.#watermarkMs ? late : kept).push(stored);
    }
    if (late.length === 0) {
      this.#rows.add(batch.retain(), timeOf);
      return;
    }
    this.#waiting = this.#selected(batch, late);
    this.#rows.add(this.#selected(batch, kept), timeOf);
  }

  #selected(batch: Batch, rows: readonly number[]): Batch {
    const { scope } = this.#context;
    const block = scope.allocate(Math.max(1, rows.length) * 4);
    scope.memory.uint32.set(rows, addressOf(block) >>> 2);
    return batch.derive({ rowCount: rows.length, selection: addressOf(block), blocks: [block] });
  }

  #giveLate(): boolean {
    if (this.#waiting === null) return true;
    if (!this.#late.offer(this.#waiting)) return false;
    this.#waiting = null;
    return true;
  }

  /** Steps rows in their order, each after the timers before it; answers the next row. */
  #work(batch: Batch, fromRow: number, outbox: Outbox): number {
    if (batch !== this.#read) this.#readBatch(batch);
    let row = fromRow;
    while (row < batch.rowCount) {
      if (!this.#output.flush(outbox) || !this.#maintain()) return row;
      const end = Math.min(row + this.#pacer.rows, batch.rowCount);
      for (; row < end && !this.#builder.isFull; row++) {
        const stored = batch.storedRowOf(row);
        const timeMs = this.#timeOf(stored);
        if (Number.isNaN(timeMs)) throw this.#timeMissing();
        if (this.#matcher.isDue(timeMs) && !this.#expire(timeMs, outbox)) return row;
        this.#keys.load(this.#matcher.cursor, row, stored);
        this.#matcher.step(batch, stored, timeMs);
      }
      if (this.#builder.isFull) this.#output.cut();
      if (this.#pacer.isOver()) break;
    }
    if (row === batch.rowCount) this.#forgetBatch();
    return row;
  }

  /** Ends what is over before a time; false asks to be called again. */
  #expire(timeMs: number, outbox: Outbox): boolean {
    while (this.#matcher.isDue(timeMs)) {
      if (!this.#output.flush(outbox) || !this.#maintain()) return false;
      for (let calls = this.#pacer.rows; calls > 0 && !this.#builder.isFull; calls--) {
        if (!this.#matcher.expireNext(timeMs)) break;
      }
      if (this.#builder.isFull) this.#output.cut();
      if (this.#pacer.isOver()) return !this.#matcher.isDue(timeMs);
    }
    return true;
  }

  /** Works on the tables until there is room for a row; false when time is up before. */
  #maintain(): boolean {
    while (!this.#matcher.matches.state.maintain()) if (this.#context.shouldYield()) return false;
    return true;
  }

  #readBatch(batch: Batch): void {
    this.#keys.read(batch);
    this.#matcher.read(batch);
    this.#timeOf = this.#timeReader(batch);
    this.#read = batch;
  }

  #forgetBatch(): void {
    this.#keys.release();
    this.#read = null;
  }

  #releaseDue(): void {
    this.#due?.release();
    this.#due = null;
    this.#dueRow = 0;
  }

  #timeReader(batch: Batch): (storedRow: number) => number {
    const column: Column | undefined = batch.columns[this.#timeIndex];
    assert(column !== undefined, 'the event time is in the batch');
    return timeReaderOf(batch, column);
  }

  #timeMissing(): Error {
    return eventTimeMissing(this.#context.name, this.#options.timeColumn);
  }
}
