/**
 * Keyed records: what is open of all keys, one or several records of a key. Keys are in a group table, whose slots lead
 * to their records; a record is like a slot (engine/kernels/session.as.ts), so accumulators and results are those of
 * groups.
 *
 *     rows ─▶ slots of their keys ─assign─▶ records ─▶ accumulators        a list of records ─▶ readGroups
 *
 * What a record is, a session or a pane, and which of a key's a row belongs to, is the owner's to say.
 * After: engine/operators/windows/session-table.ts, count-table.ts
 */
import { assert } from '../../../base/assert.ts';
import type { Batch } from '../../batch/batch.ts';
import { GroupCells } from '../../kernels/group-cells.ts';
import { type ColumnAddress, type GroupColumns, GroupTable } from '../../kernels/group-table.ts';
import { sessionLayout as layout } from '../../kernels/session-kernels.ts';
import { addressOf, type BlockHandle } from '../../memory/slot-memory.ts';
import type { Schema } from '../../schema/schema.ts';
import { aggregateOverflow } from '../aggregate-overflow.ts';
import type { AggregatePlan } from '../aggregate-plan.ts';
import { type AggregateScratch, aggregateScratchOf } from '../aggregate-table.ts';
import type { OperatorContext } from '../operator.ts';
import { RecordBlocks } from './record-blocks.ts';
import { cellsOfParts } from './record-parts.ts';

export interface KeyedRecordsOptions {
  readonly input: Schema;
  readonly keys: readonly string[];
  readonly plan: AggregatePlan;
  /** Of records that are made of parts again: two bounds, keys, parts. @defaultValue none are */
  readonly pieces?: Schema;
}

/** What rows become records of. */
interface RowReading {
  readonly scratch: AggregateScratch;
  readonly cells: GroupCells;
}

/** Rows whose keys are found at once. */
export const chunkRows = 1024;

export class KeyedRecords {
  readonly blocks: RecordBlocks;
  /** Bytes of the key at the beginning of a record. */
  readonly keyEnd: number;
  readonly #context: OperatorContext;
  readonly #options: KeyedRecordsOptions;
  readonly #scratch: AggregateScratch;
  readonly #cells: GroupCells;
  /** Of parts; made when first needed. */
  #pieces: RowReading | null = null;
  readonly #rows: BlockHandle;
  #keys: GroupTable;
  /** Which records are given out. */
  #list = 0;
  #listCount = 0;

  /** @param keptMs - As of `sessionLayout`. */
  constructor(context: OperatorContext, options: KeyedRecordsOptions, keptMs: number) {
    const { kernels, scope } = context;
    this.#context = context;
    this.#options = options;
    this.#scratch = aggregateScratchOf(context, options);
    this.keyEnd = this.#scratch.keys.form === 'int128' ? 24 : 16;
    const headBytes = this.keyEnd + layout.headBytes;
    this.#cells = new GroupCells(kernels, options.plan.accumulators, headBytes);
    this.blocks = new RecordBlocks(scope, this.#cells.slotBytes, keptMs);
    this.#rows = scope.allocate(chunkRows * 4);
    this.#keys = this.#newKeys();
  }

  get isEmpty(): boolean {
    return this.blocks.usedCount === 0;
  }

  /** Bytes of keys and records. */
  get sizeBytes(): number {
    return this.#keys.sizeBytes + this.blocks.sizeBytes;
  }

  get keys(): GroupTable {
    return this.#keys;
  }

  /** Where `assign` writes the record of each row that it was called for, u32. */
  get recordsOfRows(): number {
    return addressOf(this.#rows);
  }

  /**
   * Adds rows from `fromRow` on; answers the next row.
   * @param assign - Finds or begins the records of rows whose slots are found, from a row on; answers of how many,
   * fewer where there is no room for records.
   */
  add(batch: Batch, fromRow: number, assign: (found: number, row: number) => number): number {
    return this.#add({ scratch: this.#scratch, cells: this.#cells }, batch, fromRow, assign);
  }

  /** The same of parts: each row has what a record had. */
  restore(batch: Batch, fromRow: number, assign: (found: number, row: number) => number): number {
    this.#pieces ??= this.#newPieces();
    return this.#add(this.#pieces, batch, fromRow, assign);
  }

  #add(
    { scratch: { keys, inputs }, cells }: RowReading,
    batch: Batch,
    fromRow: number,
    assign: (found: number, row: number) => number,
  ): number {
    const { selection, rowCount } = batch;
    const key = keys.read(batch);
    const inputColumns = inputs.read(batch, noArrivals);
    const rows = { key, keySelection: key.selection, inputs: inputColumns, selection, rowCount };
    let row = fromRow;
    while (row < rowCount) {
      while (this.#keys.isGrowing) this.#keys.grow();
      const found = this.#keys.findRows(rows, row);
      const done = assign(found, row);
      this.#accumulate(cells, inputColumns, { count: done, fromRow: row, selection });
      row += done;
      if (done < found) this.blocks.grow();
      if (row < rowCount && this.#context.shouldYield()) return row;
    }
    return row;
  }

  /** Which records `readGroups` gives. */
  select(list: number, count: number): void {
    this.#list = list;
    this.#listCount = count;
  }

  get groupCount(): number {
    return this.#listCount;
  }

  get resultSizes(): readonly number[] {
    return this.#cells.resultSizes;
  }

  get arenaBlocks(): readonly BlockHandle[] {
    return this.#keys.arenaBlocks;
  }

  /** How keys are read and written. */
  get keyColumns() {
    return this.#scratch.keys;
  }

  /** As of `GroupTable`, from a place of the list on. */
  readGroups(from: number, rowsMax: number, out: GroupColumns) {
    const end = Math.min(this.#listCount, from + rowsMax);
    for (let at = from; at < end; at += chunkRows) {
      const count = Math.min(chunkRows, end - at);
      const list = this.#list + at * 4;
      this.#keys.gatherKeys(list, count, at - from, out.key);
      this.#cells.gather(list, count, at - from, out.results);
    }
    return { rowCount: end - from, nextSlot: end };
  }

  /** Begins with no keys; answers the old table, which the caller closes once records have been linked anew. */
  renewKeys(): GroupTable {
    const old = this.#keys;
    this.#keys = this.#newKeys();
    return old;
  }

  /** Forgets all records and keys, and gives their memory back. */
  reset(): void {
    this.blocks.clear();
    this.renewKeys().close();
  }

  /** Forgets all records and keys. */
  clear(): void {
    this.blocks.clear();
    this.#keys.clear();
  }

  close(): void {
    this.#keys.close();
    this.blocks.close();
    for (const scratch of [this.#scratch, this.#pieces?.scratch]) {
      scratch?.keys.close();
      scratch?.inputs.close();
    }
    this.#context.scope.memory.release(this.#rows);
  }

  #newPieces(): RowReading {
    const { plan, keys, pieces } = this.#options;
    assert(pieces !== undefined, 'records that go to disk say how they lie there');
    const cells = cellsOfParts(plan, pieces.fields.length - plan.parts.length);
    const scratch = aggregateScratchOf(this.#context, {
      input: pieces,
      keys,
      plan: { ...plan, ...cells },
    });
    const { kernels } = this.#context;
    const headBytes = this.keyEnd + layout.headBytes;
    return { scratch, cells: new GroupCells(kernels, cells.accumulators, headBytes) };
  }

  #accumulate(
    cells: GroupCells,
    inputs: readonly ColumnAddress[],
    rows: { readonly count: number; readonly fromRow: number; readonly selection: number },
  ): void {
    const chunk = { ...rows, slots: this.recordsOfRows };
    this.#keys.makeTextRoom(cells.textRoom(inputs, chunk));
    if (cells.add(this.#keys.description, inputs, chunk)) return;
    const { overflow } = cells;
    throw aggregateOverflow(this.#context.name, this.#options.plan, overflow?.accumulator ?? 0);
  }

  #newKeys(): GroupTable {
    const { kernels, scope } = this.#context;
    const keyForm = this.#scratch.keys.form;
    return new GroupTable(scope, kernels, { keyForm, accumulators: [], isNumbered: true });
  }
}

const noArrivals: ReadonlyMap<number, number> = new Map();
