/**
 * Join kernels: a table from keys to rows of the build side, the pairs that a probe row makes, and the
 * rows that found a partner.
 *
 *     slots     key, row + 1 │ key, row + 1 │ 0, 0 │ …          keys of 8 bytes; open addressing, linear probing
 *               hash, row + 1 │ hash, row + 1 │ 0, 0 │ …        other keys
 *     keys      16 bytes per row                                read where the hash is equal
 *     next      row + 1 of the next row with the same key; 0    0: the last one
 *     filter    a bit for each hash that is there               four bits a slot; not all tables have one
 *
 * Rows are put in from the last to the first, so that a chain goes up. All hashes of a call come before
 * its probes: the loads of different rows then do not wait for one another.
 */
import { hashRows, isSameTail, isValid, pairs, rowAt, views, words } from './inline.as';

export function joinInsertUtf8(table: usize, values: usize, validity: usize, count: u32, first: u32): u32 {
  return insertRows(views, table, values, validity, count, first);
}

export function joinInsertInt64(table: usize, values: usize, validity: usize, count: u32, first: u32): u32 {
  return insertRows(words, table, values, validity, count, first);
}

export function joinInsertInt128(table: usize, values: usize, validity: usize, count: u32, first: u32): u32 {
  return insertRows(pairs, table, values, validity, count, first);
}

@inline function insertRows(
  form: u32, table: usize, values: usize, validity: usize, count: u32, first: u32,
): u32 {
  const slots = <usize>load<u32>(table);
  const mask = load<u32>(table, 4);
  const keys = <usize>load<u32>(table, 8);
  const next = <usize>load<u32>(table, 12);
  const hashes = <usize>load<u32>(table, 16);
  const filter = <usize>load<u32>(table, 20);
  let repeated: u32 = 0;
  hashRows(form, values, validity, 0, 0, count, hashes);
  for (let index = count; index-- > 0; ) {
    if (!isValid(validity, index)) continue;
    const row = first + index;
    const key = keyAt(form, values, index);
    if (form != words) v128.store(keys + (<usize>row << 4), v128.load(key));
    const hash = load<u32>(hashes + (<usize>index << 2));
    if (filter) addToFilter(filter, bitOf(hash, mask));
    let at = hash & mask;
    let after: u32 = 0;
    while (true) {
      const slot = slotAt(form, slots, at);
      after = rowIn(form, slot);
      if (after == 0 || hasKey(form, slot, keys, hash, key)) {
        if (form == words) store<u64>(slot, load<u64>(key));
        else store<u32>(slot, hash);
        store<u32>(slot + (form == words ? 8 : 4), row + 1);
        break;
      }
      at = (at + 1) & mask;
    }
    store<u32>(next + (<usize>row << 2), after);
    repeated += u32(after != 0);
  }
  return repeated;
}

/** The slot takes the low bits of a hash, so the filter takes others. */
@inline function bitOf(hash: u32, mask: u32): u32 {
  return (hash * 0x9e3779b1) >>> (<u32>clz(mask) - 2);
}

@inline function addToFilter(filter: usize, bit: u32): void {
  const byte = filter + <usize>(bit >>> 3);
  store<u8>(byte, load<u8>(byte) | <u8>(<u32>1 << (bit & 7)));
}

/** Lists the places of rows whose hash may be there; answers how many. */
@inline function filtered(filter: usize, mask: u32, hashes: usize, count: u32, out: usize): u32 {
  let found: u32 = 0;
  for (let index: u32 = 0; index < count; index++) {
    const bit = bitOf(load<u32>(hashes + (<usize>index << 2)), mask);
    store<u32>(out + (<usize>found << 2), index);
    found += (<u32>load<u8>(filter + <usize>(bit >>> 3)) >>> (bit & 7)) & 1;
  }
  return found;
}

@inline function slotAt(form: u32, slots: usize, at: u32): usize {
  return slots + (<usize>at << (form == words ? 4 : 3));
}

/** Row + 1 of the first row with the slot's key. */
@inline function rowIn(form: u32, slot: usize): u32 {
  return form == words ? load<u32>(slot, 8) : load<u32>(slot, 4);
}

/** Whether a slot that is not empty has the key. */
@inline function hasKey(form: u32, slot: usize, keys: usize, hash: u32, key: usize): bool {
  if (form == words) return load<u64>(slot) == load<u64>(key);
  return load<u32>(slot) == hash && isSameKey(form, keys, load<u32>(slot, 4) - 1, key);
}

@inline function isSameKey(form: u32, keys: usize, row: u32, key: usize): bool {
  const stored = keys + (<usize>row << 4);
  if (load<u64>(stored, 8) != load<u64>(key, 8)) return false;
  const head = load<u64>(stored);
  const wanted = load<u64>(key);
  if (head == wanted) return true;
  if (form == pairs) return false;
  const length = <u32>wanted;
  if (length <= 8 || <u32>head != length) return false;
  return isSameTail(<usize>(head >>> 32), <usize>(wanted >>> 32), length);
}

export function joinFindUtf8(
  table: usize, values: usize, validity: usize, selection: usize, count: u32, outHeads: usize,
): u32 {
  return findRows(views, table, values, validity, selection, count, outHeads);
}

export function joinFindInt64(
  table: usize, values: usize, validity: usize, selection: usize, count: u32, outHeads: usize,
): u32 {
  return findRows(words, table, values, validity, selection, count, outHeads);
}

export function joinFindInt128(
  table: usize, values: usize, validity: usize, selection: usize, count: u32, outHeads: usize,
): u32 {
  return findRows(pairs, table, values, validity, selection, count, outHeads);
}

/**
 * Three loops behind the filter: the first slots of all rows, the keys of those whose hash is there, then the
 * rest. The first two have no branch that waits for a load, so the loads of many rows are under way at once.
 */
@inline function findRows(
  form: u32, table: usize, values: usize, validity: usize, selection: usize, count: u32, outHeads: usize,
): u32 {
  const slots = <usize>load<u32>(table);
  const mask = load<u32>(table, 4);
  const keys = <usize>load<u32>(table, 8);
  const hashes = <usize>load<u32>(table, 16);
  const others = hashes + (<usize>count << 2);
  const filter = <usize>load<u32>(table, 20);
  hashRows(form, values, validity, selection, 0, count, hashes);
  if (filter) memory.fill(outHeads, 0, <usize>count << 2);
  const placeCount = filter ? filtered(filter, mask, hashes, count, others) : count;
  let otherCount: u32 = 0;
  for (let place: u32 = 0; place < placeCount; place++) {
    // What is listed again is listed where it was, or before.
    const index = filter ? load<u32>(others + (<usize>place << 2)) : place;
    const hash = load<u32>(hashes + (<usize>index << 2));
    const row = rowAt(selection, index);
    const slot = slotAt(form, slots, hash & mask);
    const head = rowIn(form, slot);
    const isThere = form == words
      ? u32(load<u64>(slot) == load<u64>(keyAt(form, values, row)))
      : u32(load<u32>(slot) == hash);
    const mayBe = u32(isValid(validity, row)) & u32(head != 0);
    const isOther = mayBe & (isThere ^ 1);
    store<u32>(outHeads + (<usize>index << 2), head * (mayBe & isThere));
    store<u32>(others + (<usize>otherCount << 2), index);
    otherCount += isOther;
  }
  for (let index: u32 = 0; index < (form == words ? 0 : count); index++) {
    const out = outHeads + (<usize>index << 2);
    const head = load<u32>(out);
    if (head == 0 || isSameKey(form, keys, head - 1, keyAt(form, values, rowAt(selection, index)))) continue;
    store<u32>(others + (<usize>otherCount << 2), index);
    otherCount++;
  }
  for (let place: u32 = 0; place < otherCount; place++) {
    const index = load<u32>(others + (<usize>place << 2));
    const key = keyAt(form, values, rowAt(selection, index));
    const hash = load<u32>(hashes + (<usize>index << 2));
    let at = hash & mask;
    let head: u32 = 0;
    while (true) {
      const slot = slotAt(form, slots, at);
      head = rowIn(form, slot);
      if (head == 0 || hasKey(form, slot, keys, hash, key)) break;
      at = (at + 1) & mask;
    }
    store<u32>(outHeads + (<usize>index << 2), head);
  }
  let found: u32 = 0;
  for (let index: u32 = 0; index < count; index++) {
    found += u32(load<u32>(outHeads + (<usize>index << 2)) != 0);
  }
  return found;
}

@inline function keyAt(form: u32, values: usize, row: u32): usize {
  return values + (<usize>row << (form == words ? 3 : 4));
}

export function joinPairs(
  state: usize, heads: usize, selection: usize, rowCount: u32, next: usize, nullNumber: u32,
  outProbe: usize, outBuild: usize, pairsMax: u32,
): u32 {
  let index = load<u32>(state);
  let link = load<u32>(state, 4);
  let made: u32 = 0;
  while (index < rowCount && made < pairsMax) {
    const row = rowAt(selection, index);
    if (link == 0) link = load<u32>(heads + (<usize>index << 2));
    // Without a partner a row is written too, and written over by the next unless it is wanted.
    store<u32>(outProbe + (<usize>made << 2), row);
    store<u32>(outBuild + (<usize>made << 2), link ? link - 1 : nullNumber);
    made += u32(link != 0 || nullNumber != <u32>-1);
    link = link && next ? load<u32>(next + (<usize>(link - 1) << 2)) : 0;
    index += u32(link == 0);
  }
  store<u32>(state, index);
  store<u32>(state, link, 4);
  return made;
}

export function markRows(bitmap: usize, rows: usize, count: u32): void {
  for (let index: u32 = 0; index < count; index++) {
    const row = load<u32>(rows + (<usize>index << 2));
    const byte = bitmap + <usize>(row >> 3);
    store<u8>(byte, load<u8>(byte) | <u8>(<u32>1 << (row & 7)));
  }
}

export function rowsByMark(
  bitmap: usize, selection: usize, fromRow: u32, rowCount: u32, wanted: u32, out: usize,
): u32 {
  let found: u32 = 0;
  for (let index = fromRow; index < rowCount; index++) {
    const row = rowAt(selection, index);
    const bit = (<u32>load<u8>(bitmap + <usize>(row >> 3)) >> (row & 7)) & 1;
    store<u32>(out + (<usize>found << 2), row);
    found += u32(bit == wanted);
  }
  return found;
}

export function rowsByHead(heads: usize, selection: usize, rowCount: u32, wanted: u32, out: usize): u32 {
  let found: u32 = 0;
  for (let index: u32 = 0; index < rowCount; index++) {
    const hasPartner = u32(load<u32>(heads + (<usize>index << 2)) != 0);
    store<u32>(out + (<usize>found << 2), rowAt(selection, index));
    found += u32(hasPartner == wanted);
  }
  return found;
}

export function appendBits(from: usize, rows: usize, count: u32, out: usize, start: u32): void {
  for (let index: u32 = 0; index < count; index++) {
    const row = rowAt(rows, index);
    const bit = from ? (<u32>load<u8>(from + <usize>(row >> 3)) >> (row & 7)) & 1 : 1;
    const at = start + index;
    const byte = out + <usize>(at >> 3);
    const kept = <u32>load<u8>(byte) & ~(<u32>1 << (at & 7));
    store<u8>(byte, <u8>(kept | (bit << (at & 7))));
  }
}
