/**
 * Kept keys: a set of keys that a table has, or the disk. What is known of a key is that it is there: its slot in a numbered
 * table has a mark then, and one that is only looked for has none.
 *
 * Before: engine/operators/changes/first-rows-operator.ts · After: engine/operators/changes/kept-groups.ts
 */
import { assert } from '../../../base/assert.ts';
import { type Batch, batchRowsMax } from '../../batch/batch.ts';
import { type GroupColumns, type GroupRows, GroupTable } from '../../kernels/group-table.ts';
import { addressOf, type BlockHandle } from '../../memory/slot-memory.ts';
import { bitmapSizeOf } from '../../schema/field-type.ts';
import type { Schema } from '../../schema/schema.ts';
import { readGroupBatch } from '../aggregate-results.ts';
import { GroupKeys } from '../group-keys.ts';
import type { OperatorContext } from '../operator.ts';
import { placeOf } from './group-order.ts';
import { hashOf } from './group-table-parts.ts';
import type { KeptParts } from './kept-groups.ts';

/** As of `GroupTable`. */
const chunkRows = 1024;

export class KeptKeys implements KeptParts {
  readonly schema: Schema;
  readonly #context: OperatorContext;
  readonly #keys: GroupKeys;
  /** For keys on their way out: their scratch is another than that of keys that are looked for. */
  readonly #givenKeys: GroupKeys;
  /** Bits of rows that are new to a table, which nobody asks for. */
  readonly #marks: BlockHandle;
  /** Where a slot has its mark. */
  readonly #markOffset: number;

  /** @param schema - Of batches of keys alone. */
  constructor(context: OperatorContext, schema: Schema) {
    const { scope, kernels } = context;
    const keys = schema.fields.map(({ name }) => name);
    this.schema = schema;
    this.#context = context;
    this.#keys = new GroupKeys(scope, kernels, { schema, keys });
    this.#givenKeys = new GroupKeys(scope, kernels, { schema, keys });
    this.#marks = scope.allocate(bitmapSizeOf(batchRowsMax));
    this.#markOffset = this.#keys.form === 'int128' ? 24 : 16;
  }

  newTable(): GroupTable {
    const { scope, kernels } = this.#context;
    const { form: keyForm } = this.#keys;
    const table = new GroupTable(scope, kernels, { keyForm, accumulators: [], isNumbered: true });
    assert(
      table.extraOffset === this.#markOffset,
      'a slot without cells has its mark behind the key',
    );
    return table;
  }

  keysOf(batch: Batch): GroupRows {
    const { selection: keySelection, ...key } = this.#keys.read(batch);
    const { selection, rowCount } = batch;
    return { key, keySelection, inputs: [], selection, rowCount };
  }

  hash(batch: Batch, out: number): void {
    const { values, validity, selection } = this.#keys.read(batch);
    hashOf(this.#context.kernels, this.#keys.form)(
      values,
      validity,
      selection,
      batch.rowCount,
      out,
    );
  }

  addNew(table: GroupTable, batch: Batch, fromRow: number, tell?: (place: number) => void): number {
    const rows = this.keysOf(batch);
    const { groupCount } = table;
    const found = table.findRows(rows, fromRow);
    const { uint32 } = this.#context.scope.memory;
    const slots = table.slotsAt >>> 2;
    // Where a slot was made, which of the keys with its place is the one that is looked for is not known here.
    const areWanted = tell !== undefined && table.groupCount === groupCount;
    for (let at = 0; at < found; at++) {
      const slot = uint32[slots + at] ?? 0;
      if (this.isThere(slot)) continue;
      uint32[(slot + this.#markOffset) >>> 2] = 1;
      if (areWanted) tell(placeOf(uint32[slot >>> 2] ?? 0));
    }
    return fromRow + found;
  }

  /** Adds keys, whether they are there or not; answers the next row. */
  add(table: GroupTable, batch: Batch, fromRow: number): number {
    return table.addRows({ ...this.keysOf(batch), arrivals: addressOf(this.#marks) }, fromRow);
  }

  readList(table: GroupTable, list: number, count: number): Batch {
    const readGroups = (from: number, rowsMax: number, { key }: GroupColumns) => {
      const end = Math.min(count, from + rowsMax);
      for (let at = from; at < end; at += chunkRows) {
        table.gatherKeys(list + at * 4, Math.min(chunkRows, end - at), at - from, key);
      }
      return { rowCount: end - from, nextSlot: end };
    };
    const { resultSizes, arenaBlocks } = table;
    const { batch } = this.#read({ groupCount: count, resultSizes, arenaBlocks, readGroups }, 0);
    assert(batch !== null, 'keys that are listed can be read');
    return batch;
  }

  /** Keys from a slot on, of a table that does not grow. */
  read(table: GroupTable, fromSlot: number) {
    if (table.groupCount === 0) return { batch: null, next: null };
    const { batch, nextSlot } = this.#read(table, fromSlot);
    return { batch, next: nextSlot < table.slotCount ? nextSlot : null };
  }

  isThere(slot: number): boolean {
    return this.#context.scope.memory.uint32[(slot + this.#markOffset) >>> 2] !== 0;
  }

  isGone(): boolean {
    return false;
  }

  isOver(): boolean {
    return false;
  }

  close(): void {
    this.#keys.close();
    this.#givenKeys.close();
    this.#context.scope.memory.release(this.#marks);
  }

  #read(table: Parameters<typeof readGroupBatch>[0]['table'], fromSlot: number) {
    const { scope, kernels } = this.#context;
    const from = { scope, kernels, keys: this.#givenKeys, results: [], schema: this.schema };
    return readGroupBatch({ ...from, table }, fromSlot);
  }
}
