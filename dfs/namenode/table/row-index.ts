/**
 * Finds rows by a number that each has for itself, such as a block's id: a hash table of rows alone, for the numbers are
 * in a column already. It is split by hash into parts that grow each for itself: growing a table of ten million at once
 * would hold up every call for seconds.
 *
 * A removed entry is closed up by moving those behind it (linear probing without marks), so it never fills with marks.
 */
import type { ReadColumn } from './column.ts';

const partBits = 8;
const sizeMin = 16;

interface Part {
  /** Row + 1; 0 is free. */
  slots: Uint32Array;
  count: number;
}

export class RowIndex {
  readonly #keys: ReadColumn;
  readonly #parts: Part[] = [];

  constructor(keys: ReadColumn) {
    this.#keys = keys;
    for (let index = 0; index < 1 << partBits; index++) {
      this.#parts.push({ slots: new Uint32Array(sizeMin), count: 0 });
    }
  }

  get sizeBytes(): number {
    return this.#parts.reduce((sum, { slots }) => sum + slots.byteLength, 0);
  }

  /** The row with this key, or -1. */
  find(key: number): number {
    const hash = hashOf(key);
    const { slots } = this.#parts[hash >>> (32 - partBits)]!;
    const mask = slots.length - 1;
    for (let at = hash & mask; slots[at] !== 0; at = (at + 1) & mask) {
      const row = slots[at]! - 1;
      if (this.#keys.get(row) === key) return row;
    }
    return -1;
  }

  /** Adds a row whose key, not yet in here, is in the column already. */
  add(row: number): void {
    const hash = hashOf(this.#keys.get(row));
    const part = this.#parts[hash >>> (32 - partBits)]!;
    if ((part.count + 1) * 4 > part.slots.length * 3) this.#grow(part);
    put(part.slots, hash, row);
    part.count++;
  }

  /** Removes the row with this key, which is there. */
  remove(key: number): void {
    const hash = hashOf(key);
    const part = this.#parts[hash >>> (32 - partBits)]!;
    const { slots } = part;
    const mask = slots.length - 1;
    let hole = hash & mask;
    while (this.#keys.get(slots[hole]! - 1) !== key) hole = (hole + 1) & mask;
    for (let at = (hole + 1) & mask; slots[at] !== 0; at = (at + 1) & mask) {
      const home = hashOf(this.#keys.get(slots[at]! - 1)) & mask;
      // It may move into the hole unless its home lies behind the hole.
      if (((at - home) & mask) < ((at - hole) & mask)) continue;
      slots[hole] = slots[at]!;
      hole = at;
    }
    slots[hole] = 0;
    part.count--;
  }

  #grow(part: Part): void {
    const slots = new Uint32Array(part.slots.length * 2);
    for (const slot of part.slots) {
      if (slot !== 0) put(slots, hashOf(this.#keys.get(slot - 1)), slot - 1);
    }
    part.slots = slots;
  }
}

function put(slots: Uint32Array, hash: number, row: number): void {
  const mask = slots.length - 1;
  let at = hash & mask;
  while (slots[at] !== 0) at = (at + 1) & mask;
  slots[at] = row + 1;
}

/** Keys are whole numbers below 2^53, most of them one behind the other. */
function hashOf(key: number): number {
  let hash = Math.imul(
    (key % 2 ** 32) ^ Math.imul(Math.floor(key / 2 ** 32), 0x85ebca6b),
    0x9e3779b1,
  );
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}
