/**
 * Accumulator kernels of texts: the least, the greatest, the first or the last view of a group. The
 * table owns the bytes of what it keeps, in its arena:
 *
 *     cell    16 bytes view · u32 address of room · u32 size of room
 *
 * Another text of the group goes into the same room where it fits; a new room is a power of two, so
 * that rooms left behind take no more than those in use. The caller has made sure that the arena has
 * room for all rows of the call (`textRoomOf`).
 */
import { isViewBefore } from './cell-values.as';
import { copyText, flagValue, hasFlag, isValid, rowAt, slotAt } from './inline.as';

/** The room that a text of over 8 bytes is given. */
@inline function roomOf(length: u32): u32 {
  return max<u32>(16, <u32>(<u64>1 << (64 - clz<u64>(<u64>(length - 1)))));
}

/** Bytes of arena that any of the rows may need, all together. */
export function textRoomOf(values: usize, validity: usize, selection: usize, fromRow: u32, count: u32): f64 {
  let size: u64 = 0;
  for (let index: u32 = 0; index < count; index++) {
    const row = rowAt(selection, fromRow + index);
    const length = isValid(validity, row) ? load<u32>(values + (<usize>row << 4)) : 0;
    if (length > 8) size += roomOf(length);
  }
  return <f64>size;
}

@inline function keepText(table: usize, cell: usize, view: usize): void {
  const length = load<u32>(view);
  store<u64>(cell, load<u64>(view, 8), 8);
  if (length <= 8) {
    store<u64>(cell, <u64>length);
    return;
  }
  let room = <usize>load<u32>(cell, 16);
  if (load<u32>(cell, 20) < length) {
    room = <usize>load<u32>(table, 20);
    const size = roomOf(length);
    store<u32>(table, <u32>room + size, 20);
    store<u32>(cell, <u32>room, 16);
    store<u32>(cell, size, 20);
  }
  copyText(room, load<u32>(view, 4), length);
  store<u64>(cell, <u64>length | (<u64>room << 32));
}

export function accumulateMinText(
  table: usize, slots: usize, count: u32, offset: u32, flags: u32, flag: u32, values: usize, validity: usize,
  selection: usize, fromRow: u32,
): void {
  for (let index: u32 = 0; index < count; index++) {
    const row = rowAt(selection, fromRow + index);
    if (!isValid(validity, row)) continue;
    const slot = slotAt(slots, index);
    const view = values + (<usize>row << 4);
    if (hasFlag(slot + flags, flag) && !isViewBefore(view, slot + offset)) continue;
    keepText(table, slot + offset, view);
    flagValue(slot + flags, flag);
  }
}

export function accumulateMaxText(
  table: usize, slots: usize, count: u32, offset: u32, flags: u32, flag: u32, values: usize, validity: usize,
  selection: usize, fromRow: u32,
): void {
  for (let index: u32 = 0; index < count; index++) {
    const row = rowAt(selection, fromRow + index);
    if (!isValid(validity, row)) continue;
    const slot = slotAt(slots, index);
    const view = values + (<usize>row << 4);
    if (hasFlag(slot + flags, flag) && !isViewBefore(slot + offset, view)) continue;
    keepText(table, slot + offset, view);
    flagValue(slot + flags, flag);
  }
}

export function accumulateFirstText(
  table: usize, slots: usize, count: u32, offset: u32, flags: u32, flag: u32, values: usize, validity: usize,
  selection: usize, fromRow: u32,
): void {
  for (let index: u32 = 0; index < count; index++) {
    const row = rowAt(selection, fromRow + index);
    const slot = slotAt(slots, index);
    if (hasFlag(slot + flags, flag) || !isValid(validity, row)) continue;
    keepText(table, slot + offset, values + (<usize>row << 4));
    flagValue(slot + flags, flag);
  }
}

export function accumulateLastText(
  table: usize, slots: usize, count: u32, offset: u32, flags: u32, flag: u32, values: usize, validity: usize,
  selection: usize, fromRow: u32,
): void {
  for (let index: u32 = 0; index < count; index++) {
    const row = rowAt(selection, fromRow + index);
    if (!isValid(validity, row)) continue;
    const slot = slotAt(slots, index);
    keepText(table, slot + offset, values + (<usize>row << 4));
    flagValue(slot + flags, flag);
  }
}
