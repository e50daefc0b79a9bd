/**
 * Entry records: one entry of keyed state as bytes, the same in memory and on disk.
 *
 *     offset 0  u32 hash        of key and sub key, never 0
 *            4  u32 key size    the bytes of the key of the stream
 *            8  u32 sub size    of what tells entries of one key apart: an index, the key of a map
 *           12  u32 value size  0xffff_ffff: deleted
 *           16  u32 key group
 *           20  u32 capacity    bytes that the value has room for
 *           24  f64 expires at  in milliseconds; infinity for never
 *           32  key, sub key, then zeroes up to a multiple of 8
 *            …  value, up to a multiple of 8
 *
 * All is at multiples of 8, so that keys are compared by words.
 */
import type { SlotMemory } from '../memory/slot-memory.ts';

export const entryHeaderBytes = 32;
/** The value size of an entry that was deleted. */
export const deletedSize = 0xffff_ffff;

/** Words of the header. */
export const entryWord = {
  hash: 0,
  keySize: 1,
  subSize: 2,
  valueSize: 3,
  group: 4,
  capacity: 5,
} as const;
/** Where the expiry is, in words. */
const expiryWord = 6;

/** A key, and what comes behind it, as tables look it up. `address` is a multiple of 8; unused bytes of the last word are zero. */
export interface EntryKey {
  readonly address: number;
  readonly keySize: number;
  readonly subSize: number;
  readonly hash: number;
  readonly group: number;
}

export function padded(sizeBytes: number): number {
  return Math.ceil(sizeBytes / 8) * 8;
}

export function keyBytesOf({ uint32 }: SlotMemory, record: number): number {
  const word = record >>> 2;
  return uint32[word + entryWord.keySize]! + uint32[word + entryWord.subSize]!;
}

export function isDeleted({ uint32 }: SlotMemory, record: number): boolean {
  return uint32[(record >>> 2) + entryWord.valueSize] === deletedSize;
}

export function valueSizeIn({ uint32 }: SlotMemory, record: number): number {
  return uint32[(record >>> 2) + entryWord.valueSize]!;
}

export function valueAddressOf(memory: SlotMemory, record: number): number {
  return record + entryHeaderBytes + padded(keyBytesOf(memory, record));
}

export function expiryOf({ float64 }: SlotMemory, record: number): number {
  return float64[((record >>> 2) + expiryWord) >>> 1]!;
}

export function setExpiry({ float64 }: SlotMemory, record: number, expiresAtMs: number): void {
  float64[((record >>> 2) + expiryWord) >>> 1] = expiresAtMs;
}

/** Bytes of the record without room that its value does not use. */
export function imageBytesOf(memory: SlotMemory, record: number): number {
  const valueSize = valueSizeIn(memory, record);
  const valueBytes = valueSize === deletedSize ? 0 : padded(valueSize);
  return entryHeaderBytes + padded(keyBytesOf(memory, record)) + valueBytes;
}

/** Copies a record, without unused room, to another place; answers its bytes. */
export function copyImage(memory: SlotMemory, record: number, to: number): number {
  const sizeBytes = imageBytesOf(memory, record);
  const { bytes, uint32 } = memory;
  // Short ones, which most are, by words: a call of copyWithin costs as much as 20 of them.
  if (sizeBytes <= 96) {
    const [source, target] = [record >>> 2, to >>> 2];
    for (let word = 0; word < sizeBytes >>> 2; word++)
      uint32[target + word] = uint32[source + word]!;
  } else {
    bytes.copyWithin(to, record, record + sizeBytes);
  }
  const valueSize = valueSizeIn(memory, to);
  uint32[(to >>> 2) + entryWord.capacity] = valueSize === deletedSize ? 0 : padded(valueSize);
  return sizeBytes;
}

/** Whether the record at an address is that of a key. */
export function isOfKey({ uint32 }: SlotMemory, record: number, key: EntryKey): boolean {
  const word = record >>> 2;
  if (uint32[word] !== key.hash) return false;
  const { keySize, subSize } = key;
  if (uint32[word + entryWord.keySize] !== keySize) return false;
  if (uint32[word + entryWord.subSize] !== subSize) return false;
  const stored = (record + entryHeaderBytes) >>> 2;
  const given = key.address >>> 2;
  const words = (keySize + subSize + 3) >>> 2;
  for (let at = 0; at < words; at++) {
    if (uint32[stored + at] !== uint32[given + at]) return false;
  }
  return true;
}

/** The key of a record, to look it up elsewhere; one of these serves many records. */
export class RecordKey implements EntryKey {
  address = 0;
  keySize = 0;
  subSize = 0;
  hash = 0;
  group = 0;

  of({ uint32 }: SlotMemory, record: number): this {
    const word = record >>> 2;
    this.address = record + entryHeaderBytes;
    this.hash = uint32[word]!;
    this.keySize = uint32[word + entryWord.keySize]!;
    this.subSize = uint32[word + entryWord.subSize]!;
    this.group = uint32[word + entryWord.group]!;
    return this;
  }
}
