/**
 * Late rounds: rows of a batch in parts, so that what comes out behind each part is what would come out behind each
 * late row: no part has two late rows of a key, or a row of a key behind a late one.
 *
 *     a b a a b   all late    ─▶   a b · a b · a
 *     a b A a a   A is late   ─▶   a b A · a a
 *
 * Results are by key: so rows of other keys may share a part, and batches are worked on in as many parts as a key has
 * late rows. Rows stay in their order within a key.
 */
import { type Batch, batchRowsMax } from '../../batch/batch.ts';
import { GroupTable } from '../../kernels/group-table.ts';
import { addressOf, type BlockHandle } from '../../memory/slot-memory.ts';
import type { Schema } from '../../schema/schema.ts';
import { GroupKeys } from '../group-keys.ts';
import type { OperatorContext } from '../operator.ts';

export class LateRounds {
  readonly #context: OperatorContext;
  readonly #keys: GroupKeys;
  readonly #hasKeys: boolean;
  /** Numbers keys; made for the first late rows. */
  #table: GroupTable | null = null;
  #numbers: BlockHandle = 0;
  /** By number of a key: the part that its next row belongs to. */
  readonly #nextOf = new Uint32Array(batchRowsMax);
  /** By row. */
  readonly #partOf = new Uint32Array(batchRowsMax);

  constructor(context: OperatorContext, schema: Schema, keys: readonly string[]) {
    const { scope, kernels } = context;
    this.#context = context;
    this.#hasKeys = keys.length > 0;
    this.#keys = new GroupKeys(scope, kernels, { schema, keys });
  }

  /** The parts of a batch, which it takes over. */
  divide(batch: Batch, isLate: (row: number) => boolean): Batch[] {
    const { rowCount } = batch;
    let row = 0;
    while (row < rowCount && !isLate(row)) row++;
    if (row >= rowCount - 1) return [batch];
    this.#number(batch);
    const { uint32 } = this.#context.scope.memory;
    const numbers = addressOf(this.#numbers) >>> 2;
    this.#nextOf.fill(0, 0, rowCount);
    const counts: number[] = [];
    for (row = 0; row < rowCount; row++) {
      const key = uint32[numbers + row] ?? 0;
      const part = this.#nextOf[key] ?? 0;
      this.#partOf[row] = part;
      counts[part] = (counts[part] ?? 0) + 1;
      if (isLate(row)) this.#nextOf[key] = part + 1;
    }
    return counts.length === 1 ? [batch] : this.#select(batch, counts);
  }

  close(): void {
    this.#table?.close();
    this.#table = null;
    this.#keys.close();
    if (this.#numbers !== 0) this.#context.scope.memory.release(this.#numbers);
    this.#numbers = 0;
  }

  /** Writes a number for the key of each row. */
  #number(batch: Batch): void {
    const { scope, kernels } = this.#context;
    const { selection, rowCount } = batch;
    // Behind the numbers are counts of rows by number, which nobody reads.
    if (this.#numbers === 0) this.#numbers = scope.allocate(batchRowsMax * 8);
    const numbers = addressOf(this.#numbers);
    const { uint32 } = scope.memory;
    if (!this.#hasKeys) {
      uint32.fill(0, numbers >>> 2, (numbers >>> 2) + rowCount);
      return;
    }
    const { form: keyForm } = this.#keys;
    const options = { keyForm, accumulators: [], isNumbered: true, slotsFirst: 64 } as const;
    this.#table ??= new GroupTable(scope, kernels, options);
    this.#table.clear();
    const { selection: keySelection, ...key } = this.#keys.read(batch);
    const numbering = { numbers, counts: numbers + batchRowsMax * 4 };
    const rows = { key, keySelection, inputs: [], selection, rowCount, numbering };
    for (let row = 0; row < rowCount; ) {
      row = this.#table.addRows(rows, row);
      while (this.#table.isGrowing) this.#table.grow();
    }
  }

  /** Selections of the rows of each part, in one block. */
  #select(batch: Batch, counts: readonly number[]): Batch[] {
    const { memory } = batch;
    const { rowCount } = batch;
    const block = this.#context.scope.allocate(rowCount * 4);
    const rows = addressOf(block);
    const ends: number[] = [];
    let start = 0;
    for (const count of counts) {
      ends.push(start);
      start += count;
    }
    for (let row = 0; row < rowCount; row++) {
      const part = this.#partOf[row] ?? 0;
      const place = ends[part] ?? 0;
      memory.uint32[(rows >>> 2) + place] = batch.storedRowOf(row);
      ends[part] = place + 1;
    }
    const parts = counts.map((count, part) => {
      const selection = rows + ((ends[part] ?? 0) - count) * 4;
      memory.retain(block);
      return batch.derive({ rowCount: count, selection, blocks: [block] });
    });
    memory.release(block);
    batch.release();
    return parts;
  }
}
