/**
 * Entry table: entries of keyed state in a slot's memory, a hash index per key group over records.
 *
 *     key group ──▶ slots, 8 bytes each: hash, address of the record / 8 ──▶ record (entry-record.ts)
 *
 * Why an index per key group: files and rescaling need entries by key group without a sort, and to double an
 * index moves a 128th of the table at a time. Why no kernel: an entry is looked up when a user's function
 * asks for it, one at a time, and the call into WebAssembly costs what the lookup does.
 *
 * Invariants:
 * - At most three quarters of a group's slots are used; an empty slot is zero.
 * - Records move only when their value outgrows them; `remove` closes the gap, so no slot is ever left as
 *   deleted.
 * @see Knuth, The Art of Computer Programming, volume 3, 6.4, algorithm R: removal from linear probing.
 */
import { assert } from '../../base/assert.ts';
import { keyGroupCount, keyGroupOf } from '../keys/key-group.ts';
import { addressOf, type BlockHandle, type MemoryScope } from '../memory/slot-memory.ts';
import {
  copyImage,
  deletedSize,
  type EntryKey,
  entryHeaderBytes,
  entryWord,
  imageBytesOf,
  isOfKey,
  keyBytesOf,
  padded,
  setExpiry,
  valueAddressOf,
} from './entry-record.ts';
import { roomOf, TableArena } from './record-arena.ts';

const firstSlots = 16;
const loadMax = 0.75;
/** A smaller table is in the caches. */
const touchedBytesMin = 4 * 1024 * 1024;
/** So many slots, and records of two cache lines each, stay in a core's own caches, and their pages in its table of these. */
export const touchedRowsMax = 128;
const touchedRecords = new Uint32Array(touchedRowsMax);
/** In a record: behind the header and a key of 8 bytes. */
const touchedWord = (entryHeaderBytes + 8) / 4;

export class EntryTable {
  readonly #scope: MemoryScope;
  readonly #arena: TableArena;
  readonly #blocks: BlockHandle[] = new Array(keyGroupCount).fill(0);
  /** By key group: address / 4 of the slots, their count less one, and how many are used. */
  readonly #slots = new Uint32Array(keyGroupCount);
  readonly #masks = new Uint32Array(keyGroupCount);
  readonly #counts = new Uint32Array(keyGroupCount);
  /** By key group: entries that are expected. */
  readonly #expected: Uint32Array | null;
  #entryCount = 0;
  #indexBytes = 0;
  #touched = 0;

  /** @param like - What is put will be about as much as this one has: its index need not grow. @defaultValue nothing is known */
  constructor(scope: MemoryScope, like: EntryTable | null = null) {
    this.#scope = scope;
    this.#expected = like === null ? null : like.#counts.slice();
    this.#arena = new TableArena(scope);
  }

  /** Entries, those that are marked as deleted included. */
  get entryCount(): number {
    return this.#entryCount;
  }

  get sizeBytes(): number {
    return this.#arena.sizeBytes + this.#indexBytes;
  }

  /** What `touch` has read; of no use. */
  get touched(): number {
    return this.#touched;
  }

  /** The record of a key; 0 when there is none. */
  find(key: EntryKey): number {
    const { group, hash } = key;
    const slots = this.#slots[group]!;
    if (slots === 0) return 0;
    const { memory } = this.#scope;
    const { uint32 } = memory;
    const mask = this.#masks[group]!;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const at = slots + slot * 2;
      const stored = uint32[at]!;
      if (stored === 0) return 0;
      if (stored !== hash) continue;
      const record = uint32[at + 1]! * 8;
      if (isOfKey(memory, record, key)) return record;
    }
  }

  /**
   * The record of a key with room for a value of `valueSize` bytes, which the caller writes; what the value was
   * is lost. `deletedSize` marks the key as deleted. `found` is what `find` answers for it.
   * @throws MEMORY_EXHAUSTED; the table is as it was then.
   */
  put(key: EntryKey, valueSize: number, expiresAtMs: number, found = this.find(key)): number {
    const { memory } = this.#scope;
    const { uint32 } = memory;
    const needed = valueSize === deletedSize ? 0 : padded(valueSize);
    let record = found;
    if (record === 0) record = this.#insert(key, needed);
    else if (uint32[(record >>> 2) + entryWord.capacity]! < needed) {
      record = this.#moveRecord(key, record, needed);
    }
    uint32[(record >>> 2) + entryWord.valueSize] = valueSize;
    setExpiry(memory, record, expiresAtMs);
    return record;
  }

  /** Puts a copy of a record of another table or a file in the place of the one with its key. */
  putImage(key: EntryKey, image: number): void {
    const { memory } = this.#scope;
    const valueBytes =
      imageBytesOf(memory, image) - entryHeaderBytes - padded(keyBytesOf(memory, image));
    let record = this.find(key);
    if (record === 0) record = this.#insert(key, valueBytes);
    else if (memory.uint32[(record >>> 2) + entryWord.capacity]! < valueBytes) {
      record = this.#moveRecord(key, record, valueBytes);
    }
    const capacity = memory.uint32[(record >>> 2) + entryWord.capacity]!;
    copyImage(memory, image, record);
    memory.uint32[(record >>> 2) + entryWord.capacity] = capacity;
  }

  /**
   * Loads the slots and records that keys with these hashes will be found by, and keeps in `hashes` those that none has
   * here, which tables below may have; answers how many these are. At most `touchedRowsMax`. The loads of a loop wait
   * for each other no more, so that far memory costs a third of what it does one key at a time: first the slots, then, where
   * these are near, which record is meant, then that one.
   */
  touch(hashes: Uint32Array, count: number): number {
    assert(count <= touchedRowsMax, 'no more keys are touched than stay in the caches');
    if (this.sizeBytes < touchedBytesMin) return count;
    const { uint32 } = this.#scope.memory;
    let sum = 0;
    for (let at = 0; at < count; at++) {
      const hash = hashes[at]!;
      const group = keyGroupOf(hash);
      sum += uint32[this.#slots[group]! + (hash & this.#masks[group]!) * 2]! & 1;
    }
    let missing = 0;
    let found = 0;
    for (let at = 0; at < count; at++) {
      const hash = hashes[at]!;
      const record = this.#recordOfHash(hash);
      if (record === 0) hashes[missing++] = hash;
      else touchedRecords[found++] = record;
    }
    for (let at = 0; at < found; at++) {
      const word = touchedRecords[at]! >>> 2;
      // A short key and its value may lie in the line behind that of the header.
      sum += (uint32[word]! ^ uint32[word + touchedWord]!) & 1;
    }
    // Kept, or the loops would be left out.
    this.#touched = sum;
    return missing;
  }

  /** The first record with a hash, whatever its key; 0 when there is none. */
  #recordOfHash(hash: number): number {
    const group = keyGroupOf(hash);
    const slots = this.#slots[group]!;
    if (slots === 0) return 0;
    const { uint32 } = this.#scope.memory;
    const mask = this.#masks[group]!;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const stored = uint32[slots + slot * 2]!;
      if (stored === hash || stored === 0) return uint32[slots + slot * 2 + 1]! * 8;
    }
  }

  /** Removes the entry of a key; false when there is none. */
  remove(key: EntryKey): boolean {
    const { group, hash } = key;
    const slots = this.#slots[group]!;
    if (slots === 0) return false;
    const { memory } = this.#scope;
    const { uint32 } = memory;
    const mask = this.#masks[group]!;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const at = slots + slot * 2;
      const stored = uint32[at]!;
      if (stored === 0) return false;
      if (stored !== hash || !isOfKey(memory, uint32[at + 1]! * 8, key)) continue;
      this.removeAt(group, slot);
      return true;
    }
  }

  /** Slots of a key group, for reading it through; 0 when it has no entries. */
  slotCountOf(group: number): number {
    return this.#slots[group] === 0 ? 0 : this.#masks[group]! + 1;
  }

  entryCountOf(group: number): number {
    return this.#counts[group]!;
  }

  /** The record in a slot; 0 when it is empty. */
  recordAt(group: number, slot: number): number {
    return this.#scope.memory.uint32[this.#slots[group]! + slot * 2 + 1]! * 8;
  }

  /** Where the slots of a key group are, for kernels; 0 when it has none. */
  slotsAddressOf(group: number): number {
    return this.#slots[group]! * 4;
  }

  /** Removes the entry of a slot. Entries behind it may move there: look at the same slot again. */
  removeAt(group: number, slot: number): void {
    const { uint32 } = this.#scope.memory;
    const slots = this.#slots[group]!;
    const mask = this.#masks[group]!;
    const record = uint32[slots + slot * 2 + 1]! * 8;
    assert(record !== 0, 'a slot that is emptied has an entry');
    this.#arena.free(group, record, this.#recordBytes(record));
    let gap = slot;
    for (let next = (slot + 1) & mask; ; next = (next + 1) & mask) {
      const hash = uint32[slots + next * 2]!;
      if (hash === 0) break;
      // An entry may move to the gap if the gap is not before the slot that it would have liked.
      if (((next - (hash & mask)) & mask) < ((next - gap) & mask)) continue;
      uint32[slots + gap * 2] = hash;
      uint32[slots + gap * 2 + 1] = uint32[slots + next * 2 + 1]!;
      gap = next;
    }
    uint32[slots + gap * 2] = 0;
    uint32[slots + gap * 2 + 1] = 0;
    this.#counts[group]!--;
    this.#entryCount--;
  }

  /** Forgets all entries and gives their memory back. */
  clear(): void {
    for (let group = 0; group < keyGroupCount; group++) this.#releaseIndex(group);
    this.#counts.fill(0);
    this.#entryCount = 0;
    this.#arena.clear();
  }

  /** Forgets the index of one key group; its records stay until `clear`. */
  #releaseIndex(group: number): void {
    const block = this.#blocks[group]!;
    if (block === 0) return;
    this.#indexBytes -= this.#scope.memory.sizeOf(block);
    this.#scope.memory.release(block);
    this.#blocks[group] = 0;
    this.#slots[group] = 0;
    this.#masks[group] = 0;
  }

  #insert(key: EntryKey, valueBytes: number): number {
    const { group, hash, keySize, subSize } = key;
    const { memory } = this.#scope;
    const { uint32 } = memory;
    const count = this.#counts[group]!;
    if (this.#slots[group] === 0 || count >= (this.#masks[group]! + 1) * loadMax) this.#grow(group);
    const record = this.#newRecord(key, valueBytes);
    const word = record >>> 2;
    uint32[word] = hash;
    uint32[word + entryWord.keySize] = keySize;
    uint32[word + entryWord.subSize] = subSize;
    uint32[word + entryWord.group] = group;
    const [target, source] = [(record + entryHeaderBytes) >>> 2, key.address >>> 2];
    const words = padded(keySize + subSize) >>> 2;
    for (let at = 0; at < words; at++) uint32[target + at] = uint32[source + at]!;
    this.#place(group, hash, record);
    this.#counts[group]!++;
    this.#entryCount++;
    return record;
  }

  /** Room for a record, as large as its class allows. */
  #newRecord({ group, keySize, subSize }: EntryKey, valueBytes: number): number {
    const fixedBytes = entryHeaderBytes + padded(keySize + subSize);
    const record = this.#arena.allocate(group, fixedBytes + valueBytes);
    const capacity = roomOf(fixedBytes + valueBytes) - fixedBytes;
    this.#scope.memory.uint32[(record >>> 2) + entryWord.capacity] = capacity;
    return record;
  }

  /** A larger record with the same key; its value is not copied. */
  #moveRecord(key: EntryKey, old: number, valueBytes: number): number {
    const { memory } = this.#scope;
    const { uint32 } = memory;
    const record = this.#newRecord(key, valueBytes);
    const capacity = uint32[(record >>> 2) + entryWord.capacity]!;
    const fixedBytes = valueAddressOf(memory, old) - old;
    memory.bytes.copyWithin(record, old, old + fixedBytes);
    uint32[(record >>> 2) + entryWord.capacity] = capacity;
    const slots = this.#slots[key.group]!;
    const mask = this.#masks[key.group]!;
    let slot = key.hash & mask;
    while (uint32[slots + slot * 2 + 1]! * 8 !== old) slot = (slot + 1) & mask;
    uint32[slots + slot * 2 + 1] = record / 8;
    this.#arena.free(key.group, old, this.#recordBytes(old));
    return record;
  }

  #recordBytes(record: number): number {
    const { memory } = this.#scope;
    const capacity = memory.uint32[(record >>> 2) + entryWord.capacity]!;
    return valueAddressOf(memory, record) - record + capacity;
  }

  #place(group: number, hash: number, record: number): void {
    const { uint32 } = this.#scope.memory;
    const slots = this.#slots[group]!;
    const mask = this.#masks[group]!;
    let slot = hash & mask;
    while (uint32[slots + slot * 2] !== 0) slot = (slot + 1) & mask;
    uint32[slots + slot * 2] = hash;
    uint32[slots + slot * 2 + 1] = record / 8;
  }

  #firstSlotsOf(group: number): number {
    const entries = this.#expected?.[group] ?? 0;
    let slots = firstSlots;
    while (slots * loadMax < entries) slots *= 2;
    return slots;
  }

  #grow(group: number): void {
    const { memory } = this.#scope;
    const { uint32 } = memory;
    const oldBlock = this.#blocks[group]!;
    const oldSlots = this.#slots[group]!;
    const oldCount = this.slotCountOf(group);
    const count = oldCount === 0 ? this.#firstSlotsOf(group) : oldCount * 2;
    const block = this.#scope.allocate(count * 8);
    const slots = addressOf(block) >>> 2;
    uint32.fill(0, slots, slots + count * 2);
    this.#blocks[group] = block;
    this.#slots[group] = slots;
    this.#masks[group] = count - 1;
    this.#indexBytes += memory.sizeOf(block);
    for (let slot = 0; slot < oldCount; slot++) {
      const hash = uint32[oldSlots + slot * 2]!;
      if (hash !== 0) this.#place(group, hash, uint32[oldSlots + slot * 2 + 1]! * 8);
    }
    if (oldBlock === 0) return;
    this.#indexBytes -= memory.sizeOf(oldBlock);
    memory.release(oldBlock);
  }
}
