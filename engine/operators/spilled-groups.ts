/**
 * Spilled groups: any number of groups, merged within a share of the memory. Their rows are on disk in
 * partitions; each is read into a table, and what does not fit there goes to disk again, divided by other bits
 * of the hash.
 *
 *     write, writeOut ─▶ partitions of level 0        rows that are merged later
 *     add ─▶ table ──full──▶ partitions of level 0    rows that may be merged at once
 *     next ─▶ a partition ─▶ table ─▶ results         or ──full──▶ partitions of the next level
 *
 * The rows of a key stay in the order in which they came. What is written are rows of the same schema as what
 * is read, so this may go on; from the last level on a table takes what memory there is.
 *
 * Contract: `next` works for a slice, and is called after the last row.
 */
import { assert } from '../../base/assert.ts';
import type { Batch } from '../batch/batch.ts';
import type { Schema } from '../schema/schema.ts';
import type { SpillFiles } from '../spill/spill-files.ts';
import type { SpillReader } from '../spill/spill-reader.ts';
import type { SpillRun } from '../spill/spill-writer.ts';
import type { AggregatePlan } from './aggregate-plan.ts';
import { AggregateTable } from './aggregate-table.ts';
import type { OperatorContext } from './operator.ts';
import { type PartitionSize, tableBytesFor } from './partition-size.ts';
import { PartitionWriter } from './partition-writer.ts';

/** Rows that a partition of the first level has, are 8 to the 6 in one of the last: keys with one hash, if any. */
const levelMax = 6;

export interface SpilledGroupsOptions {
  readonly files: SpillFiles;
  readonly size: PartitionSize;
  /** Of the rows. */
  readonly schema: Schema;
  readonly keys: readonly string[];
  /** Over the rows; its parts are such rows again. */
  readonly plan: AggregatePlan;
  /** What is given out: first the keys, then the results of the plan. */
  readonly output: Schema;
  /** As of `GroupTable`. */
  readonly slotsMax?: number;
}

/** Groups that are given out in slices. */
export interface ReadableGroups {
  readonly isReadOut: boolean;
  settle(): boolean;
  clear(): void;
}

/** A partition that is being merged. */
interface Merge {
  readonly run: SpillRun | null;
  readonly level: number;
  /** Null when all rows have been read. */
  reader: SpillReader | null;
  batch: Batch | null;
  row: number;
}

export class SpilledGroups {
  readonly #context: OperatorContext;
  readonly #options: SpilledGroupsOptions;
  /** Partitions to be merged. */
  readonly #waiting: { readonly run: SpillRun; readonly level: number }[] = [];
  #table: AggregateTable | null = null;
  /** Of the level that is being written. */
  #writer: PartitionWriter | null = null;
  #merge: Merge | null = null;
  #hasInputEnded = false;

  constructor(context: OperatorContext, options: SpilledGroupsOptions) {
    this.#context = context;
    this.#options = options;
  }

  /** Writes the groups of another table out; false when the slice ended before. */
  writeOut(groups: ReadableGroups, next: () => Batch | null): boolean {
    return this.#writeOut(groups, next, 0);
  }

  /** Adds rows from `fromRow` on; answers the next row, short of the end when the slice is over. */
  add(batch: Batch, fromRow: number): number {
    const table = this.#tableOf();
    if (isFull(table) && !this.#writeTable(table, 0)) return fromRow;
    return table.add(batch, fromRow);
  }

  /** The next results; null when this slice has none. */
  next(): Batch | null | 'end' {
    if (!this.#hasInputEnded) this.#endInput();
    else if (this.#merge === null) return this.#begin();
    else if (this.#merge.reader !== null) this.#read(this.#merge, this.#tableOf());
    else if (this.#writer !== null) this.#divide(this.#merge, this.#tableOf(), this.#writer);
    else return this.#give(this.#merge, this.#tableOf());
    return null;
  }

  /** Releases all memory; the files are left to their owner. */
  close(): void {
    this.#merge?.batch?.release();
    this.#merge = null;
    this.#writer?.close();
    this.#writer = null;
    this.#closeTable();
  }

  #tableOf(): AggregateTable {
    const { schema, keys, plan, slotsMax, size } = this.#options;
    const options = { input: schema, keys, plan, bytesMax: size.tableBytes };
    this.#table ??= new AggregateTable(this.#context, {
      ...options,
      ...(slotsMax !== undefined && { slotsMax }),
    });
    return this.#table;
  }

  #endInput(): void {
    if (this.#writer === null) {
      this.#merge = { run: null, level: 0, reader: null, batch: null, row: 0 };
      this.#hasInputEnded = true;
      return;
    }
    if (this.#table !== null && !this.#writeTable(this.#table, 0)) return;
    this.#finishWriter(this.#writer, 0);
    this.#hasInputEnded = true;
  }

  #begin(): null | 'end' {
    const next = this.#waiting.pop();
    if (next === undefined) return 'end';
    const reader = this.#options.files.open(next.run, this.#options.schema);
    this.#merge = { ...next, reader, batch: null, row: 0 };
    const bytesMax = tableBytesFor(this.#options.size, next.run.blockBytesMax);
    this.#tableOf().groups.limitBytes(bytesMax);
    return null;
  }

  /** Reads rows into the table for a slice. */
  #read(merge: Merge, table: AggregateTable): void {
    do {
      if (isFull(table)) {
        if (merge.level >= levelMax) table.groups.allowAll();
        else if (!this.#writeTable(table, merge.level + 1)) return;
      }
      if (merge.batch === null) {
        const batch = merge.reader?.read() ?? 'end';
        if (batch === 'end') {
          merge.reader?.close();
          merge.reader = null;
          return;
        }
        merge.batch = batch;
        merge.row = 0;
      }
      merge.row = table.add(merge.batch, merge.row);
      if (merge.row < merge.batch.rowCount) continue;
      merge.batch.release();
      merge.batch = null;
    } while (!this.#context.shouldYield());
  }

  /** The partition went to disk again: so does the rest, and its parts wait. */
  #divide(merge: Merge, table: AggregateTable, writer: PartitionWriter): void {
    if (!this.#writeTable(table, merge.level + 1)) return;
    this.#finishWriter(writer, merge.level + 1);
    this.#end(merge);
  }

  #give(merge: Merge, table: AggregateTable): Batch | null {
    if (!table.settle()) return null;
    if (!table.isReadOut) return table.next(this.#options.plan.results, this.#options.output);
    table.clear();
    // Such a table may have become larger than the share.
    if (merge.level >= levelMax) this.#closeTable();
    this.#end(merge);
    return null;
  }

  #end({ run }: Merge): void {
    if (run !== null) this.#options.files.remove(run);
    this.#merge = null;
  }

  #finishWriter(writer: PartitionWriter, level: number): void {
    const partitions = writer.finish();
    this.#writer = null; // Not before: one that can't end its files is to be closed.
    for (const { run } of partitions) this.#waiting.push({ run, level });
  }

  #writeTable(table: AggregateTable, level: number): boolean {
    const { plan, schema } = this.#options;
    return this.#writeOut(table, () => table.next(plan.parts, schema), level);
  }

  #writeOut(groups: ReadableGroups, next: () => Batch | null, level: number): boolean {
    assert(!this.#hasInputEnded || level > 0, 'rows are written before the first is read');
    if (!groups.settle()) return false;
    this.#writer ??= this.#newWriter(level);
    while (!groups.isReadOut) {
      const batch = next();
      try {
        if (batch !== null) this.#writer.append(batch);
      } finally {
        batch?.release();
      }
      if (this.#context.shouldYield()) return false;
    }
    groups.clear();
    return true;
  }

  #newWriter(level: number): PartitionWriter {
    const { files, schema, keys, size } = this.#options;
    const { partitionCount } = size;
    return new PartitionWriter(this.#context, { files, schema, keys, partitionCount, level });
  }

  #closeTable(): void {
    this.#table?.close();
    this.#table = null;
  }
}

/** Whether groups have to go, or are going, before rows may come. */
function isFull(table: AggregateTable): boolean {
  return table.groups.isFull || table.isBeingRead;
}
