/**
 * What all kernels share: selection, validity, views and hashes. Only inlined functions and constants,
 * so nothing of this file appears in the module.
 *
 * The hash is multiply, xorshift, multiply over 64 bits; its high 32 are kept. A bare multiplication
 * gave 14 to 138 probes on structured keys. Tables take the low bits of it, key groups the high ones,
 * so that the keys of one key group still spread over a whole table.
 */

/** Hash of a null key. No other key has both this hash and 16 zero bytes (tested). */
@inline export const nullHash: u32 = 0x6b2a51f7;
@inline const first64: u64 = 0x9e3779b97f4a7c15;
@inline const second64: u64 = 0xd6e8feb86659fd93;
@inline const length64: u64 = 0xff51afd7ed558ccd;

/** The stored row at a place of the selection. */
@inline export function rowAt(selection: usize, index: u32): u32 {
  return selection ? load<u32>(selection + (<usize>index << 2)) : index;
}

@inline export function isValid(validity: usize, row: u32): bool {
  return validity == 0 || ((<u32>load<u8>(validity + (row >> 3)) >> (row & 7)) & 1) != 0;
}

/** Keeps the first `length` bytes of a little-endian word; 1 to 8. */
@inline export function keepBytes(word: u64, length: u32): u64 {
  return word & (<u64>-1 >> <u64>(64 - (length << 3)));
}

/**
 * Copies a text of more than 8 bytes. Words of a language are copied here: `memory.copy` is a call out
 * of the module. The last 8 bytes overlap those before, so nothing is written past the end.
 */
@inline export function copyText(to: usize, from: usize, length: u32): void {
  if (length > 64) {
    memory.copy(to, from, length);
    return;
  }
  const last = length - 8;
  for (let done: u32 = 0; done < last; done += 8) store<u64>(to + done, load<u64>(from + done));
  store<u64>(to + last, load<u64>(from + last));
}

/** Writes the view of the bytes at `from`; short ones go into the view. */
@inline export function storeView(view: usize, from: usize, length: u32): void {
  const bytes = load<u64>(from);
  const isShort = length <= 8;
  store<u64>(view, <u64>length | (isShort ? 0 : <u64>from << 32));
  store<u64>(view, isShort ? (length ? keepBytes(bytes, length) : 0) : bytes, 8);
}

@inline function finishHash(mixed: u64): u32 {
  const folded = (mixed ^ (mixed >>> 32)) * second64;
  const hash = <u32>(folded >>> 32);
  return hash | u32(hash == 0);
}

@inline export function hashOfInt64(key: u64): u32 {
  return finishHash((key ^ length64) * first64);
}

@inline export function hashOfShort(prefix: u64, length: u32): u32 {
  return finishHash((prefix + <u64>length * length64) * first64);
}

/** Hash of more than 8 bytes; the last word overlaps the one before, so nothing is masked. */
export function hashOfLong(address: usize, length: u32): u32 {
  let mixed: u64 = <u64>length * length64;
  const last = address + length - 8;
  while (address < last) {
    mixed = rotl<u64>((mixed ^ load<u64>(address)) * first64, 29);
    address += 8;
  }
  return finishHash((mixed ^ load<u64>(last)) * first64);
}

@inline export function hashOfView(view: usize): u32 {
  const length = load<u32>(view);
  return length <= 8
    ? hashOfShort(load<u64>(view, 8), length)
    : hashOfLong(load<u32>(view, 4), length);
}

/** Forms of keys: a view, 8 bytes, 16 bytes. */
@inline export const views: u32 = 0;
@inline export const words: u32 = 1;
@inline export const pairs: u32 = 2;

/** Hashes of keys of a form, of rows from `fromRow` on. */
@inline export function hashRows(
  form: u32, values: usize, validity: usize, selection: usize, fromRow: u32, count: u32, out: usize,
): void {
  for (let index: u32 = 0; index < count; index++) {
    const row = rowAt(selection, fromRow + index);
    let hash = nullHash;
    if (isValid(validity, row)) {
      if (form == views) hash = hashOfView(values + (<usize>row << 4));
      else if (form == words) hash = hashOfInt64(load<u64>(values + (<usize>row << 3)));
      else hash = hashOfLong(values + (<usize>row << 4), 16);
    }
    store<u32>(out + (<usize>index << 2), hash);
  }
}

/** Whether two runs of `length` bytes, more than 8, are equal after their first 8. */
export function isSameTail(a: usize, b: usize, length: u32): bool {
  const last = a + length - 8;
  for (a += 8, b += 8; a < last; a += 8, b += 8) {
    if (load<u64>(a) != load<u64>(b)) return false;
  }
  return load<u64>(last) == load<u64>(b + last - a);
}

/** The slot of a row, as a find call wrote it. */
@inline export function slotAt(slots: usize, index: u32): usize {
  return load<u32>(slots + (<usize>index << 2));
}

@inline export function hasFlag(flags: usize, flag: u32): bool {
  return (load<u32>(flags) & flag) != 0;
}

/** Marks that an accumulator has a value. */
@inline export function flagValue(flags: usize, flag: u32): void {
  store<u32>(flags, load<u32>(flags) | flag);
}
