/**
 * Undo log: what a call of a user's function has changed in state, so that a call that throws has changed
 * nothing. Kept only where such records go to dead letters: else the job ends and its state with it.
 *
 *     put, delete ──▶ the delta's record as it was, or that there was none ──▶ undo: last one first
 *
 * Contract: between `clear` and `undo` no delta is frozen (asserted by the owner's order of calls).
 */
import { addressOf, type BlockHandle, type MemoryScope } from '../memory/slot-memory.ts';
import {
  copyImage,
  type EntryKey,
  entryHeaderBytes,
  entryWord,
  imageBytesOf,
  padded,
  RecordKey,
} from './entry-record.ts';
import type { EntryTable } from './entry-table.ts';

const firstBytes = 4096;

export class UndoLog {
  readonly #scope: MemoryScope;
  readonly #key = new RecordKey();
  readonly #tables: EntryTable[] = [];
  /** Places of images in the block, and whether there was a record. */
  readonly #offsets: number[] = [];
  readonly #wasThere: boolean[] = [];
  #block: BlockHandle = 0;
  #usedBytes = 0;

  constructor(scope: MemoryScope) {
    this.#scope = scope;
  }

  /** Keeps what a table has of a key, which is about to change. */
  note(table: EntryTable, key: EntryKey): void {
    const { memory } = this.#scope;
    const record = table.find(key);
    const sizeBytes =
      record === 0
        ? entryHeaderBytes + padded(key.keySize + key.subSize)
        : imageBytesOf(memory, record);
    const image = this.#room(sizeBytes);
    if (record === 0) this.#writeKey(key, image);
    else copyImage(memory, record, image);
    this.#tables.push(table);
    this.#offsets.push(this.#usedBytes);
    this.#wasThere.push(record !== 0);
    this.#usedBytes += sizeBytes;
  }

  /** The call is over, and what it did stays. */
  clear(): void {
    if (this.#tables.length === 0) return;
    this.#tables.length = 0;
    this.#offsets.length = 0;
    this.#wasThere.length = 0;
    this.#usedBytes = 0;
  }

  /** Makes all of it as it was. */
  undo(): void {
    for (let at = this.#tables.length - 1; at >= 0; at--) {
      const image = addressOf(this.#block) + this.#offsets[at]!;
      const key = this.#key.of(this.#scope.memory, image);
      if (this.#wasThere[at]) this.#tables[at]!.putImage(key, image);
      else this.#tables[at]!.remove(key);
    }
    this.clear();
  }

  close(): void {
    if (this.#block !== 0) this.#scope.memory.release(this.#block);
    this.#block = 0;
  }

  #writeKey({ address, keySize, subSize, hash, group }: EntryKey, image: number): void {
    const { uint32, bytes } = this.#scope.memory;
    const word = image >>> 2;
    uint32[word] = hash;
    uint32[word + entryWord.keySize] = keySize;
    uint32[word + entryWord.subSize] = subSize;
    uint32[word + entryWord.group] = group;
    bytes.copyWithin(image + entryHeaderBytes, address, address + padded(keySize + subSize));
  }

  #room(sizeBytes: number): number {
    const { memory } = this.#scope;
    const has = this.#block === 0 ? 0 : memory.sizeOf(this.#block);
    const needed = this.#usedBytes + sizeBytes;
    if (needed > has) {
      const block = this.#scope.allocate(Math.max(firstBytes, needed, has * 2));
      if (this.#block !== 0) {
        const from = addressOf(this.#block);
        memory.bytes.copyWithin(addressOf(block), from, from + this.#usedBytes);
        memory.release(this.#block);
      }
      this.#block = block;
    }
    return addressOf(this.#block) + this.#usedBytes;
  }
}
