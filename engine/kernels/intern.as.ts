/**
 * Interning: values become numbers, each different value the next one, in the order in which they come:
 * a dictionary under construction. Texts are copied, so the entries outlive the batch they came from.
 *
 *     table    u32 per slot: entry + 1, or 0        entries   4, 8 or 16 bytes each, views of texts
 *
 * Resumable: `internLayout` (parquet-kernels.ts) has the room that there is. Who calls makes more, or ends.
 */
import { copyText, hashOfInt64, hashOfView, isSameTail } from './inline.as';

@inline const tableField: usize = 0;
@inline const maskField: usize = 4;
@inline const entriesField: usize = 8;
@inline const countField: usize = 12;
@inline const countMaxField: usize = 16;
@inline const textAtField: usize = 20;
@inline const textEndField: usize = 24;

export function internFixed(state: usize, values: usize, size: u32, count: u32, out: usize): u32 {
  for (let index: u32 = 0; index < count; index++) {
    const value = values + <usize>(index * size);
    const found = slotOfFixed(state, value, size);
    let entry = load<u32>(found);
    if (entry == 0) {
      entry = addEntry(state, found);
      if (entry == 0) return index;
      copyFixed(entryAt(state, entry, size), value, size);
    }
    store<u32>(out + (<usize>index << 2), entry - 1);
  }
  return count;
}

export function internTexts(state: usize, views: usize, count: u32, out: usize): u32 {
  for (let index: u32 = 0; index < count; index++) {
    const view = views + (<usize>index << 4);
    const found = slotOfText(state, view);
    let entry = load<u32>(found);
    if (entry == 0) {
      const size = load<u32>(view);
      const at = load<u32>(state, textAtField);
      const isLong = size > 8;
      if (isLong && size > load<u32>(state, textEndField) - at) return index;
      entry = addEntry(state, found);
      if (entry == 0) return index;
      const to = entryAt(state, entry, 16);
      v128.store(to, v128.load(view));
      if (isLong) {
        copyText(at, load<u32>(view, 4), size);
        store<u32>(to, at, 4);
        store<u32>(state, at + size, textAtField);
      }
    }
    store<u32>(out + (<usize>index << 2), entry - 1);
  }
  return count;
}

/** Fills the table, which is empty, with the entries; `isText` 1 for views. */
export function internAgain(state: usize, size: u32, isText: u32): void {
  const count = load<u32>(state, countField);
  for (let entry: u32 = 1; entry <= count; entry++) {
    const value = entryAt(state, entry, size);
    const slot = isText ? slotOfText(state, value) : slotOfFixed(state, value, size);
    store<u32>(slot, entry);
  }
}

@inline function entryAt(state: usize, entry: u32, size: u32): usize {
  return <usize>load<u32>(state, entriesField) + <usize>((entry - 1) * size);
}

/** Takes the next number; 0 when there is no room. */
@inline function addEntry(state: usize, slot: usize): u32 {
  const count = load<u32>(state, countField);
  if (count == load<u32>(state, countMaxField)) return 0;
  store<u32>(state, count + 1, countField);
  store<u32>(slot, count + 1);
  return count + 1;
}

@inline function copyFixed(to: usize, from: usize, size: u32): void {
  if (size == 8) store<u64>(to, load<u64>(from));
  else if (size == 4) store<u32>(to, load<u32>(from));
  else v128.store(to, v128.load(from));
}

@inline function low(value: usize, size: u32): u64 {
  return size == 4 ? <u64>load<u32>(value) : load<u64>(value);
}

/** The slot of the value, or the empty one where it belongs. */
@inline function slotOfFixed(state: usize, value: usize, size: u32): usize {
  const table = <usize>load<u32>(state, tableField);
  const mask = load<u32>(state, maskField);
  const word = low(value, size);
  const high = size == 16 ? load<u64>(value, 8) : 0;
  let slot = hashOfInt64(word + high * 31) & mask;
  let place = table + (<usize>slot << 2);
  for (let entry = load<u32>(place); entry != 0; entry = load<u32>(place)) {
    const other = entryAt(state, entry, size);
    if (low(other, size) == word && (size < 16 || load<u64>(other, 8) == high)) break;
    slot = (slot + 1) & mask;
    place = table + (<usize>slot << 2);
  }
  return place;
}

@inline function slotOfText(state: usize, view: usize): usize {
  const table = <usize>load<u32>(state, tableField);
  const mask = load<u32>(state, maskField);
  const size = load<u32>(view);
  const prefix = load<u64>(view, 8);
  let slot = hashOfView(view) & mask;
  let place = table + (<usize>slot << 2);
  for (let entry = load<u32>(place); entry != 0; entry = load<u32>(place)) {
    const other = entryAt(state, entry, 16);
    const isAlike = load<u32>(other) == size && load<u64>(other, 8) == prefix;
    if (isAlike && (size <= 8 || isSameTail(load<u32>(view, 4), load<u32>(other, 4), size))) break;
    slot = (slot + 1) & mask;
    place = table + (<usize>slot << 2);
  }
  return place;
}
