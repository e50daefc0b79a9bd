/**
 * A set of distinct values per key: for counting them where all rows of a key meet. It marks the rows
 * whose value comes for the first time with its key; counting those is counting distinct values.
 *
 *     key a a b a       set (a,x) (a,y) (b,x)       marks 1 1 1 0
 *     value x y x x
 *
 * The set is a group table of its own, keyed by the keys and the value together. Nulls are no values.
 */
import { assert } from '../../base/assert.ts';
import { type Batch, batchRowsMax } from '../batch/batch.ts';
import { type GroupRows, GroupTable } from '../kernels/group-table.ts';
import { addressOf, type BlockHandle } from '../memory/slot-memory.ts';
import { bitmapSizeOf } from '../schema/field-type.ts';
import { fieldIndexOf, type Schema } from '../schema/schema.ts';
import { readGroupBatch } from './aggregate-results.ts';
import { GroupKeys } from './group-keys.ts';
import type { OperatorContext } from './operator.ts';

export interface DistinctSetOptions {
  readonly input: Schema;
  readonly keys: readonly string[];
  /** Of the input: the values. */
  readonly column: number;
}

export class DistinctSet {
  readonly #context: OperatorContext;
  readonly #column: number;
  readonly #keys: GroupKeys;
  readonly #table: GroupTable;
  readonly #marks: BlockHandle;
  #batch: Batch | null = null;
  #rows: GroupRows | null = null;
  #row = 0;
  #isDone = false;
  /** The slot from which pairs are given out next. */
  #nextSlot = 0;

  constructor(
    context: OperatorContext,
    options: DistinctSetOptions & { readonly slotsMax?: number; readonly bytesMax?: number },
  ) {
    const { scope, kernels } = context;
    const { input, column, slotsMax, bytesMax } = options;
    const names = pairSchemaOf(options).fields.map((field) => field.name);
    this.#context = context;
    this.#column = column;
    this.#keys = new GroupKeys(scope, kernels, { schema: input, keys: names });
    this.#table = new GroupTable(scope, kernels, {
      keyForm: this.#keys.form,
      accumulators: [],
      isNumbered: true,
      ...(slotsMax !== undefined && { slotsMax }),
      ...(bytesMax !== undefined && { bytesMax }),
    });
    this.#marks = scope.allocate(bitmapSizeOf(batchRowsMax));
  }

  /** The bitmap of stored rows; of the batch that was marked last. */
  get marks(): number {
    return addressOf(this.#marks);
  }

  /** Whether pairs have to go, or are going, before `mark` goes on. */
  get isFull(): boolean {
    return this.#table.isFull || this.#nextSlot > 0;
  }

  /** Whether all pairs have been given out. */
  get isReadOut(): boolean {
    return this.#nextSlot >= this.#table.slotCount || this.#table.groupCount === 0;
  }

  /** Marks the rows of a batch, each batch once; false, when it is full too, asks to be called again with the same one. */
  mark(batch: Batch): boolean {
    const rows = this.#rowsOf(batch);
    while (this.#row < rows.rowCount) {
      if (this.#table.isFull) return false;
      if (this.#table.isGrowing) this.#table.grow();
      else this.#row = this.#table.addRows(rows, this.#row);
      if (this.#row < rows.rowCount && this.#context.shouldYield()) return false;
    }
    if (!this.#isDone) this.#leaveNullsOut(batch);
    this.#isDone = true;
    return true;
  }

  /** Changes what it may hold. */
  limitBytes(bytesMax: number): void {
    this.#table.limitBytes(bytesMax);
  }

  /** Ends growing, before pairs are given out; false asks to be called again. */
  settle(): boolean {
    while (this.#table.isGrowing) {
      if (!this.#table.grow() && this.#context.shouldYield()) return false;
    }
    return true;
  }

  /** The next pairs, or null when this slice of the set has none: see `isReadOut`. */
  next(schema: Schema): Batch | null {
    const { scope, kernels } = this.#context;
    const from = { scope, kernels, table: this.#table, keys: this.#keys, results: [], schema };
    const { batch, nextSlot } = readGroupBatch(from, this.#nextSlot);
    this.#nextSlot = nextSlot;
    return batch;
  }

  /** Forgets all pairs; marks stay. */
  clear(): void {
    this.#table.clear();
    this.#nextSlot = 0;
  }

  close(): void {
    this.#keys.close();
    this.#table.close();
    this.#context.scope.memory.release(this.#marks);
  }

  #leaveNullsOut({ columns }: Batch): void {
    const validity = columns[this.#column]?.validity ?? 0;
    if (validity === 0) return;
    const { uint32 } = this.#context.scope.memory;
    const words = bitmapSizeOf(batchRowsMax) / 4;
    for (let word = 0; word < words; word++) {
      // Words behind the batch's rows have no marks, whatever their validity.
      const at = (this.marks >>> 2) + word;
      uint32[at] = (uint32[at] ?? 0) & (uint32[(validity >>> 2) + word] ?? 0);
    }
  }

  #rowsOf(batch: Batch): GroupRows {
    if (this.#batch === batch && this.#rows !== null) return this.#rows;
    const { bytes } = this.#context.scope.memory;
    const { marks } = this;
    bytes.fill(0, marks, marks + bitmapSizeOf(batchRowsMax));
    const { selection: keySelection, ...key } = this.#keys.read(batch);
    const { selection, rowCount } = batch;
    this.#batch = batch;
    this.#row = 0;
    this.#isDone = false;
    this.#rows = { key, keySelection, inputs: [], selection, rowCount, arrivals: marks };
    return this.#rows;
  }
}

/** What a set has: the keys and the value, which may be one of them. */
export function pairSchemaOf({ input, keys, column }: DistinctSetOptions): Schema {
  const value = input.fields[column];
  assert(value !== undefined, 'a distinct value is a column of the input');
  const names = keys.includes(value.name) ? keys : [...keys, value.name];
  return {
    fields: names.map((name) => {
      const field = input.fields[fieldIndexOf(input, name)];
      assert(field !== undefined, 'the keys of an aggregate are in its input');
      return field;
    }),
  };
}
