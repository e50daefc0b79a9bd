/**
 * Key cursor: the key that state is looked up by, and behind it what tells entries of one key apart. One
 * for all state of an operator: a row's key is put here once, and each state adds its part.
 *
 *     key of the row │ sub key        value state   none
 *                                     list          u32 index
 *                                     map           bytes of the map's key, 1 │ u32 place, 2
 *                                     timer         f64 milliseconds
 *
 * Contract: who changes the sub key counts on it until the next change only.
 */
import { typedError } from '../../base/typed-error.ts';
import { keyGroupOf } from '../keys/key-group.ts';
import { addressOf, type BlockHandle, type MemoryScope } from '../memory/slot-memory.ts';
import { type EntryKey, padded } from './entry-record.ts';

const firstBytes = 256;

export class KeyCursor implements EntryKey {
  address: number;
  keySize = 0;
  subSize = 0;
  hash = 0;
  group = 0;
  /** Grows with each change of key or sub key: what was looked up for the same version is found again. */
  version = 0;
  readonly #scope: MemoryScope;
  #block: BlockHandle;
  #keyHash = 0;
  #isOpen = false;

  /** @throws MEMORY_EXHAUSTED */
  constructor(scope: MemoryScope) {
    this.#scope = scope;
    this.#block = scope.allocate(firstBytes);
    this.address = addressOf(this.#block);
  }

  /** The hash of the key alone, which says its key group. */
  get keyHash(): number {
    return this.#keyHash;
  }

  /** Takes a key of `keySize` bytes that are anywhere in the memory. */
  load(bytesAddress: number, keySize: number, hash: number): void {
    this.#reserve(keySize, 0);
    const { bytes } = this.#scope.memory;
    const { address } = this;
    if (keySize === 8 && bytesAddress % 4 === 0) {
      const { uint32 } = this.#scope.memory;
      uint32[address >>> 2] = uint32[bytesAddress >>> 2]!;
      uint32[(address >>> 2) + 1] = uint32[(bytesAddress >>> 2) + 1]!;
    } else if (keySize <= 32) {
      for (let at = 0; at < keySize; at++) bytes[address + at] = bytes[bytesAddress + at]!;
    } else {
      bytes.copyWithin(address, bytesAddress, bytesAddress + keySize);
    }
    this.#pad(keySize);
    this.keySize = keySize;
    this.#keyHash = hash;
    this.hash = hash;
    this.group = keyGroupOf(hash);
    this.subSize = 0;
    this.#isOpen = true;
    this.version++;
  }

  /** The call that the key was loaded for is over: state can't be used until the next one. */
  leave(): void {
    this.#isOpen = false;
  }

  /** The key alone. */
  useKey(): void {
    if (!this.#isOpen) this.#refuse();
    if (this.subSize === 0) return;
    this.#pad(this.keySize);
    this.subSize = 0;
    this.hash = this.#keyHash;
    this.version++;
  }

  /** The key and a number, below 2^32; `tag` tells kinds of numbers apart, 0: there is one kind. */
  useIndex(index: number, tag: number): void {
    if (!this.#isOpen) this.#refuse();
    const subSize = tag === 0 ? 4 : 5;
    this.#reserve(this.keySize + subSize, this.keySize);
    const { view, bytes } = this.#scope.memory;
    const at = this.address + this.keySize;
    view.setUint32(at, index, true);
    if (tag !== 0) bytes[at + 4] = tag;
    this.#pad(this.keySize + subSize);
    this.subSize = subSize;
    this.version++;
    this.hash = mixed(mixed(this.#keyHash, index), tag);
  }

  /** The key and a time. */
  useTime(timeMs: number): void {
    if (!this.#isOpen) this.#refuse();
    this.#reserve(this.keySize + 8, this.keySize);
    this.#scope.memory.view.setFloat64(this.address + this.keySize, timeMs, true);
    this.#pad(this.keySize + 8);
    this.subSize = 8;
    this.version++;
    const low = timeMs >>> 0;
    this.hash = mixed(mixed(this.#keyHash, low), (timeMs - low) / 4_294_967_296);
  }

  /** The key, bytes, and a tag. */
  useBytes(sub: Uint8Array, tag: number): void {
    if (!this.#isOpen) this.#refuse();
    const { length } = sub;
    this.#reserve(this.keySize + length + 1, this.keySize);
    const { bytes } = this.#scope.memory;
    const at = this.address + this.keySize;
    bytes.set(sub, at);
    bytes[at + length] = tag;
    this.#pad(this.keySize + length + 1);
    this.subSize = length + 1;
    this.version++;
    let hash = mixed(this.#keyHash, length);
    let place = 0;
    for (; place + 4 <= length; place += 4) {
      const word =
        sub[place]! | (sub[place + 1]! << 8) | (sub[place + 2]! << 16) | (sub[place + 3]! << 24);
      hash = mixed(hash, word);
    }
    let rest = 0;
    for (let shift = 0; place < length; place++, shift += 8) rest |= sub[place]! << shift;
    this.hash = mixed(mixed(hash, rest), tag);
  }

  close(): void {
    if (this.#block !== 0) this.#scope.memory.release(this.#block);
    this.#block = 0;
  }

  #refuse(): never {
    const { owner } = this.#scope;
    const message = `state or timers of operator "${owner}" were used outside of a call`;
    throw typedError('STATE_OUTSIDE_CALL', message, {
      hint: 'State belongs to the key of a row or timer: use it in onRow and onTimer only, and not behind an await.',
      details: { operator: owner },
    });
  }

  /** Zeroes behind the last byte, up to a multiple of 8: keys are compared by words. */
  #pad(sizeBytes: number): void {
    const { bytes } = this.#scope.memory;
    const end = this.address + padded(sizeBytes);
    for (let at = this.address + sizeBytes; at < end; at++) bytes[at] = 0;
  }

  #reserve(sizeBytes: number, kept: number): void {
    const needed = padded(sizeBytes);
    const { memory } = this.#scope;
    if (needed <= memory.sizeOf(this.#block)) return;
    const block = this.#scope.allocate(needed * 2);
    const address = addressOf(block);
    memory.bytes.copyWithin(address, this.address, this.address + kept);
    memory.release(this.#block);
    this.#block = block;
    this.address = address;
  }
}

/** Mixes a word into a hash; never 0. */
function mixed(hash: number, word: number): number {
  let value = Math.imul(hash ^ word, 0x9e3779b1);
  value ^= value >>> 15;
  value = Math.imul(value, 0x85ebca77);
  value ^= value >>> 13;
  return value >>> 0 || 1;
}
