/**
 * State run: entries on disk, ordered by key group and hash, that can be looked up by key.
 *
 *     filter ──may have it──▶ first places of blocks ──binary search──▶ one block ──▶ its records, in order
 *
 * What stays in memory is a filter and 12 bytes for each block. Entries with one hash may go on in the next
 * block, where the search then goes on as well.
 *
 * Invariant: a run is never changed. A newer run, or a table, has what was written since.
 */
import { assert } from '../../base/assert.ts';
import { addressOf, type BlockHandle, type MemoryScope } from '../memory/slot-memory.ts';
import type { OpenFile } from '../spill/spill-blocks.ts';
import { copyImage, type EntryKey, entryWord, imageBytesOf, isOfKey } from './entry-record.ts';
import { HashFilter } from './hash-filter.ts';
import { blockHeaderBytes, type StateBlock, type StateFiles } from './state-files.ts';

/** A key group and a hash as one number that is ordered as they are. */
function placeOf(group: number, hash: number): number {
  return group * 4_294_967_296 + hash;
}

/** Writes entries, which come in order, to a new run. */
export class StateRunWriter {
  readonly #scope: MemoryScope;
  readonly #files: StateFiles;
  readonly #file: OpenFile;
  readonly #filter: HashFilter;
  #room: BlockHandle;
  #roomBytes: number;
  #usedBytes = 0;
  #position = 0;
  #entryCount = 0;
  #lastPlace = -1;
  readonly #firstPlaces: number[] = [];
  readonly #positions: number[] = [];

  /**
   * @param entryCountMax - For the filter, which is made for so many.
   * @throws MEMORY_EXHAUSTED; SPILL_DISK_FULL
   */
  constructor(scope: MemoryScope, files: StateFiles, entryCountMax: number) {
    this.#scope = scope;
    this.#files = files;
    this.#filter = new HashFilter(scope, entryCountMax);
    this.#roomBytes = files.payloadBytes;
    this.#room = scope.tryAllocate(64 + this.#roomBytes);
    if (this.#room === 0) {
      this.#filter.close();
      throw scope.memory.exhaustedError(scope.owner, 64 + this.#roomBytes);
    }
    try {
      this.#file = files.create();
    } catch (error) {
      this.#filter.close();
      scope.memory.release(this.#room);
      throw error;
    }
  }

  /** Adds a copy of a record. */
  append(record: number): void {
    const { memory } = this.#scope;
    const word = record >>> 2;
    const hash = memory.uint32[word]!;
    const place = placeOf(memory.uint32[word + entryWord.group]!, hash);
    assert(place >= this.#lastPlace, 'entries of a run come in order');
    const sizeBytes = imageBytesOf(memory, record);
    if (this.#usedBytes + sizeBytes > this.#roomBytes) this.#makeRoom(sizeBytes);
    if (this.#usedBytes === 0) {
      this.#firstPlaces.push(place);
      this.#positions.push(this.#position);
    }
    copyImage(memory, record, addressOf(this.#room) + 64 + this.#usedBytes);
    this.#usedBytes += sizeBytes;
    this.#filter.add(hash);
    this.#lastPlace = place;
    this.#entryCount++;
  }

  /** The run, which has taken over the file; the writer is done. */
  finish(): StateRun {
    this.#flush();
    this.#scope.memory.release(this.#room);
    const file = this.#files.reopen(this.#file);
    return new StateRun(this.#scope, this.#files, {
      file,
      filter: this.#filter,
      firstPlaces: Float64Array.from(this.#firstPlaces),
      positions: Float64Array.from(this.#positions),
      entryCount: this.#entryCount,
      sizeBytes: this.#position,
    });
  }

  /** Gives up. */
  close(): void {
    this.#scope.memory.release(this.#room);
    this.#filter.close();
    this.#files.remove(this.#file);
  }

  #makeRoom(sizeBytes: number): void {
    this.#flush();
    if (sizeBytes <= this.#roomBytes) return;
    // An entry that is larger than a block is a block of its own; the room stays that large.
    const room = this.#scope.allocate(64 + sizeBytes);
    this.#scope.memory.release(this.#room);
    this.#room = room;
    this.#roomBytes = sizeBytes;
  }

  #flush(): void {
    if (this.#usedBytes === 0) return;
    const start = addressOf(this.#room) + 64;
    assert(blockHeaderBytes <= 64, 'there is room for a header in front of a block');
    this.#position += this.#files.write(this.#file, this.#position, start, this.#usedBytes);
    this.#usedBytes = 0;
  }
}

interface RunParts {
  readonly file: OpenFile;
  readonly filter: HashFilter;
  readonly firstPlaces: Float64Array;
  readonly positions: Float64Array;
  readonly entryCount: number;
  readonly sizeBytes: number;
}

export class StateRun {
  readonly #scope: MemoryScope;
  readonly #files: StateFiles;
  readonly #parts: RunParts;
  #holders = 1;
  #held: StateBlock | null = null;
  #heldIndex = -1;

  constructor(scope: MemoryScope, files: StateFiles, parts: RunParts) {
    this.#scope = scope;
    this.#files = files;
    this.#parts = parts;
  }

  get entryCount(): number {
    return this.#parts.entryCount;
  }

  /** Bytes on disk. */
  get sizeBytes(): number {
    return this.#parts.sizeBytes;
  }

  /** Bytes in memory. */
  get heldBytes(): number {
    const held = this.#held === null ? 0 : this.#scope.memory.sizeOf(this.#held.handle);
    return this.#parts.filter.sizeBytes + held;
  }

  get blockCount(): number {
    return this.#parts.positions.length;
  }

  /** The record of a key, until the next call of the run; 0 when it is not here. */
  find(key: EntryKey): number {
    const { filter } = this.#parts;
    if (!filter.mayHave(key.hash)) return 0;
    const place = placeOf(key.group, key.hash);
    for (let index = this.#firstBlockFor(place); index < this.blockCount; index++) {
      if (this.#parts.firstPlaces[index]! > place) return 0;
      const record = this.#findIn(this.#load(index), key, place);
      if (record !== 0) return record;
    }
    return 0;
  }

  /** A block, which the caller releases. */
  readBlock(index: number): StateBlock {
    const { file, positions } = this.#parts;
    return this.#files.read(file, positions[index]!);
  }

  /** One more who will close it. */
  hold(): this {
    this.#holders++;
    return this;
  }

  /** Takes the file away when nobody holds the run any more. */
  close(): void {
    if (--this.#holders > 0) return;
    this.#releaseHeld();
    this.#parts.filter.close();
    this.#files.remove(this.#parts.file);
  }

  /** The last block that begins before the place: entries of it may be there, or in those that follow. */
  #firstBlockFor(place: number): number {
    const { firstPlaces } = this.#parts;
    let low = 0;
    let high = firstPlaces.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (firstPlaces[middle]! < place) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
  }

  #findIn({ address, sizeBytes }: StateBlock, key: EntryKey, place: number): number {
    const { memory } = this.#scope;
    const { uint32 } = memory;
    for (let record = address; record < address + sizeBytes; ) {
      const word = record >>> 2;
      const found = placeOf(uint32[word + entryWord.group]!, uint32[word]!);
      if (found > place) return 0;
      if (found === place && isOfKey(memory, record, key)) return record;
      record += imageBytesOf(memory, record);
    }
    return 0;
  }

  #load(index: number): StateBlock {
    if (this.#held !== null && this.#heldIndex === index) return this.#held;
    this.#releaseHeld();
    this.#held = this.readBlock(index);
    this.#heldIndex = index;
    return this.#held;
  }

  #releaseHeld(): void {
    if (this.#held !== null) this.#scope.memory.release(this.#held.handle);
    this.#held = null;
    this.#heldIndex = -1;
  }
}
