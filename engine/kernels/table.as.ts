/** Table kernels: walk, gather and move the slots of a group table, in slices. */
import { copyText, hasFlag, rowAt, slotAt } from './inline.as';

/**
 * Slots are read in stretches, the stretches from all over the table. Read from one end to the other, groups
 * come in the order of the slots that another table has for them: each time one that is partly full is filled
 * so from its beginning, the beginning runs full before the table grows, and probes walk through all of it.
 */
@inline const stretchSlots: u32 = 64;

/** An odd number near the golden section of the stretches: multiples of it are spread evenly at any time. */
@inline function stretchStep(stretchMask: u32): u32 {
  return (0x9e3779b9 >>> clz<u32>(stretchMask)) | 1;
}

export function occupiedSlots(
  table: usize, fromSlot: u32, slotsMax: u32, outSlots: usize, rowsMax: u32, result: usize,
): u32 {
  const slots = <usize>load<u32>(table);
  const capacity = load<u32>(table, 4) + 1;
  const stride = load<u32>(table, 8);
  const end = slotsMax < capacity - fromSlot ? fromSlot + slotsMax : capacity;
  const stretchMask = capacity / stretchSlots - 1;
  const step = stretchStep(stretchMask);
  let rows: u32 = 0;
  let at = fromSlot;
  while (at < end && rows < rowsMax) {
    const stretch = ((at / stretchSlots) * step) & stretchMask;
    const stretchEnd = min<u32>((at | (stretchSlots - 1)) + 1, end);
    let slot = slots + <usize>(stretch * stretchSlots + (at & (stretchSlots - 1))) * stride;
    for (; at < stretchEnd && rows < rowsMax; at++) {
      // Branch-free: an empty slot is written too, and overwritten by the next.
      store<u32>(outSlots + (<usize>rows << 2), <u32>slot);
      rows += u32(load<u32>(slot) != 0);
      slot += stride;
    }
  }
  store<u32>(result, at);
  return rows;
}

export function rehashSlots(from: usize, fromSlot: u32, slotsMax: u32, to: usize): u32 {
  const capacity = load<u32>(from, 4) + 1;
  const stride = load<u32>(from, 8);
  const slots = <usize>load<u32>(to);
  const mask = load<u32>(to, 4);
  const slotsEnd = slots + <usize>(mask + 1) * stride;
  const end = slotsMax < capacity - fromSlot ? fromSlot + slotsMax : capacity;
  let moved = load<u32>(to, 12);
  let source = <usize>load<u32>(from) + <usize>fromSlot * stride;
  for (let at = fromSlot; at < end; at++, source += stride) {
    const hash = load<u32>(source);
    if (hash == 0) continue;
    let target = slots + <usize>(hash & mask) * stride;
    while (load<u32>(target) != 0) {
      target += stride;
      if (target == slotsEnd) target = slots;
    }
    for (let byte: u32 = 0; byte < stride; byte += 8) store<u64>(target + byte, load<u64>(source + byte));
    moved++;
  }
  store<u32>(to, moved, 12);
  return end;
}

export function gather8(slots: usize, count: u32, offset: u32, out: usize): void {
  for (let index: u32 = 0; index < count; index++) {
    const slot = <usize>load<u32>(slots + (<usize>index << 2));
    store<u64>(out + (<usize>index << 3), load<u64>(slot + offset));
  }
}

export function gatherViews(slots: usize, count: u32, out: usize): void {
  for (let index: u32 = 0; index < count; index++) {
    const slot = slotAt(slots, index);
    const size = <u32>load<u8>(slot, 7);
    const key = load<u64>(slot, 8);
    const view = out + (<usize>index << 4);
    store<u64>(view, size > 8 ? key : <u64>size);
    store<u64>(view, size > 8 ? load<u64>(<usize>(key >>> 32)) : key, 8);
  }
}

export function gather16(slots: usize, count: u32, offset: u32, out: usize): void {
  for (let index: u32 = 0; index < count; index++) {
    const slot = <usize>load<u32>(slots + (<usize>index << 2));
    v128.store(out + (<usize>index << 4), v128.load(slot + offset));
  }
}

export function gatherFlags(
  slots: usize, count: u32, flags: u32, flag: u32, isInverted: u32, out: usize,
): u32 {
  let set: u32 = 0;
  for (let first: u32 = 0; first < count; first += 64) {
    const end = min<u32>(first + 64, count);
    let word: u64 = 0;
    for (let index = first; index < end; index++) {
      const slot = <usize>load<u32>(slots + (<usize>index << 2));
      const bit = u32(hasFlag(slot + flags, flag)) ^ isInverted;
      word |= <u64>bit << (index & 63);
    }
    store<u64>(out + (first >> 3), word);
    set += <u32>popcnt(word);
  }
  return set;
}

export function markArrivals(
  slots: usize, count: u32, offset: u32, selection: usize, fromRow: u32, bitmap: usize,
): void {
  for (let index: u32 = 0; index < count; index++) {
    const cell = slotAt(slots, index) + offset;
    if (load<u64>(cell) != 0) continue;
    store<u64>(cell, 1);
    const row = rowAt(selection, fromRow + index);
    const byte = bitmap + (row >> 3);
    store<u8>(byte, load<u8>(byte) | <u8>(<u32>1 << (row & 7)));
  }
}
