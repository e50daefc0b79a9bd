/**
 * Grouped pairs: combine's, brought together by key without a sort. The batches stay as they came; a
 * hash table gives each pair the number of its group, and counting brings pair numbers in order.
 *
 *     add ──▶ batches kept, a group number per pair ──arrange──▶ row numbers by group ──▶ driver
 *
 * A word count's combine, sorting its pairs by key instead, took twice as long.
 *
 * Invariants:
 * - Groups are in order of first arrival, and so are the pairs of each.
 * - Memory is bounded: a round ends (`isFull`) when pairs, groups or batches are at their most.
 */
import { assert } from '../../base/assert.ts';
import { type Batch, batchRowsMax } from '../batch/batch.ts';
import type { GroupedRows } from '../compile/group-driver.ts';
import { GroupTable } from '../kernels/group-table.ts';
import { addressOf, type BlockHandle } from '../memory/slot-memory.ts';
import type { Schema } from '../schema/schema.ts';
import { GroupKeys } from './group-keys.ts';
import type { GatheredPairs } from './group-runner.ts';
import type { OperatorContext } from './operator.ts';

const batchesMax = 64; // Of one round: as many as it needs when they are half full.
const sliceBatches = 16;
const sliceGroups = 65_536;

export interface GroupedPairsOptions {
  /** `key` and `value`. */
  readonly pairs: Schema;
  /** Pairs of a round, exceeded by less than a batch. */
  readonly pairsMax: number;
}

/** Rows of a batch that are in the round. */
interface Part {
  readonly batch: Batch;
  readonly fromRow: number;
  readonly count: number;
}

export class GroupedPairs implements GatheredPairs {
  readonly #context: OperatorContext;
  readonly #pairsMax: number;
  readonly #table: GroupTable;
  readonly #keys: GroupKeys;
  /** Group numbers of pairs, row numbers by group, counts of groups, bases of batches. */
  readonly #blocks: BlockHandle[] = [];
  readonly #numbers: number;
  readonly #rows: number;
  readonly #counts: number;
  readonly #bases: number;
  #parts: Part[] = [];
  #pairCount = 0;
  /** Progress of `arrange`. */
  #startedGroups = 0;
  #startedPairs = 0;
  #placedParts = 0;
  #placedPairs = 0;

  /** @throws MEMORY_EXHAUSTED */
  constructor(context: OperatorContext, { pairs, pairsMax }: GroupedPairsOptions) {
    const { scope, kernels } = context;
    // Half as many slots as pairs: groups with two pairs or more each fit, else rounds are shorter.
    const slotsMax = 2 ** Math.max(6, Math.ceil(Math.log2(pairsMax / 2)));
    this.#context = context;
    this.#pairsMax = pairsMax;
    const keys = pairs.fields.slice(0, 1).map((field) => field.name);
    this.#keys = new GroupKeys(scope, kernels, { schema: pairs, keys });
    this.#table = new GroupTable(scope, kernels, {
      keyForm: this.#keys.form,
      accumulators: [],
      slotsMax,
      isNumbered: true,
    });
    const room = (count: number) => {
      const block = scope.allocate(count * 4);
      this.#blocks.push(block);
      return addressOf(block);
    };
    this.#numbers = room(pairsMax + batchRowsMax);
    this.#rows = room(pairsMax + batchRowsMax);
    this.#counts = room(slotsMax);
    this.#bases = room(batchesMax * 4);
  }

  /** The round is over: arrange, read, and clear before adding more. */
  get isFull(): boolean {
    const { length } = this.#parts;
    return this.#table.isFull || this.#pairCount >= this.#pairsMax || length >= batchesMax;
  }

  /** Adds pairs from `fromRow` on; returns the next row, short of the end when the round is full. */
  add(batch: Batch, fromRow: number): number {
    assert(!this.isFull, 'pairs are added to a round that is not full');
    if (fromRow === batch.rowCount) return fromRow;
    const { selection, rowCount } = batch;
    const numbers = this.#numbers + (this.#pairCount - fromRow) * 4;
    const { selection: keySelection, ...key } = this.#keys.read(batch);
    const rows = {
      key,
      keySelection,
      inputs: [],
      selection,
      rowCount,
      numbering: { numbers, counts: this.#counts },
    };
    let row = fromRow;
    while (row < rowCount && !this.#table.isFull) {
      row = this.#table.addRows(rows, row);
      // A table of this size grows within a slice or two.
      while (!this.#table.grow());
    }
    if (row > fromRow) this.#keep({ batch: batch.retain(), fromRow, count: row - fromRow });
    return row;
  }

  arrange(): boolean {
    const { kernels } = this.#context;
    if (this.#startedGroups < this.#table.groupCount) {
      const from = this.#startedGroups;
      const count = Math.min(sliceGroups, this.#table.groupCount - from);
      const counts = this.#counts + from * 4;
      this.#startedPairs = kernels.startsOfCounts(counts, count, this.#startedPairs);
      this.#startedGroups += count;
      return false;
    }
    const end = Math.min(this.#placedParts + sliceBatches, this.#parts.length);
    while (this.#placedParts < end) this.#placePart(this.#placedParts++);
    return end === this.#parts.length;
  }

  /** The groups, once arranged; valid until `clear`. */
  groups(): GroupedRows {
    assert(this.#placedPairs === this.#pairCount, 'groups that are read have been arranged');
    const { groupCount } = this.#table;
    return { groupCount, rows: this.#rows, ends: this.#counts, bases: this.#bases };
  }

  clear(): void {
    for (const { batch } of this.#parts.splice(0)) batch.release();
    if (this.#pairCount > 0) this.#table.clear();
    this.#pairCount = 0;
    this.#startedGroups = 0;
    this.#startedPairs = 0;
    this.#placedParts = 0;
    this.#placedPairs = 0;
  }

  close(): void {
    for (const { batch } of this.#parts.splice(0)) batch.release();
    this.#table.close();
    this.#keys.close();
    for (const block of this.#blocks.splice(0)) this.#context.scope.memory.release(block);
  }

  #keep(part: Part): void {
    const words = this.#context.scope.memory.uint32;
    const base = (this.#bases >>> 2) + this.#parts.length * 4;
    const [key, value] = part.batch.columns;
    words[base] = key?.values ?? 0;
    words[base + 1] = key?.validity ?? 0;
    words[base + 2] = value?.values ?? 0;
    words[base + 3] = value?.validity ?? 0;
    this.#parts.push(part);
    this.#pairCount += part.count;
  }

  #placePart(index: number): void {
    const part = this.#parts[index];
    assert(part !== undefined, 'a part that is placed is in the round');
    const { batch, fromRow, count } = part;
    this.#context.kernels.placeByGroup(
      this.#numbers + this.#placedPairs * 4,
      batch.selection,
      fromRow,
      count,
      index * batchRowsMax,
      this.#counts,
      this.#rows,
    );
    this.#placedPairs += count;
  }
}
