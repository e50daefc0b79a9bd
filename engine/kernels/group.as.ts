/**
 * Group kernels: find, or make, the slot of each row's key. Open addressing, linear probing.
 *
 *     table (48 bytes, see group-kernels.ts)           slot: hash · flags · key · accumulators
 *
 * First all hashes, then all probes: the loads of the second loop do not wait for one another, and
 * the fewer instructions a row has, the more rows are under way while one waits for its slot. A key
 * that finds no room stops the call before anything of it is written.
 *
 * Tried and dropped:
 * - Keys up to 16 bytes hashed and compared without a branch (hash, length, first and last 8 bytes):
 *   10 to 15 % faster where the slots are in the cache, as much slower on new keys and whole jobs.
 * - Hashing in the probe loop: 5 to 15 % slower in large tables. Counting in it as well: 20 %.
 * - Loops of their own for no nulls and no selection, a copy of short keys without a call: level.
 * - The first slots of all rows without branches, then probing on for the misses: level on prose,
 *   10 % slower where the table is larger than the cache. Touching slots in the hash loop: level (in a
 *   loop of its own: 10 to 25 % faster in large tables).
 * - Slots of 24 bytes and accumulators, with a view for each key: with 16 keys of 8 bytes took a third
 *   less time in tables of 100,000 and a million groups.
 * - An index of hashes over groups in order of arrival: 20 to 50 % slower.
 */
import { copyText, hashRows, isSameTail, isValid, pairs, rowAt, views, words } from './inline.as';

/** The size byte of a key that is longer than 8 bytes. */
@inline const longSize: u32 = 255;
/** From here on, in bytes of slots, they are touched: a smaller table is in the core's own cache. */
@inline const touchedBytesMin: u32 = 2 * 1024 * 1024;

@inline const tableFull: u32 = 1;
@inline const arenaFull: u32 = 2;

export function findGroupsUtf8(
  table: usize, values: usize, validity: usize, selection: usize, fromRow: u32, rowCount: u32, outSlots: usize,
): u32 {
  const slots = <usize>load<u32>(table);
  const mask = load<u32>(table, 4);
  const stride = load<u32>(table, 8);
  const slotsEnd = slots + <usize>(mask + 1) * stride;
  const count = rowCount - fromRow;
  hashRows(views, values, validity, selection, fromRow, count, outSlots);
  touchSlots(table, outSlots, count);
  for (let index: u32 = 0; index < count; index++) {
    const out = outSlots + (<usize>index << 2);
    const row = rowAt(selection, fromRow + index);
    const hash = load<u32>(out);
    const view = values + (<usize>row << 4);
    const isNull = !isValid(validity, row);
    const head: u64 = isNull ? 0 : load<u64>(view);
    const isLong = <u32>head > 8;
    const size: u32 = isLong ? longSize : <u32>head;
    const key: u64 = isLong ? head : isNull ? 0 : load<u64>(view, 8);
    let slot = slots + <usize>(hash & mask) * stride;
    while (true) {
      const stored = load<u32>(slot);
      if (stored == hash && load<u8>(slot, 7) == size) {
        if (isLong ? isSameLong(slot, key) : load<u64>(slot, 8) == key) break;
      }
      if (stored == 0) {
        if (!insertView(table, slot, hash, key, size, isNull)) return index;
        break;
      }
      slot += stride;
      if (slot == slotsEnd) slot = slots;
    }
    store<u32>(out, <u32>slot);
  }
  store<u32>(table, 0, 28);
  return count;
}

/** Whether the long key of a slot has the length and the bytes of another. */
@inline function isSameLong(slot: usize, key: u64): bool {
  const stored = load<u64>(slot, 8);
  if (<u32>stored != <u32>key) return false;
  const a = <usize>(stored >>> 32);
  const b = <usize>(key >>> 32);
  return load<u64>(a) == load<u64>(b) && isSameTail(a, b, <u32>key);
}

function insertView(table: usize, slot: usize, hash: u32, key: u64, size: u32, isNull: bool): bool {
  if (!hasRoom(table)) return false;
  if (size == longSize) {
    const length = <u32>key;
    const arena = load<u32>(table, 20);
    const needed = (length + 7) & ~7;
    if (load<u32>(table, 24) - arena < needed) {
      store<u32>(table, arenaFull, 28);
      store<u32>(table, needed, 32);
      return false;
    }
    copyText(arena, <usize>(key >>> 32), length);
    store<u32>(table, arena + needed, 20);
    key = <u64>length | (<u64>arena << 32);
  }
  claim(table, slot, hash, u32(isNull) | (size << 24));
  store<u64>(slot, key, 8);
  return true;
}

/**
 * Loads the first slot of each row. The loads do not wait for one another, more of them than the probe
 * loop has under way, so in a large table that loop finds its slots in the cache.
 */
@inline function touchSlots(table: usize, hashes: usize, count: u32): void {
  const slots = <usize>load<u32>(table);
  const mask = load<u32>(table, 4);
  const stride = load<u32>(table, 8);
  if (mask * stride < touchedBytesMin) return;
  let sum: u32 = 0;
  for (let index: u32 = 0; index < count; index++) {
    const hash = load<u32>(hashes + (<usize>index << 2));
    sum += load<u32>(slots + <usize>(hash & mask) * stride);
  }
  // Kept, or the loop would be left out.
  store<u32>(table, sum, 40);
}

@inline function hasRoom(table: usize): bool {
  if (load<u32>(table, 12) < load<u32>(table, 16)) return true;
  store<u32>(table, tableFull, 28);
  return false;
}

@inline function claim(table: usize, slot: usize, hash: u32, flags: u32): void {
  store<u32>(table, load<u32>(table, 12) + 1, 12);
  store<u32>(slot, hash);
  store<u32>(slot, flags, 4);
}

export function findGroupsInt64(
  table: usize, values: usize, validity: usize, selection: usize, fromRow: u32, rowCount: u32, outSlots: usize,
): u32 {
  const slots = <usize>load<u32>(table);
  const mask = load<u32>(table, 4);
  const stride = load<u32>(table, 8);
  const slotsEnd = slots + <usize>(mask + 1) * stride;
  const count = rowCount - fromRow;
  hashRows(words, values, validity, selection, fromRow, count, outSlots);
  touchSlots(table, outSlots, count);
  for (let index: u32 = 0; index < count; index++) {
    const out = outSlots + (<usize>index << 2);
    const row = rowAt(selection, fromRow + index);
    const hash = load<u32>(out);
    const isNull = !isValid(validity, row);
    const key: u64 = isNull ? 0 : load<u64>(values + (<usize>row << 3));
    let slot = slots + <usize>(hash & mask) * stride;
    while (true) {
      const stored = load<u32>(slot);
      if (stored == hash && load<u64>(slot, 8) == key) break;
      if (stored == 0) {
        if (!hasRoom(table)) return index;
        claim(table, slot, hash, u32(isNull));
        store<u64>(slot, key, 8);
        break;
      }
      slot += stride;
      if (slot == slotsEnd) slot = slots;
    }
    store<u32>(out, <u32>slot);
  }
  store<u32>(table, 0, 28);
  return count;
}

export function findGroupsInt128(
  table: usize, values: usize, validity: usize, selection: usize, fromRow: u32, rowCount: u32, outSlots: usize,
): u32 {
  const slots = <usize>load<u32>(table);
  const mask = load<u32>(table, 4);
  const stride = load<u32>(table, 8);
  const slotsEnd = slots + <usize>(mask + 1) * stride;
  const count = rowCount - fromRow;
  hashRows(pairs, values, validity, selection, fromRow, count, outSlots);
  touchSlots(table, outSlots, count);
  for (let index: u32 = 0; index < count; index++) {
    const out = outSlots + (<usize>index << 2);
    const row = rowAt(selection, fromRow + index);
    const hash = load<u32>(out);
    const isNull = !isValid(validity, row);
    const low: u64 = isNull ? 0 : load<u64>(values + (<usize>row << 4));
    const high: u64 = isNull ? 0 : load<u64>(values + (<usize>row << 4), 8);
    let slot = slots + <usize>(hash & mask) * stride;
    while (true) {
      const stored = load<u32>(slot);
      if (stored == hash && load<u64>(slot, 8) == low && load<u64>(slot, 16) == high) break;
      if (stored == 0) {
        if (!hasRoom(table)) return index;
        claim(table, slot, hash, u32(isNull));
        store<u64>(slot, low, 8);
        store<u64>(slot, high, 16);
        break;
      }
      slot += stride;
      if (slot == slotsEnd) slot = slots;
    }
    store<u32>(out, <u32>slot);
  }
  store<u32>(table, 0, 28);
  return count;
}
