/**
 * Lists of whole numbers in one column: entries of directories, blocks of files, replicas of blocks. A list is three
 * numbers in columns of its owner, and its room is a power of two in a column that all lists share.
 *
 *     owner's row   start 12, count 3, room 2 (2² entries)
 *     shared        … │12: 7 │13: 9 │14: 4 │15: – │ …        freed rooms of a size form a chain through their first entry
 *
 * Room grows by doubling, and is halved when a quarter of it is used, so that a list at its limit is not copied at
 * each change.
 */
import { assert } from '../../../base/assert.ts';
import { Column, type ReadColumn } from './column.ts';

/** What it takes to read lists, of now or of a frozen moment. */
export interface ReadLists {
  readonly start: ReadColumn;
  readonly count: ReadColumn;
  readonly entries: ReadColumn;
}

const roomsMax = 31;

/** The shared part. Entry 0 is never used: a list that starts at 0 has no room. */
export class ListEntries {
  readonly column = Column.u32();
  readonly #freed = new Uint32Array(roomsMax);
  #end = 1;

  constructor() {
    this.column.reserve(1);
  }

  allocate(room: number): number {
    assert(room < roomsMax, 'a list has less than 2³¹ entries');
    const freed = this.#freed[room]!;
    if (freed !== 0) {
      this.#freed[room] = this.column.get(freed);
      return freed;
    }
    const start = this.#end;
    this.#end += 1 << room;
    assert(this.#end < 2 ** 32, 'lists have less than 2³² entries together');
    this.column.reserve(this.#end);
    return start;
  }

  free(start: number, room: number): void {
    this.column.set(start, this.#freed[room]!);
    this.#freed[room] = start;
  }
}

/** The lists of one kind of owner, by the owner's row. */
export class NumberLists implements ReadLists {
  readonly start = Column.u32();
  readonly count = Column.u32();
  readonly #room = Column.u8();
  readonly #shared: ListEntries;

  constructor(shared: ListEntries) {
    this.#shared = shared;
  }

  get entries(): ReadColumn {
    return this.#shared.column;
  }

  get sizeBytes(): number {
    return this.start.sizeBytes + this.count.sizeBytes + this.#room.sizeBytes;
  }

  reserve(rowCount: number): void {
    this.start.reserve(rowCount);
    this.count.reserve(rowCount);
    this.#room.reserve(rowCount);
  }

  at(owner: number, index: number): number {
    return this.#shared.column.get(this.start.get(owner) + index);
  }

  set(owner: number, index: number, value: number): void {
    this.#shared.column.set(this.start.get(owner) + index, value);
  }

  push(owner: number, value: number): void {
    this.insert(owner, this.count.get(owner), value);
  }

  insert(owner: number, index: number, value: number): void {
    const count = this.count.get(owner);
    const start = this.start.get(owner);
    if (start === 0) this.#resize(owner, 0);
    else if (count === 1 << this.#room.get(owner)) this.#resize(owner, this.#room.get(owner) + 1);
    const at = this.start.get(owner) + index;
    if (index < count) this.#shared.column.move(at, at + 1, count - index);
    this.#shared.column.set(at, value);
    this.count.set(owner, count + 1);
  }

  remove(owner: number, index: number): void {
    const count = this.count.get(owner) - 1;
    const at = this.start.get(owner) + index;
    if (index < count) this.#shared.column.move(at + 1, at, count - index);
    this.count.set(owner, count);
    if (count === 0) this.clear(owner);
    else if (count << 2 <= 1 << this.#room.get(owner)) {
      this.#resize(owner, this.#room.get(owner) - 1);
    }
  }

  /** Where a value is in the list, or -1. */
  indexOf(owner: number, value: number): number {
    const start = this.start.get(owner);
    const count = this.count.get(owner);
    for (let index = 0; index < count; index++) {
      if (this.#shared.column.get(start + index) === value) return index;
    }
    return -1;
  }

  clear(owner: number): void {
    const start = this.start.get(owner);
    if (start !== 0) this.#shared.free(start, this.#room.get(owner));
    this.start.set(owner, 0);
    this.count.set(owner, 0);
  }

  /** Takes entries that are known beforehand, without growing step by step. */
  fill(owner: number, count: number, valueAt: (index: number) => number): void {
    this.clear(owner);
    if (count === 0) return;
    this.#resize(owner, Math.ceil(Math.log2(count)));
    const start = this.start.get(owner);
    for (let index = 0; index < count; index++) {
      this.#shared.column.set(start + index, valueAt(index));
    }
    this.count.set(owner, count);
  }

  freeze(): Omit<ReadLists, 'entries'> {
    return { start: this.start.freeze(), count: this.count.freeze() };
  }

  thaw(): void {
    this.start.thaw();
    this.count.thaw();
  }

  #resize(owner: number, room: number): void {
    const before = this.start.get(owner);
    const start = this.#shared.allocate(room);
    if (before !== 0) {
      this.#shared.column.move(before, start, this.count.get(owner));
      this.#shared.free(before, this.#room.get(owner));
    }
    this.start.set(owner, start);
    this.#room.set(owner, room);
  }
}
