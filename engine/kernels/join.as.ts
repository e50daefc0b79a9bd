/**
 * Join kernels: a table from keys to rows of the build side, the pairs that a probe row makes, and the
 * rows that found a partner.
 *
 *     slots     hash, row + 1 │ hash, row + 1 │ 0, 0 │ …        open addressing, linear probing
 *     keys      8 or 16 bytes per row                           read where the hash is equal
 *     next      row + 1 of the next row with the same key; 0    0: the last one
 *
 * Rows are put in from the last to the first, so that a chain goes up. All hashes of a call come before
 * its probes: the loads of different rows then do not wait for one another.
 */
import { hashRows, isSameTail, isValid, pairs, rowAt, views, words } from './inline.as';

export function joinInsertUtf8(
  table: usize, values: usize, validity: usize, count: u32, first: u32, hashes: usize,
): u32 {
  return insertRows(views, table, values, validity, count, first, hashes);
}

export function joinInsertInt64(
  table: usize, values: usize, validity: usize, count: u32, first: u32, hashes: usize,
): u32 {
  return insertRows(words, table, values, validity, count, first, hashes);
}

export function joinInsertInt128(
  table: usize, values: usize, validity: usize, count: u32, first: u32, hashes: usize,
): u32 {
  return insertRows(pairs, table, values, validity, count, first, hashes);
}

@inline function insertRows(
  form: u32, table: usize, values: usize, validity: usize, count: u32, first: u32, hashes: usize,
): u32 {
  const slots = <usize>load<u32>(table);
  const mask = load<u32>(table, 4);
  const keys = <usize>load<u32>(table, 8);
  const next = <usize>load<u32>(table, 12);
  let repeated: u32 = 0;
  hashRows(form, values, validity, 0, 0, count, hashes);
  for (let index = count; index-- > 0; ) {
    if (!isValid(validity, index)) continue;
    const row = first + index;
    const key = values + (<usize>index << (form == words ? 3 : 4));
    if (form == words) store<u64>(keys + (<usize>row << 3), load<u64>(key));
    else v128.store(keys + (<usize>row << 4), v128.load(key));
    const hash = load<u32>(hashes + (<usize>index << 2));
    let at = hash & mask;
    let after: u32 = 0;
    while (true) {
      const slot = slots + (<usize>at << 3);
      after = load<u32>(slot, 4);
      if (after == 0 || (load<u32>(slot) == hash && isSameKey(form, keys, after - 1, key))) {
        store<u32>(slot, hash);
        store<u32>(slot, row + 1, 4);
        break;
      }
      at = (at + 1) & mask;
    }
    store<u32>(next + (<usize>row << 2), after);
    repeated += u32(after != 0);
  }
  return repeated;
}

@inline function isSameKey(form: u32, keys: usize, row: u32, key: usize): bool {
  if (form == words) return load<u64>(keys + (<usize>row << 3)) == load<u64>(key);
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

@inline function findRows(
  form: u32, table: usize, values: usize, validity: usize, selection: usize, count: u32, outHeads: usize,
): u32 {
  const slots = <usize>load<u32>(table);
  const mask = load<u32>(table, 4);
  const keys = <usize>load<u32>(table, 8);
  let found: u32 = 0;
  hashRows(form, values, validity, selection, 0, count, outHeads);
  for (let index: u32 = 0; index < count; index++) {
    const out = outHeads + (<usize>index << 2);
    const row = rowAt(selection, index);
    let head: u32 = 0;
    if (isValid(validity, row)) {
      const key = values + (<usize>row << (form == words ? 3 : 4));
      const hash = load<u32>(out);
      let at = hash & mask;
      while (true) {
        const slot = slots + (<usize>at << 3);
        head = load<u32>(slot, 4);
        if (head == 0) break;
        if (load<u32>(slot) == hash && isSameKey(form, keys, head - 1, key)) break;
        at = (at + 1) & mask;
      }
    }
    store<u32>(out, head);
    found += u32(head != 0);
  }
  return found;
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
