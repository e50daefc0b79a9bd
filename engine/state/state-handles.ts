/**
 * State handles: what a user's function calls. Each reads and writes the entries of the key that is in the cursor.
 *
 *     value, reducing, aggregating   key                ▶ value
 *     numbered                       key, number        ▶ value
 *     list                           key                ▶ first, end        key, index ▶ item
 *     map                            key                ▶ first, end
 *                                    key, bytes of key  ▶ place, value      key, place ▶ bytes of key
 *
 * A map's entries are found by their key and listed by their place. An entry that goes leaves its place to the last
 * one, so places have no gaps; where entries expire one by one there may be some, which are passed over.
 *
 * Contract: used during a call only (asserted: STATE_OUTSIDE_CALL).
 */

import type { SlotMemory } from '../memory/slot-memory.ts';
import { entryTag, placeBytes, placeTag } from './entry-layout.ts';
import type { KeyCursor } from './key-cursor.ts';
import type { KeyedTable } from './keyed-table.ts';
import type { KeyValueCodec, ValueCodec } from './value-codec.ts';

/** What all handles are made of. */
export interface HandleParts {
  readonly memory: SlotMemory;
  readonly cursor: KeyCursor;
  readonly table: KeyedTable;
  readonly codec: ValueCodec;
}

export class ValueState {
  readonly #parts: HandleParts;

  constructor(parts: HandleParts) {
    this.#parts = parts;
  }

  get(): unknown {
    const { cursor, table, codec } = this.#parts;
    cursor.useKey();
    const at = table.get(cursor);
    return at === 0 ? null : codec.read(at, table.valueSize);
  }

  set(value: unknown): void {
    const { cursor, table, codec } = this.#parts;
    const size = codec.encode(value);
    cursor.useKey();
    codec.write(table.put(cursor, size));
  }

  clear(): void {
    const { cursor, table } = this.#parts;
    cursor.useKey();
    table.delete(cursor);
  }
}

/** Values of a key by numbers that the caller keeps: an entry each, and nothing that lists them. */
export class NumberedState {
  readonly #parts: HandleParts;

  constructor(parts: HandleParts) {
    this.#parts = parts;
  }

  get(number: number): unknown {
    const { cursor, table, codec } = this.#parts;
    cursor.useIndex(number, 0);
    const at = table.get(cursor);
    return at === 0 ? null : codec.read(at, table.valueSize);
  }

  set(number: number, value: unknown): void {
    const { cursor, table, codec } = this.#parts;
    const size = codec.encode(value);
    cursor.useIndex(number, 0);
    codec.write(table.put(cursor, size));
  }

  delete(number: number): void {
    const { cursor, table } = this.#parts;
    cursor.useIndex(number, 0);
    table.delete(cursor);
  }
}

export class ReducingState {
  readonly #value: ValueState;
  readonly #reduce: (left: unknown, right: unknown) => unknown;

  constructor(parts: HandleParts, reduce: (left: unknown, right: unknown) => unknown) {
    this.#value = new ValueState(parts);
    this.#reduce = reduce;
  }

  get(): unknown {
    return this.#value.get();
  }

  add(value: unknown): void {
    const old = this.#value.get();
    this.#value.set(old === null ? value : this.#reduce(old, value));
  }

  clear(): void {
    this.#value.clear();
  }
}

/** How an aggregating state folds what is added to it. */
export interface Aggregator {
  readonly create: () => unknown;
  readonly add: (accumulator: unknown, input: unknown) => unknown;
  readonly result: (accumulator: unknown) => unknown;
}

export class AggregatingState {
  readonly #value: ValueState;
  readonly #aggregator: Aggregator;

  constructor(parts: HandleParts, aggregator: Aggregator) {
    this.#value = new ValueState(parts);
    this.#aggregator = aggregator;
  }

  /** Null when nothing was added. */
  get(): unknown {
    const accumulator = this.#value.get();
    return accumulator === null ? null : this.#aggregator.result(accumulator);
  }

  add(input: unknown): void {
    const { create, add } = this.#aggregator;
    this.#value.set(add(this.#value.get() ?? create(), input));
  }

  clear(): void {
    this.#value.clear();
  }
}

/** The entry of a key that says which places are in use. */
class PlaceRange {
  first = 0;
  end = 0;
  readonly #parts: Pick<HandleParts, 'memory' | 'cursor' | 'table'>;

  constructor(parts: HandleParts) {
    this.#parts = parts;
  }

  load(): void {
    const { memory, cursor, table } = this.#parts;
    cursor.useKey();
    const at = table.get(cursor);
    this.first = at === 0 ? 0 : memory.view.getUint32(at, true);
    this.end = at === 0 ? 0 : memory.view.getUint32(at + 4, true);
  }

  save(): void {
    const { memory, cursor, table } = this.#parts;
    cursor.useKey();
    if (this.first === this.end) {
      table.delete(cursor);
      return;
    }
    const at = table.put(cursor, 8);
    memory.view.setUint32(at, this.first, true);
    memory.view.setUint32(at + 4, this.end, true);
  }
}

/** Places that expired items have left which one write cleans up. */
const placesDroppedMax = 16;

export class ListState {
  readonly #parts: HandleParts;
  readonly #range: PlaceRange;

  constructor(parts: HandleParts) {
    this.#parts = parts;
    this.#range = new PlaceRange(parts);
  }

  /** All items, oldest first. */
  get(): unknown[] {
    const { cursor, table, codec } = this.#parts;
    this.#range.load();
    const items: unknown[] = [];
    for (let place = this.#range.first; place < this.#range.end; place++) {
      cursor.useIndex(place, 0);
      const at = table.get(cursor);
      if (at !== 0) items.push(codec.read(at, table.valueSize));
    }
    return items;
  }

  add(item: unknown): void {
    const { cursor, table, codec } = this.#parts;
    const range = this.#range;
    const size = codec.encode(item);
    range.load();
    for (let dropped = 0; dropped < placesDroppedMax && range.first < range.end; dropped++) {
      cursor.useIndex(range.first, 0);
      if (table.get(cursor) !== 0) break;
      range.first++;
    }
    cursor.useIndex(range.end, 0);
    codec.write(table.put(cursor, size));
    range.end++;
    range.save();
  }

  /** Replaces all items. */
  set(items: Iterable<unknown>): void {
    const all = [...items];
    this.clear();
    for (const item of all) this.add(item);
  }

  clear(): void {
    const { cursor, table } = this.#parts;
    const range = this.#range;
    range.load();
    for (let place = range.first; place < range.end; place++) {
      cursor.useIndex(place, 0);
      table.delete(cursor);
    }
    range.end = range.first;
    range.save();
  }
}

export class MapState {
  readonly #parts: HandleParts;
  readonly #keys: KeyValueCodec;
  readonly #range: PlaceRange;
  /** Entries expire one by one: what lists them has to be written as often as they are. */
  readonly #expires: boolean;

  constructor(parts: HandleParts, keys: KeyValueCodec) {
    this.#parts = parts;
    this.#keys = keys;
    this.#range = new PlaceRange(parts);
    this.#expires = parts.table.ttl !== null;
  }

  get(key: unknown): unknown {
    const { table, codec } = this.#parts;
    const at = this.#find(key);
    if (at === 0) return null;
    const size = table.valueSize - placeBytes;
    const value = codec.read(at + placeBytes, size);
    if (table.ttl?.isRenewedOnRead) this.#renew(at);
    return value;
  }

  has(key: unknown): boolean {
    return this.#find(key) !== 0;
  }

  set(key: unknown, value: unknown): void {
    const { memory, cursor, table, codec } = this.#parts;
    const size = codec.encode(value);
    const found = this.#find(key);
    let place = found === 0 ? -1 : memory.view.getUint32(found, true);
    if (place < 0 || this.#expires) {
      this.#range.load();
      if (place < 0) {
        this.#dropExpired();
        place = this.#range.end++;
      }
      this.#putPlace(place, this.#keys.written);
      this.#range.save();
      cursor.useBytes(this.#keys.written, entryTag);
    }
    const at = table.put(cursor, placeBytes + size);
    memory.view.setUint32(at, place, true);
    codec.write(at + placeBytes);
  }

  /** False when there is no such entry. */
  delete(key: unknown): boolean {
    const { memory, cursor, table } = this.#parts;
    const found = this.#find(key);
    if (found === 0) return false;
    const place = memory.view.getUint32(found, true);
    table.delete(cursor);
    this.#range.load();
    const last = this.#range.end - 1;
    // The last entry takes the place that is free now.
    if (last !== place && last >= this.#range.first) this.#movePlace(last, place);
    cursor.useIndex(last, placeTag);
    table.delete(cursor);
    this.#range.end = last;
    this.#range.save();
    return true;
  }

  /** Pairs of key and value, in the order in which keys came, as long as none was deleted. */
  entries(): [unknown, unknown][] {
    const { cursor, table, codec } = this.#parts;
    const found: [unknown, unknown][] = [];
    this.#range.load();
    const { first, end } = this.#range;
    for (let place = first; place < end; place++) {
      const bytes = this.#keyBytesAt(place);
      if (bytes === null) continue;
      cursor.useBytes(bytes, entryTag);
      const at = table.get(cursor);
      // A key that came back after it had expired has another place now.
      if (at === 0 || this.#parts.memory.view.getUint32(at, true) !== place) continue;
      const value = codec.read(at + placeBytes, table.valueSize - placeBytes);
      found.push([this.#keys.decode(bytes), value]);
    }
    return found;
  }

  keys(): unknown[] {
    return this.entries().map(([key]) => key);
  }

  values(): unknown[] {
    return this.entries().map(([, value]) => value);
  }

  get size(): number {
    if (this.#expires) return this.entries().length;
    this.#range.load();
    return this.#range.end - this.#range.first;
  }

  clear(): void {
    const { cursor, table } = this.#parts;
    this.#range.load();
    const { first, end } = this.#range;
    for (let place = first; place < end; place++) {
      const bytes = this.#keyBytesAt(place);
      table.delete(cursor);
      if (bytes === null) continue;
      cursor.useBytes(bytes, entryTag);
      table.delete(cursor);
    }
    this.#range.end = first;
    this.#range.save();
  }

  /** The address of place and value; the cursor stays at the entry. */
  #find(key: unknown): number {
    const { cursor, table } = this.#parts;
    this.#keys.encode(key);
    cursor.useBytes(this.#keys.written, entryTag);
    return table.get(cursor);
  }

  /** Reading an entry lets what lists it live on as well. */
  #renew(at: number): void {
    const { memory, cursor, table } = this.#parts;
    const place = memory.view.getUint32(at, true);
    cursor.useIndex(place, placeTag);
    table.get(cursor);
    cursor.useKey();
    table.get(cursor);
  }

  /** A copy of the key at a place; the cursor stays at the place. */
  #keyBytesAt(place: number): Uint8Array | null {
    const { memory, cursor, table } = this.#parts;
    cursor.useIndex(place, placeTag);
    const at = table.get(cursor);
    return at === 0 ? null : memory.bytes.slice(at, at + table.valueSize);
  }

  #putPlace(place: number, keyBytes: Uint8Array, expiresAtMs?: number): void {
    const { memory, cursor, table } = this.#parts;
    cursor.useIndex(place, placeTag);
    memory.bytes.set(keyBytes, table.put(cursor, keyBytes.length, expiresAtMs));
  }

  /** What moves lives as long as it would have. */
  #movePlace(from: number, to: number): void {
    const { memory, cursor, table } = this.#parts;
    const bytes = this.#keyBytesAt(from);
    if (bytes === null) {
      cursor.useIndex(to, placeTag);
      table.delete(cursor);
      return;
    }
    this.#putPlace(to, bytes, table.expiresAtMs);
    cursor.useBytes(bytes, entryTag);
    const at = table.get(cursor);
    if (at === 0 || memory.view.getUint32(at, true) !== from) return;
    const value = memory.bytes.slice(at, at + table.valueSize);
    const moved = table.put(cursor, value.length, table.expiresAtMs);
    memory.bytes.set(value, moved);
    memory.view.setUint32(moved, to, true);
  }

  /** Frees places at the front whose entries have expired. */
  #dropExpired(): void {
    if (!this.#expires) return;
    const { cursor, table } = this.#parts;
    const range = this.#range;
    for (let dropped = 0; dropped < placesDroppedMax && range.first < range.end; dropped++) {
      cursor.useIndex(range.first, placeTag);
      if (table.get(cursor) !== 0) return;
      range.first++;
    }
  }
}
