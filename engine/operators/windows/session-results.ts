/**
 * Session results: sessions that are due, as batches. Those of one record come out as they are; the records of others
 * are merged by bounds and key first.
 */
import { assert } from '../../../base/assert.ts';
import type { Batch } from '../../batch/batch.ts';
import type { Schema } from '../../schema/schema.ts';
import type { AggregatePlan, AggregateResult } from '../aggregate-plan.ts';
import { AggregateTable } from '../aggregate-table.ts';
import type { OperatorContext } from '../operator.ts';
import { type RecordList, readRecordBatch } from './record-batch.ts';
import type { DueSessions, SessionTable } from './session-table.ts';

export interface SessionResultsOptions {
  readonly output: Schema;
  readonly keys: readonly string[];
  readonly plan: AggregatePlan;
  readonly gapMs: number;
  /** Whether parts come out, with the time of the last row in place of the end. */
  readonly isPartial: boolean;
  /** Null where that is done behind. */
  readonly merge: SessionMerge | null;
}

/** How the records of a session are merged. */
export interface SessionMerge {
  /** Bounds, keys, parts. */
  readonly schema: Schema;
  readonly plan: AggregatePlan;
}

export class SessionResults {
  readonly #context: OperatorContext;
  readonly #table: SessionTable;
  readonly #options: SessionResultsOptions;
  #due: DueSessions | null = null;
  /** Which list is read, and from where. */
  #step: 'singles' | 'linked' | 'merged' = 'singles';
  #place = 0;
  #merge: AggregateTable | null = null;
  #batch: Batch | null = null;
  #row = 0;

  constructor(context: OperatorContext, table: SessionTable, options: SessionResultsOptions) {
    this.#context = context;
    this.#table = table;
    this.#options = options;
  }

  /** The next sessions that are complete at that time, the same until the end; null when this slice has none. */
  next(untilMs: number): Batch | null | 'end' {
    this.#due ??= this.#table.due(untilMs);
    const due = this.#due;
    switch (this.#step) {
      case 'singles':
        if (this.#place < due.singles.count) return this.#readResults(due.singles);
        this.#enter('linked');
        return null;
      case 'linked':
        if (this.#mergeBatch() && this.#place >= due.linked.count) this.#enter('merged');
        else if (this.#batch === null) return this.#readLinked(due.linked);
        return null;
      default:
        return this.#readMerged() ?? this.#end(due, untilMs);
    }
  }

  close(): void {
    this.#batch?.release();
    this.#batch = null;
    this.#merge?.close();
    this.#merge = null;
    if (this.#due !== null) this.#context.scope.memory.release(this.#due.block);
    this.#due = null;
  }

  #enter(step: 'singles' | 'linked' | 'merged'): void {
    this.#step = step;
    this.#place = 0;
  }

  #end(due: DueSessions, untilMs: number): null | 'end' {
    const table = this.#merge;
    if (table !== null && !table.isReadOut) return null;
    table?.clear();
    this.#table.retireDue(due, untilMs);
    this.#due = null;
    this.#enter('singles');
    return 'end';
  }

  #readResults(list: RecordList): Batch | null {
    const { plan, isPartial, output } = this.#options;
    return this.#read(list, isPartial ? plan.parts : plan.results, output);
  }

  /** Records of sessions of several: parts that go out, or are merged here. */
  #readLinked(list: RecordList): Batch | null {
    const { merge, plan } = this.#options;
    if (merge === null) return this.#readResults(list);
    this.#batch = this.#read(list, plan.parts, merge.schema);
    this.#row = 0;
    return null;
  }

  /** Merges a slice of the records that were read; whether none are left. */
  #mergeBatch(): boolean {
    if (this.#batch === null) return true;
    this.#row = this.#mergeTable().add(this.#batch, this.#row);
    if (this.#row < this.#batch.rowCount) return false;
    this.#batch.release();
    this.#batch = null;
    return true;
  }

  #readMerged(): Batch | null {
    const { merge, output } = this.#options;
    const table = this.#merge;
    if (table === null || merge === null || !table.settle() || table.isReadOut) return null;
    return table.next(merge.plan.results, output);
  }

  #mergeTable(): AggregateTable {
    const { merge, output, keys } = this.#options;
    assert(merge !== null, 'records of a session are merged in the last phase');
    const bounds = output.fields.slice(0, 2).map((field) => field.name);
    const options = { input: merge.schema, keys: [...bounds, ...keys], plan: merge.plan };
    this.#merge ??= new AggregateTable(this.#context, options);
    return this.#merge;
  }

  /** The next records of a list, with their bounds in front. */
  #read(list: RecordList, results: readonly AggregateResult[], schema: Schema): Batch | null {
    const { gapMs, isPartial } = this.#options;
    const reading = { list, results, schema, beyond: isPartial ? 0 : gapMs };
    const { records } = this.#table;
    const { batch, next } = readRecordBatch(this.#context, records, reading, this.#place);
    this.#place = next;
    return batch;
  }
}
