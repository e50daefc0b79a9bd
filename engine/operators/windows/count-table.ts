/**
 * Count table: the panes of all keys, each of so many rows (engine/kernels/count-window.as.ts), as records of their keys.
 *
 *     add ─▶ slot of the key ─▶ its newest pane ─▶ accumulators      panes that are full now: `full`
 *     a window ─▶ its newest pane and those before it: `panesOf` ─▶ records.readGroups ─▶ dropBehind
 *
 * Keys stay as long as any has a pane.
 *
 * Invariants:
 * - A pane that is full is not changed any more.
 * - A key keeps the panes that windows to come have: at most one less than a window has, and the newest.
 */
import { assert } from '../../../base/assert.ts';
import type { Batch } from '../../batch/batch.ts';
import { addressOf, type BlockHandle } from '../../memory/slot-memory.ts';
import type { OperatorContext } from '../operator.ts';
import { chunkRows, KeyedRecords, type KeyedRecordsOptions } from './keyed-records.ts';
import type { OrderedRecord } from './record-order.ts';

export interface CountTableOptions extends KeyedRecordsOptions {
  /** Rows of a pane. */
  readonly paneRows: number;
  /** Panes of a window. */
  readonly windowPanes: number;
}

/** Of a record, behind its key: its number, its rows, and the one before it. */
const nextOffset = 16;

export class CountTable {
  readonly records: KeyedRecords;
  readonly #context: OperatorContext;
  readonly #options: CountTableOptions;
  /** How many panes have become full, and their records. */
  readonly #filled: BlockHandle;

  constructor(context: OperatorContext, options: CountTableOptions) {
    this.#context = context;
    this.#options = options;
    this.records = new KeyedRecords(context, options, 0);
    this.#filled = context.scope.allocate(chunkRows * 4 + 4);
  }

  /** Adds rows from `fromRow` on, and panes that are full now to `full`. Answers the next row. */
  add(batch: Batch, fromRow: number, full: number[]): number {
    return this.records.add(batch, fromRow, (found) => this.#assign(found, full));
  }

  /** The number of a pane among those of its key, from 0 on. */
  numberOf(record: number): number {
    return this.#context.scope.memory.uint32[(record + this.records.keyEnd) >>> 2] ?? 0;
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
      this.records.blocks.free(record);
      return;
    }
    let kept = record;
    for (let at = 2; at < windowPanes && kept !== 0; at++) kept = this.#before(kept);
    if (kept === 0) return;
    const dropped = this.#before(kept);
    memory.uint32[(kept + this.records.keyEnd + nextOffset) >>> 2] = 0;
    if (dropped !== 0) this.records.blocks.free(dropped);
  }

  /** How panes lie on disk: by their numbers; time does not bring them back. */
  get order(): OrderedRecord {
    return {
      placeOf: (record) => this.numberOf(record),
      dueOf: () => Number.POSITIVE_INFINITY,
      isKept: () => false,
      linkOf: () => 0,
    };
  }

  /**
   * Panes that were on disk, or in a snapshot, as parts with their numbers and rows, are those of their keys again; answers the
   * next row. They come in any order: of many records those of one key are in several runs.
   */
  restore(pieces: Batch, fromRow: number): number {
    const { kernels } = this.#context;
    const { selection } = pieces;
    const [numbers, rows] = pieces.columns;
    assert(numbers !== undefined && rows !== undefined, 'pieces have number and rows in front');
    const { records } = this;
    return records.restore(pieces, fromRow, (found, row) => {
      const { keys, keyEnd, recordsOfRows } = records;
      const { control, stride } = records.blocks;
      const done = kernels.restorePanes(
        ...([keys.slotsAt, found, keys.extraOffset, numbers.values, rows.values] as const),
        ...([selection, row, control, keyEnd, stride, recordsOfRows] as const),
      );
      for (let at = 0; at < done; at++) this.#putInOrder(at);
      return done;
    });
  }

  close(): void {
    this.records.close();
    this.#context.scope.memory.release(this.#filled);
  }

  /** Where the pane that was restored is not newer than the one that it was put in front of, the list of its key is sorted. */
  #putInOrder(at: number): void {
    const { uint32 } = this.#context.scope.memory;
    const { keys, keyEnd, recordsOfRows } = this.records;
    const restored = uint32[(recordsOfRows >>> 2) + at] ?? 0;
    const older = this.#before(restored);
    if (older === 0 || this.numberOf(older) < this.numberOf(restored)) return;
    const head = (uint32[(keys.slotsAt >>> 2) + at] ?? 0) + keys.extraOffset;
    const panes: number[] = [];
    for (let pane = uint32[head >>> 2] ?? 0; pane !== 0; pane = this.#before(pane))
      panes.push(pane);
    panes.sort((a, b) => this.numberOf(b) - this.numberOf(a));
    uint32[head >>> 2] = panes[0] ?? 0;
    for (const [index, pane] of panes.entries()) {
      uint32[(pane + keyEnd + nextOffset) >>> 2] = panes[index + 1] ?? 0;
    }
  }

  #before(record: number): number {
    const place = record + this.records.keyEnd + nextOffset;
    return this.#context.scope.memory.uint32[place >>> 2] ?? 0;
  }

  /** Records of the rows whose keys were found; answers how many. */
  #assign(found: number, full: number[]): number {
    const { kernels, scope } = this.#context;
    const { paneRows, windowPanes } = this.#options;
    const { keys, keyEnd, recordsOfRows } = this.records;
    const { control, stride } = this.records.blocks;
    const filled = addressOf(this.#filled);
    scope.memory.uint32[filled >>> 2] = 0;
    const done = kernels.assignCounts(
      ...([keys.slotsAt, found, keys.extraOffset, paneRows] as const),
      ...([windowPanes === 1 ? 1 : 0, control, keyEnd, stride, recordsOfRows, filled] as const),
    );
    const { uint32 } = scope.memory;
    const count = uint32[filled >>> 2] ?? 0;
    for (let at = 1; at <= count; at++) full.push(uint32[(filled >>> 2) + at] ?? 0);
    return done;
  }
}
