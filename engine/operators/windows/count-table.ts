/**
 * Count table: the panes of all keys, each of so many rows. Keys are in a group table, whose slots lead to their
 * panes; a pane is a record like a slot (engine/kernels/count-window.as.ts), so accumulators and results are those of
 * groups.
 *
 *     add ─▶ slot of the key ─▶ its newest pane ─▶ accumulators      panes that are full now: `full`
 *     a window ─▶ its newest pane and those before it: `panesOf` ─▶ readGroups ─▶ dropBehind
 *
 * Keys stay as long as any has a pane.
 *
 * Invariants:
 * - A pane that is full is not changed any more.
 * - A key keeps the panes that windows to come have: at most one less than a window has, and the newest.
 */
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

export interface CountTableOptions {
  readonly input: Schema;
  readonly keys: readonly string[];
  readonly plan: AggregatePlan;
  /** Rows of a pane. */
  readonly paneRows: number;
  /** Panes of a window. */
  readonly windowPanes: number;
}

const chunkRows = 1024;
/** Of a record, behind its key: its number, its rows, and the one before it. */
const nextOffset = 16;

export class CountTable {
  readonly #context: OperatorContext;
  readonly #options: CountTableOptions;
  readonly #scratch: AggregateScratch;
  readonly #cells: GroupCells;
  readonly #records: RecordBlocks;
  readonly #keys: GroupTable;
  readonly #keyEnd: number;
  /** Records of a chunk's rows; then how many panes have become full, and their records. */
  readonly #room: BlockHandle;
  /** Which records are given out. */
  #list = 0;
  #listCount = 0;

  constructor(context: OperatorContext, options: CountTableOptions) {
    const { kernels, scope } = context;
    this.#context = context;
    this.#options = options;
    this.#scratch = aggregateScratchOf(context, options);
    const keyForm = this.#scratch.keys.form;
    this.#keyEnd = keyForm === 'int128' ? 24 : 16;
    const headBytes = this.#keyEnd + layout.headBytes;
    this.#cells = new GroupCells(kernels, options.plan.accumulators, headBytes);
    this.#records = new RecordBlocks(scope, this.#cells.slotBytes, 0);
    this.#room = scope.allocate(chunkRows * 8 + 4);
    this.#keys = new GroupTable(scope, kernels, { keyForm, accumulators: [], isNumbered: true });
  }

  get isEmpty(): boolean {
    return this.#records.usedCount === 0;
  }

  /** Bytes of keys and panes. */
  get sizeBytes(): number {
    return this.#keys.sizeBytes + this.#records.sizeBytes;
  }

  /** Adds rows from `fromRow` on, and panes that are full now to `full`. Answers the next row. */
  add(batch: Batch, fromRow: number, full: number[]): number {
    const { keys, inputs } = this.#scratch;
    const { selection, rowCount } = batch;
    const key = keys.read(batch);
    const inputColumns = inputs.read(batch, noArrivals);
    const rows = { key, keySelection: key.selection, inputs: inputColumns, selection, rowCount };
    let row = fromRow;
    while (row < rowCount) {
      while (this.#keys.isGrowing) this.#keys.grow();
      const found = this.#keys.findRows(rows, row);
      const done = this.#assign(found, full);
      this.#accumulate(inputColumns, { count: done, fromRow: row, selection });
      row += done;
      if (done < found) this.#records.grow();
      if (row < rowCount && this.#context.shouldYield()) return row;
    }
    return row;
  }

  /** The number of a pane among those of its key, from 0 on. */
  numberOf(record: number): number {
    return this.#context.scope.memory.uint32[(record + this.#keyEnd) >>> 2] ?? 0;
  }

  /** A pane and those before it, as many as a window has, to an address (u32); the newest first. */
  panesOf(record: number, out: number): void {
    const { memory } = this.#context.scope;
    let pane = record;
    for (let at = 0; at < this.#options.windowPanes; at++) {
      memory.uint32[(out >>> 2) + at] = pane;
      pane = this.#before(pane);
    }
  }

  /** The windows up to the one that ends with this pane have been read: drops the pane that later ones don't have. */
  dropBehind(record: number): void {
    const { memory } = this.#context.scope;
    const { windowPanes } = this.#options;
    if (windowPanes === 1) {
      this.#records.free(record);
      return;
    }
    let kept = record;
    for (let at = 2; at < windowPanes && kept !== 0; at++) kept = this.#before(kept);
    if (kept === 0) return;
    const dropped = this.#before(kept);
    memory.uint32[(kept + this.#keyEnd + nextOffset) >>> 2] = 0;
    if (dropped !== 0) this.#records.free(dropped);
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

  /** Forgets all panes and keys. */
  clear(): void {
    this.#records.clear();
    this.#keys.clear();
  }

  close(): void {
    this.#keys.close();
    this.#records.close();
    this.#scratch.keys.close();
    this.#scratch.inputs.close();
    this.#context.scope.memory.release(this.#room);
  }

  #before(record: number): number {
    const place = record + this.#keyEnd + nextOffset;
    return this.#context.scope.memory.uint32[place >>> 2] ?? 0;
  }

  /** Records of the rows whose keys were found; answers how many. */
  #assign(found: number, full: number[]): number {
    const { kernels, scope } = this.#context;
    const { paneRows, windowPanes } = this.#options;
    const { control, stride } = this.#records;
    const records = addressOf(this.#room);
    const filled = records + chunkRows * 4;
    scope.memory.uint32[filled >>> 2] = 0;
    const done = kernels.assignCounts(
      ...([this.#keys.slotsAt, found, this.#keys.extraOffset, paneRows] as const),
      ...([windowPanes === 1 ? 1 : 0, control, this.#keyEnd, stride, records, filled] as const),
    );
    const { uint32 } = scope.memory;
    const count = uint32[filled >>> 2] ?? 0;
    for (let at = 1; at <= count; at++) full.push(uint32[(filled >>> 2) + at] ?? 0);
    return done;
  }

  #accumulate(
    inputs: readonly ColumnAddress[],
    rows: { readonly count: number; readonly fromRow: number; readonly selection: number },
  ): void {
    const chunk = { ...rows, slots: addressOf(this.#room) };
    this.#keys.makeTextRoom(this.#cells.textRoom(inputs, chunk));
    if (this.#cells.add(this.#keys.description, inputs, chunk)) return;
    const { overflow } = this.#cells;
    throw aggregateOverflow(this.#context.name, this.#options.plan, overflow?.accumulator ?? 0);
  }
}

const noArrivals: ReadonlyMap<number, number> = new Map();
