/**
 * Aggregate: groups rows by key columns and folds others, in one or two phases.
 *
 *     rows ──▶ partial: groups of this task ──hash──▶ final: merges groups of all tasks ──▶ groups
 *     rows ──▶ whole: both in one, where there is only one task
 *
 * The partial phase gives the parts of results (engine/plan/aggregate-functions.ts), which may be
 * merged any number of times; so one that runs out of room gives out what it has and starts anew. The
 * others put parts on disk then, and merge them at the end. Distinct values are counted in a whole phase
 * only, with a set of them in memory, or on disk, as well.
 *
 * Invariants:
 * - Between two calls every row is either wholly in the table, or on disk, or not at all.
 * - Growing and giving out go on in slices; while the table is being given out no row is added.
 * - The arena with the keys' bytes stays as long as a batch that was given out refers to it.
 * - What is held stays within the share, unless that is too small to spill: then it may be all of the slot's.
 * @see Apache DataFusion, `GroupedHashAggregateStream`: the same phases and early emission.
 */
import { assert } from '../../base/assert.ts';
import { codeOf } from '../../base/typed-error.ts';
import type { Batch } from '../batch/batch.ts';
import type { Json } from '../contracts/json.ts';
import { partialMemoryWeight } from '../plan/memory-weight.ts';
import type { Schema } from '../schema/schema.ts';
import { largeRowBytesOf } from '../spill/large-rows.ts';
import {
  type AggregateColumnOptions,
  type AggregatePhase,
  type AggregatePlan,
  planAggregates,
} from './aggregate-plan.ts';
import { AggregateSpill } from './aggregate-spill.ts';
import { AggregateTable } from './aggregate-table.ts';
import { DistinctSet } from './distinct-set.ts';
import { groupOfNothing } from './group-of-nothing.ts';
import { GroupOfKey } from './key-state/group-of-key.ts';
import { memoryTooSmall } from './memory-too-small.ts';
import type { Operator, OperatorContext, Outbox } from './operator.ts';
import { partialSlotsFirst, partialSlotsOf } from './partial-limit.ts';

export interface AggregateOptions {
  readonly input: Schema;
  /** First the keys, then the results; in the partial phase their parts. */
  readonly output: Schema;
  readonly phase: AggregatePhase;
  /** None: all rows are one group, which is there even without rows. */
  readonly keys: readonly string[];
  readonly aggregates: readonly AggregateColumnOptions[];
  /**
   * A power of two: then a table is full, and gives its groups out or goes to disk.
   * @defaultValue 262,144 in the partial phase, more where that helps; as memory allows in the others
   */
  readonly slotsMax?: number;
}

const noArrivals: ReadonlyMap<number, number> = new Map();

export class AggregateOperator implements Operator {
  readonly #context: OperatorContext;
  readonly #options: AggregateOptions;
  readonly #plan: AggregatePlan;
  /** By input column whose distinct values are counted. */
  readonly #sets = new Map<number, DistinctSet>();
  /** Null in the partial phase. */
  readonly #spill: AggregateSpill | null;
  #table: AggregateTable | null = null;
  /** Slots that a table may have. */
  #slotsMax: number;
  /** Whether all groups are being given out, before more rows come. */
  #isEmitting = false;
  /** Whether all that was on disk has been given out. */
  #isGivenOut = false;
  #pending: Batch | null = null;
  /** The batch that came last, and the bytes of the largest row so far; 0 while none was larger than a block. */
  #batch: Batch | null = null;
  #largeRowBytes = 0;

  constructor(context: OperatorContext, options: AggregateOptions) {
    const { input, phase, aggregates } = options;
    const slotsMax = phase === 'partial' ? partialSlotsFirst : Number.POSITIVE_INFINITY;
    this.#slotsMax = options.slotsMax ?? slotsMax;
    this.#context = context;
    this.#options = options;
    this.#plan = planAggregates(input, phase, aggregates);
    const columns = this.#plan.inputs.flatMap((given) => {
      return given.kind === 'distinct' ? [given.index] : [];
    });
    this.#spill = phase === 'partial' ? null : new AggregateSpill(context, options, columns);
    try {
      this.#buildTables(columns);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  process(batch: Batch, fromRow: number, outbox: Outbox): number {
    if (batch !== this.#batch) this.#noteLargeRows(batch);
    let row = fromRow;
    while (row < batch.rowCount) {
      if (this.#isEmitting && !this.#emit(outbox)) return row;
      assert(this.#table !== null, 'no rows come after the end');
      row = this.#add(this.#table, batch, row);
      if (row < batch.rowCount && this.#context.shouldYield()) return row;
    }
    return row;
  }

  /** The results of a key so far, or their parts; of one whose groups are on disk as well, those in memory. */
  stateOf(key: string): Json | undefined {
    const { keys, output } = this.#options;
    if (this.#table === null || keys.length === 0) return undefined;
    const [fields, shown] = [output.fields.slice(0, keys.length), output.fields.slice(keys.length)];
    const group = new GroupOfKey(
      this.#context,
      { fields, shown, results: this.#plan.results },
      key,
    );
    try {
      const values = group.valuesIn(this.#table.groups);
      if (values === undefined) return undefined;
      return this.#spill?.isUsed === true ? { values, isPartOnDisk: true } : { values };
    } finally {
      group.close();
    }
  }

  finish(outbox: Outbox): boolean {
    const table = this.#table;
    if (this.#spill?.isUsed) return this.#finishSpilled(this.#spill, outbox);
    if (table === null) return true;
    if (!table.settle()) return false;
    if (!this.#isEmitting) {
      this.#isEmitting = true;
      if (this.#isOfNothing(table))
        this.#pending = groupOfNothing(this.#context.scope, this.#options.output);
    }
    if (!this.#emit(outbox)) return false;
    // The next operators may need the room while this task goes on.
    this.#closeTables();
    return true;
  }

  close(): void {
    this.#pending?.release();
    this.#pending = null;
    this.#closeTables();
    this.#spill?.close();
  }

  /** Large rows leave less to the tables, for each is copied on its way to disk and back. */
  #noteLargeRows(batch: Batch): void {
    this.#batch = batch;
    const spill = this.#spill;
    if (spill === null || !spill.size.canSpill) return;
    const bytes = largeRowBytesOf(this.#context.kernels, batch, spill.size.blockBytes);
    if (bytes <= this.#largeRowBytes) return;
    this.#largeRowBytes = bytes;
    const { bytesMax } = spill.expectRows(bytes);
    this.#table?.groups.limitBytes(bytesMax);
    for (const set of this.#sets.values()) set.limitBytes(bytesMax);
  }

  #buildTables(columns: readonly number[]): void {
    const { input, keys } = this.#options;
    for (const column of columns) {
      const limit = { slotsMax: this.#slotsMax, ...this.#bytesLimit() };
      this.#sets.set(column, new DistinctSet(this.#context, { input, keys, column, ...limit }));
    }
    this.#table = this.#newTable();
  }

  #newTable(): AggregateTable {
    const { input, keys } = this.#options;
    const limit = { slotsMax: this.#slotsMax, ...this.#bytesLimit() };
    return new AggregateTable(this.#context, { input, keys, plan: this.#plan, ...limit });
  }

  /** Without keys there is one group, whether there are rows or not. */
  #isOfNothing({ groups }: AggregateTable): boolean {
    const { keys, phase } = this.#options;
    return keys.length === 0 && phase !== 'partial' && groups.groupCount === 0;
  }

  /** Adds rows, or makes room for them; answers the next row. */
  #add(table: AggregateTable, batch: Batch, row: number): number {
    try {
      if (this.#spill !== null && !this.#makeRoom(table, this.#spill)) return row;
      if (this.#sets.size > 0) {
        for (const set of this.#sets.values()) if (!set.mark(batch)) return row;
      }
      const next = table.add(batch, row, this.#arrivals());
      if (table.groups.isFull && this.#spill === null) this.#isEmitting = !this.#growOn(table);
      return next;
    } catch (error) {
      throw this.#explained(error);
    }
  }

  /** By column whose distinct values are counted: marks of those that are new. */
  #arrivals(): ReadonlyMap<number, number> {
    if (this.#sets.size === 0) return noArrivals;
    return new Map([...this.#sets].map(([column, set]) => [column, set.marks]));
  }

  /** Puts on disk what is full; false when the slice ended before. */
  #makeRoom(table: AggregateTable, spill: AggregateSpill): boolean {
    const isFull = table.groups.isFull || table.isBeingRead;
    if (isFull && !spill.writeGroups(table, this.#plan)) return false;
    for (const [column, set] of this.#sets) {
      if (set.isFull && !spill.writePairs(column, set)) return false;
    }
    return true;
  }

  /** All that is in memory goes to disk, and comes back by partition. */
  #finishSpilled(spill: AggregateSpill, outbox: Outbox): boolean {
    const table = this.#table;
    if (table !== null) {
      if (!spill.writeGroups(table, this.#plan)) return false;
      for (const [column, set] of this.#sets) {
        if (!spill.writePairs(column, set)) return false;
        set.close();
        this.#sets.delete(column);
      }
      this.#closeTables();
    }
    while (!this.#isGivenOut) {
      if (this.#pending !== null && !outbox.offer(this.#pending)) return false;
      this.#pending = null;
      const next = spill.next();
      if (next === 'end') this.#isGivenOut = true;
      else this.#pending = next;
      if (this.#context.shouldYield()) return false;
    }
    return true;
  }

  /** Whether a full table is allowed to grow on; else it may be told to begin anew with fewer slots. */
  #growOn({ groups, rowCount }: AggregateTable): boolean {
    if (this.#options.slotsMax !== undefined || !groups.isOutOfSlots) return false;
    const { budgetBytes } = this.#context.scope.memory;
    this.#slotsMax = partialSlotsOf(groups, rowCount, budgetBytes);
    if (this.#slotsMax <= groups.slotCount) return false;
    groups.allowSlots(this.#slotsMax);
    return true;
  }

  /** Gives out all groups and empties the table, or makes a smaller one; false asks to be called again. */
  #emit(outbox: Outbox): boolean {
    const { results } = this.#plan;
    const table = this.#table;
    assert(table !== null, 'groups are in a table');
    for (;;) {
      if (this.#pending !== null && !outbox.offer(this.#pending)) return false;
      this.#pending = null;
      if (table.isReadOut) break;
      this.#pending = table.next(results, this.#options.output);
      if (this.#context.shouldYield()) return false;
    }
    this.#isEmitting = false;
    if (this.#slotsMax >= table.groups.slotCount) {
      table.clear();
      return true;
    }
    table.close();
    this.#table = this.#newTable();
    return true;
  }

  /** What a table may have; no limit where the share is too small to spill. */
  #bytesLimit(): { readonly bytesMax?: number } {
    const { share } = this.#context.spill;
    if (this.#spill === null) return { bytesMax: share.bytes * partialMemoryWeight };
    const { canSpill, tableBytes } = this.#spill.size;
    return canSpill ? { bytesMax: tableBytes } : {};
  }

  #closeTables(): void {
    for (const set of this.#sets.values()) set.close();
    this.#sets.clear();
    this.#table?.close();
    this.#table = null;
  }

  #explained(error: unknown): unknown {
    if (codeOf(error) !== 'MEMORY_EXHAUSTED' || this.#spill?.size.canSpill !== false) return error;
    const { leastBytes } = this.#spill.size;
    return memoryTooSmall(this.#context, { verb: 'group', leastBytes, cause: error });
  }
}
