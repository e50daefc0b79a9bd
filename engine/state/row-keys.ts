/**
 * Row keys: the key of each row of a batch as the bytes that state is kept by: a struct of the key columns
 * (engine/batch/nested-layout.ts), so that equal keys have equal bytes and a key can be read back.
 *
 *     batch ──▶ a view per stored row, a hash per row ──load(row)──▶ cursor
 *
 * Contract: keys hold from `read` to the next call of it, or `release`.
 */
import { assert } from '../../base/assert.ts';
import { type Batch, batchRowsMax, type Column } from '../batch/batch.ts';
import { packStructs } from '../batch/nested-pack.ts';
import { viewBytesAddress, viewSizeOf } from '../batch/utf8-view.ts';
import { KeyHasher, type KeyHasherOptions } from '../keys/key-hasher.ts';
import type { BlockHandle, MemoryScope } from '../memory/slot-memory.ts';
import { type Field, fieldIndexOf } from '../schema/schema.ts';
import type { KeyCursor } from './key-cursor.ts';

export class RowKeys {
  readonly fields: readonly Field[];
  readonly #scope: MemoryScope;
  readonly #hasher: KeyHasher;
  readonly #indexes: readonly number[];
  /** A key of one column of 8 bytes that is never null: it is read where it lies. */
  readonly #isPlain: boolean;
  #blocks: BlockHandle[] = [];
  #keys = 0;
  #hashes = 0;

  /** @throws MEMORY_EXHAUSTED */
  constructor(options: KeyHasherOptions, columns: readonly string[]) {
    const { scope, schema } = options;
    this.#scope = scope;
    this.#indexes = columns.map((column) => fieldIndexOf(schema, column));
    this.fields = this.#indexes.map((index) => {
      const field = schema.fields[index];
      assert(field !== undefined, 'the keys of state are in its input');
      return field;
    });
    const [only] = this.fields;
    const isWide = only?.type.kind === 'int64' || only?.type.kind === 'timestamp';
    this.#isPlain = this.fields.length === 1 && isWide && only?.nullable === false;
    this.#hasher = new KeyHasher(options, columns);
  }

  /** The fields under the names that the user has given the keys. */
  named(keys: readonly { readonly name: string }[]): readonly Field[] {
    return this.fields.map((field, at) => ({ ...field, name: keys[at]?.name ?? field.name }));
  }

  /** Takes the keys of a batch. @throws MEMORY_EXHAUSTED */
  read(batch: Batch): void {
    this.release();
    assert(batch.rowCount <= batchRowsMax, 'a batch has at most 8,192 rows');
    this.#hashes = this.#hasher.hash(batch);
    const columns = this.#indexes.map((index) => batch.columns[index] as Column);
    const [only] = columns;
    if (this.#isPlain && only !== undefined) {
      this.#keys = only.values;
      return;
    }
    const parts = { fields: this.fields, rowCount: batch.storedRows, validity: 0, columns };
    this.#keys = packStructs({ scope: this.#scope, blocks: this.#blocks }, parts);
  }

  /** Address of the hashes of rows from one on. */
  hashesFrom(row: number): number {
    return this.#hashes + row * 4;
  }

  /** Puts the key of a row of the batch that was read last into the cursor. */
  load(cursor: KeyCursor, row: number, storedRow: number): void {
    const { memory } = this.#scope;
    const hash = memory.uint32[(this.#hashes >>> 2) + row]!;
    if (this.#isPlain) {
      cursor.load(this.#keys + storedRow * 8, 8, hash);
      return;
    }
    const view = this.#keys + storedRow * 16;
    cursor.load(viewBytesAddress(memory, view), viewSizeOf(memory, view), hash);
  }

  /** Gives the memory of the keys back; the hasher's stays. */
  release(): void {
    for (const block of this.#blocks) this.#scope.memory.release(block);
    this.#blocks = [];
  }

  close(): void {
    this.release();
    this.#hasher.close();
  }
}
