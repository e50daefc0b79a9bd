/**
 * A batch: up to 8,192 rows in columns, all in the slot's private memory. It holds addresses only,
 * never values, so passing a batch on costs nothing.
 *
 *     schema    word utf8, count int64?
 *     columns   [ { values ──▶ 16-byte views }, { validity ──▶ bitmap, values ──▶ 8 bytes each } ]
 *     selection ──▶ u32 row numbers, or 0: the rows of the batch among the stored ones
 *     blocks    the blocks of memory that all of these point into
 *
 * Layouts are Arrow's (bitmaps with the least significant bit first) except utf8, which is views
 * (engine/batch/utf8-view.ts), since a filter or a join then moves 16 bytes per value, not a text.
 *
 * Contract:
 * - Who is given a batch owns one reference to it and releases it; `retain` makes one more.
 * - Selected row numbers ascend and are below `storedRows` (not checked: would cost a scan).
 * - Nobody changes what a batch points to once it is shared (not checked).
 * - Bits and values of rows past `storedRows`, and values of nulls, may be anything, except that a
 *   null utf8 is a view of zeroes.
 * Before: engine/batch/batch-builder.ts · After: engine/operators/operator.ts
 */
import { assert } from '../../base/assert.ts';
import type { BlockHandle, SlotMemory } from '../memory/slot-memory.ts';
import type { FieldType } from '../schema/field-type.ts';
import type { Schema } from '../schema/schema.ts';

/** The most rows that a batch stores. */
export const batchRowsMax = 8192;

/** A column's place: byte addresses. `validity` is 0 when no value is null. */
export interface Column {
  readonly type: FieldType;
  readonly validity: number;
  readonly values: number;
}

/** What a batch is made of; `blocks` are taken over, one reference each. */
export interface BatchParts {
  readonly schema: Schema;
  readonly rowCount: number;
  /** @defaultValue `rowCount` */
  readonly storedRows?: number;
  /** @defaultValue 0: all stored rows */
  readonly selection?: number;
  readonly columns: readonly Column[];
  readonly blocks: readonly BlockHandle[];
  /** Batches whose blocks its columns point into as well; taken over, one reference each. */
  readonly holds?: readonly Batch[];
}

const none: readonly never[] = [];

export class Batch {
  readonly memory: SlotMemory;
  readonly schema: Schema;
  /** Rows of the batch: the selected ones where there is a selection. */
  readonly rowCount: number;
  /** Rows that the columns hold. */
  readonly storedRows: number;
  /** Address of `rowCount` ascending u32 indexes of stored rows; 0 means all of them. */
  readonly selection: number;
  readonly columns: readonly Column[];
  readonly #blocks: readonly BlockHandle[];
  readonly #holds: readonly Batch[];
  #referenceCount = 1;

  constructor(memory: SlotMemory, parts: BatchParts) {
    const { schema, rowCount, storedRows = rowCount, selection = 0, columns, blocks } = parts;
    assert(storedRows <= batchRowsMax, 'a batch stores at most 8,192 rows');
    assert(rowCount <= storedRows, 'a batch selects at most the rows it stores');
    assert(selection !== 0 || rowCount === storedRows, 'without a selection all rows are meant');
    assert(columns.length === schema.fields.length, 'a batch has one column for each field');
    this.memory = memory;
    this.schema = schema;
    this.rowCount = rowCount;
    this.storedRows = storedRows;
    this.selection = selection;
    this.columns = columns;
    this.#blocks = blocks;
    this.#holds = parts.holds ?? none;
  }

  /** One more reference; answers the batch itself. */
  retain(): Batch {
    assert(this.#referenceCount > 0, 'a batch that is retained is in use');
    this.#referenceCount++;
    return this;
  }

  /** Gives one reference back; the last one releases the blocks. */
  release(): void {
    assert(this.#referenceCount > 0, 'a batch is released as often as it is held');
    if (--this.#referenceCount > 0) return;
    // By index, here and in `derive`: until code is compiled for good an iterator costs an object per step.
    for (let at = 0; at < this.#blocks.length; at++) this.memory.release(this.#blocks[at]!);
    for (let at = 0; at < this.#holds.length; at++) this.#holds[at]!.release();
  }

  /**
   * A batch that shares this one's blocks and differs in the parts given. New `columns` hold the
   * same stored rows, in the same order, unless `storedRows` says otherwise; `blocks` and `holds` are
   * those that only the new batch needs, and are taken over. The caller still owns this batch.
   */
  derive(changes: Partial<BatchParts>): Batch {
    assert(this.#referenceCount > 0, 'a batch that is derived from is in use');
    const { blocks = none, holds = none } = changes;
    for (let at = 0; at < this.#blocks.length; at++) this.memory.retain(this.#blocks[at]!);
    for (let at = 0; at < this.#holds.length; at++) this.#holds[at]!.retain();
    return new Batch(this.memory, {
      schema: changes.schema ?? this.schema,
      rowCount: changes.rowCount ?? this.rowCount,
      storedRows: changes.storedRows ?? this.storedRows,
      selection: changes.selection ?? this.selection,
      columns: changes.columns ?? this.columns,
      blocks: joined(this.#blocks, blocks),
      holds: joined(this.#holds, holds),
    });
  }

  /** Every block that the batch keeps from being given back; one that it has twice comes twice. */
  forEachBlock(visit: (block: BlockHandle) => void): void {
    for (const block of this.#blocks) visit(block);
    for (const held of this.#holds) held.forEachBlock(visit);
  }

  /** The stored row of a row of the batch. */
  storedRowOf(row: number): number {
    return this.selection === 0 ? row : this.memory.uint32[(this.selection >>> 2) + row]!;
  }
}

/** Both lists, neither of which is changed later: no third one where one is empty. */
function joined<T>(first: readonly T[], second: readonly T[]): readonly T[] {
  if (second.length === 0) return first;
  return first.length === 0 ? second : first.concat(second);
}
