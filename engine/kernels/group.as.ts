/**
 * Group kernels: find, or make, the slot of each row's key. Open addressing, linear probing.
 *
 *     pass 1   every row, no branches: hash, first slot, compare ──▶ its address
 *                                                     └─ differs ──▶ list of misses
 *     pass 2   the misses, in order: probe on, compare long keys, insert
 *
 * Most keys are short, known, and in their first slot. Without branches the loads of pass 1 do not
 * wait for one another, nor for a mispredicted length; a table that no cache holds gains most. A key
 * without room stops pass 2 before anything of it is written, and rows before it are done.
 */
import { hashOfInt64, hashOfShort, hashOfView, isSameTail, isValid, nullHash, rowAt } from './inline.as';

@inline const tableFull: u32 = 1;
@inline const arenaFull: u32 = 2;

export function findGroupsUtf8(
  table: usize, values: usize, validity: usize, selection: usize, fromRow: u32, rowCount: u32, outSlots: usize,
): u32 {
  const count = rowCount - fromRow;
  const misses = outSlots + (<usize>count << 2);
  const missCount = matchFirstViews(table, values, validity, selection, fromRow, count, outSlots, misses);
  for (let miss: u32 = 0; miss < missCount; miss++) {
    const index = load<u32>(misses + (<usize>miss << 2));
    const row = rowAt(selection, fromRow + index);
    const slot = placeView(table, values + (<usize>row << 4), !isValid(validity, row));
    if (slot == 0) return index;
    store<u32>(outSlots + (<usize>index << 2), <u32>slot);
  }
  store<u32>(table, 0, 28);
  return count;
}

/** Pass 1: writes first slots, and the indexes of rows that are not settled by them. */
@inline function matchFirstViews(
  table: usize, values: usize, validity: usize, selection: usize, fromRow: u32, count: u32, outSlots: usize, misses: usize,
): u32 {
  const slots = <usize>load<u32>(table);
  const mask = load<u32>(table, 4);
  const stride = load<u32>(table, 8);
  let missCount: u32 = 0;
  for (let index: u32 = 0; index < count; index++) {
    const row = rowAt(selection, fromRow + index);
    const view = values + (<usize>row << 4);
    const head = load<u64>(view);
    const prefix = load<u64>(view, 8);
    // Wrong for a long key, which then differs by its address, or by chance is the very same view.
    const hash = hashOfShort(prefix, <u32>head);
    const slot = slots + <usize>(hash & mask) * stride;
    const differs = (load<u64>(slot, 8) ^ head) | (load<u64>(slot, 16) ^ prefix) | <u64>(load<u32>(slot) ^ hash);
    store<u32>(outSlots + (<usize>index << 2), <u32>slot);
    store<u32>(misses + (<usize>missCount << 2), index);
    missCount += u32(differs != 0) | u32(!isValid(validity, row));
  }
  return missCount;
}

/** Pass 2: the slot of a key, found or made; 0 when there is no room. */
function placeView(table: usize, view: usize, isNull: bool): usize {
  const slots = <usize>load<u32>(table);
  const mask = load<u32>(table, 4);
  const stride = load<u32>(table, 8);
  const slotsEnd = slots + <usize>(mask + 1) * stride;
  const hash = isNull ? nullHash : hashOfView(view);
  const head: u64 = isNull ? 0 : load<u64>(view);
  const prefix: u64 = isNull ? 0 : load<u64>(view, 8);
  let slot = slots + <usize>(hash & mask) * stride;
  while (true) {
    const stored = load<u32>(slot);
    if (stored == hash && load<u64>(slot, 16) == prefix && isSameView(slot, head)) return slot;
    if (stored == 0) return insertView(table, slot, hash, head, prefix, isNull) ? slot : 0;
    slot += stride;
    if (slot == slotsEnd) slot = slots;
  }
}

/** Compares the rest of a key whose hash and first 8 bytes are equal. */
@inline function isSameView(slot: usize, head: u64): bool {
  const stored = load<u64>(slot, 8);
  if (stored == head) return true;
  const length = <u32>head;
  if (length <= 8 || <u32>stored != length) return false;
  return isSameTail(<usize>(stored >>> 32), <usize>(head >>> 32), length);
}

function insertView(table: usize, slot: usize, hash: u32, head: u64, prefix: u64, isNull: bool): bool {
  const length = <u32>head;
  if (!hasRoom(table)) return false;
  if (length > 8) {
    const arena = load<u32>(table, 20);
    const needed = (length + 7) & ~7;
    if (load<u32>(table, 24) - arena < needed) {
      store<u32>(table, arenaFull, 28);
      store<u32>(table, needed, 32);
      return false;
    }
    memory.copy(arena, <usize>(head >>> 32), length);
    store<u32>(table, arena + needed, 20);
    head = <u64>length | (<u64>arena << 32);
  }
  claim(table, slot, hash, isNull);
  store<u64>(slot, head, 8);
  store<u64>(slot, prefix, 16);
  return true;
}

@inline function hasRoom(table: usize): bool {
  if (load<u32>(table, 12) < load<u32>(table, 16)) return true;
  store<u32>(table, tableFull, 28);
  return false;
}

@inline function claim(table: usize, slot: usize, hash: u32, isNull: bool): void {
  store<u32>(table, load<u32>(table, 12) + 1, 12);
  store<u32>(slot, hash);
  store<u32>(slot, u32(isNull), 4);
}

export function findGroupsInt64(
  table: usize, values: usize, validity: usize, selection: usize, fromRow: u32, rowCount: u32, outSlots: usize,
): u32 {
  const count = rowCount - fromRow;
  const misses = outSlots + (<usize>count << 2);
  const missCount = matchFirstInt64s(table, values, validity, selection, fromRow, count, outSlots, misses);
  for (let miss: u32 = 0; miss < missCount; miss++) {
    const index = load<u32>(misses + (<usize>miss << 2));
    const row = rowAt(selection, fromRow + index);
    const isNull = !isValid(validity, row);
    const key: u64 = isNull ? 0 : load<u64>(values + (<usize>row << 3));
    const slot = placeInt64(table, isNull ? nullHash : hashOfInt64(key), key, isNull);
    if (slot == 0) return index;
    store<u32>(outSlots + (<usize>index << 2), <u32>slot);
  }
  store<u32>(table, 0, 28);
  return count;
}

@inline function matchFirstInt64s(
  table: usize, values: usize, validity: usize, selection: usize, fromRow: u32, count: u32, outSlots: usize, misses: usize,
): u32 {
  const slots = <usize>load<u32>(table);
  const mask = load<u32>(table, 4);
  const stride = load<u32>(table, 8);
  let missCount: u32 = 0;
  for (let index: u32 = 0; index < count; index++) {
    const row = rowAt(selection, fromRow + index);
    const key = load<u64>(values + (<usize>row << 3));
    const hash = hashOfInt64(key);
    const slot = slots + <usize>(hash & mask) * stride;
    const differs = (load<u64>(slot, 8) ^ key) | <u64>(load<u32>(slot) ^ hash);
    store<u32>(outSlots + (<usize>index << 2), <u32>slot);
    store<u32>(misses + (<usize>missCount << 2), index);
    missCount += u32(differs != 0) | u32(!isValid(validity, row));
  }
  return missCount;
}

function placeInt64(table: usize, hash: u32, key: u64, isNull: bool): usize {
  const slots = <usize>load<u32>(table);
  const mask = load<u32>(table, 4);
  const stride = load<u32>(table, 8);
  const slotsEnd = slots + <usize>(mask + 1) * stride;
  let slot = slots + <usize>(hash & mask) * stride;
  while (true) {
    const stored = load<u32>(slot);
    if (stored == hash && load<u64>(slot, 8) == key) return slot;
    if (stored == 0) {
      if (!hasRoom(table)) return 0;
      claim(table, slot, hash, isNull);
      store<u64>(slot, key, 8);
      return slot;
    }
    slot += stride;
    if (slot == slotsEnd) slot = slots;
  }
}
