/**
 * Entries of keyed state (engine/state/entry-record.ts): listed by slot, laid out as rows of a snapshot, and merged into another
 * table. Each loop's steps do not depend on each other, so that the processor loads many entries from far memory at once.
 */
import { copyText, storeView } from './inline.as';

@inline const deletedSize: u32 = 0xffffffff;
@inline const headerBytes: usize = 32;
/** Odd, so that its multiples come to each slot once. */
@inline const slotStep: u32 = 0x9e3779b1;

/** Slots whose entries stay in a core's own caches. */
@inline const touched: u32 = 64;

@inline function padded(size: u32): u32 {
  return (size + 7) & ~7;
}

export function listEntries(
  slots: usize,
  mask: u32,
  fromStep: u32,
  steps: u32,
  out: usize,
): u32 {
  let at = out;
  for (let step: u32 = 0; step < steps; step++) {
    const slot = ((fromStep + step) * slotStep) & mask;
    const record = load<u32>(slots + (<usize>slot << 3), 4);
    store<u32>(at, record);
    at += record ? 4 : 0;
  }
  // Whoever lists records reads them next.
  let sum: u32 = 0;
  for (let place = out; place < at; place += 4) sum += load<u32>(<usize>load<u32>(place) << 3);
  store<u32>(at, sum);
  return <u32>(at - out) >>> 2;
}

export function entryRows(
  records: usize,
  count: u32,
  columns: usize,
  fromRow: u32,
  text: usize,
  textEnd: usize,
): usize {
  const groups = <usize>load<u32>(columns);
  const hashes = <usize>load<u32>(columns, 4);
  const keys = <usize>load<u32>(columns, 8);
  const subKeys = <usize>load<u32>(columns, 12);
  const values = <usize>load<u32>(columns, 16);
  const expiries = <usize>load<u32>(columns, 20);
  const validity = <usize>load<u32>(columns, 24);
  let done: u32 = 0;
  for (; done < count; done++) {
    const record = <usize>load<u32>(records + (<usize>done << 2)) << 3;
    const keySize = load<u32>(record, 4);
    const subSize = load<u32>(record, 8);
    const size = load<u32>(record, 12);
    const isDeleted = size == deletedSize;
    const valueSize = isDeleted ? 0 : size;
    if (text + <usize>keySize + <usize>subSize + <usize>valueSize > textEnd) break;
    const row = <usize>(fromRow + done);
    store<u32>(groups + (row << 2), load<u32>(record, 16));
    store<u32>(hashes + (row << 2), load<u32>(record));
    store<u64>(expiries + (row << 3), load<u64>(record, 24));
    const key = record + headerBytes;
    text = putBytes(keys + (row << 4), key, keySize, text);
    text = putBytes(subKeys + (row << 4), key + <usize>keySize, subSize, text);
    const value = key + <usize>padded(keySize + subSize);
    text = putBytes(values + (row << 4), value, valueSize, text);
    if (isDeleted) {
      const byte = validity + (row >> 3);
      store<u8>(byte, load<u8>(byte) & ~(<u8>1 << <u8>(row & 7)));
    }
  }
  store<u32>(columns, done, 28);
  return text;
}

/** The view of a copy of bytes, which only long ones need; answers where the next copy goes. */
@inline function putBytes(view: usize, from: usize, size: u32, text: usize): usize {
  if (size <= 8) {
    storeView(view, from, size);
    return text;
  }
  copyText(text, from, size);
  storeView(view, text, size);
  return text + <usize>size;
}

export function mergeEntries(
  slots: usize,
  slotCount: u32,
  into: usize,
  mask: u32,
  nowMs: f64,
  left: usize,
): u32 {
  let leftCount: u32 = 0;
  const pairs = left + (<usize>slotCount << 2);
  for (let from: u32 = 0; from < slotCount; from += touched) {
    const end = min(from + touched, slotCount);
    const count = findTargets(slots, from, end, into, mask, pairs);
    for (let at: u32 = 0; at < count; at++) {
      const pair = pairs + (<usize>at << 3);
      const record = <usize>load<u32>(pair) << 3;
      let target = <usize>load<u32>(pair, 4) << 3;
      // Another key may have the same hash.
      if (target != 0 && !hasSameKey(target, record)) target = recordLike(record, into, mask);
      if (target != 0 && canReplace(target, record, nowMs)) {
        replaceValue(target, record);
        continue;
      }
      store<u32>(left + (<usize>leftCount << 2), <u32>(record >> 3));
      leftCount++;
    }
  }
  return leftCount;
}

/** Neither deleted entries nor those that have no room in the old one's place; expired ones may have that. */
@inline function canReplace(target: usize, record: usize, nowMs: f64): bool {
  return load<u32>(record, 12) <= load<u32>(target, 20) && load<f64>(record, 24) > nowMs;
}

@inline function replaceValue(target: usize, record: usize): void {
  const size = load<u32>(record, 12);
  store<u32>(target, size, 12);
  store<u64>(target, load<u64>(record, 24), 24);
  const start = headerBytes + <usize>padded(load<u32>(record, 4) + load<u32>(record, 8));
  const end = start + <usize>padded(size);
  for (let at = start; at < end; at += 8) store<u64>(target + at, load<u64>(record + at));
}

/**
 * Pairs of records / 8: of the entries in a few slots, and the first that another table has of the same hash, or 0. Loops are so
 * short that many loads are under way at once: the slots first, then the records that they lead to, which are compared next.
 */
@inline function findTargets(
  slots: usize,
  from: u32,
  end: u32,
  into: usize,
  mask: u32,
  pairs: usize,
): u32 {
  let next = pairs;
  let sum: u32 = 0;
  for (let slot = from; slot < end; slot++) {
    const place = slots + (<usize>slot << 3);
    const hash = load<u32>(place);
    store<u32>(next, load<u32>(place, 4));
    store<u32>(next, hash, 4);
    next += hash ? 8 : 0;
    if (into) sum += load<u32>(into + (<usize>(hash & mask) << 3));
  }
  for (let pair = pairs; pair < next; pair += 8) {
    const hash = load<u32>(pair, 4);
    const target = into ? firstOfHash(hash, into, mask) : 0;
    store<u32>(pair, target, 4);
    const record = <usize>target << 3;
    sum += load<u32>(<usize>load<u32>(pair) << 3) + load<u32>(record) + load<u32>(record, 40);
  }
  // Kept, or what is loaded ahead would be left out.
  store<u32>(next, sum);
  return <u32>(next - pairs) >>> 3;
}

@inline function firstOfHash(hash: u32, slots: usize, mask: u32): u32 {
  let slot = hash & mask;
  let stored = load<u32>(slots + (<usize>slot << 3));
  while (stored != 0 && stored != hash) {
    slot = (slot + 1) & mask;
    stored = load<u32>(slots + (<usize>slot << 3));
  }
  return load<u32>(slots + (<usize>slot << 3), 4);
}

/** The record of a table's key group that has the same key; 0 when there is none. */
function recordLike(record: usize, slots: usize, mask: u32): usize {
  const hash = load<u32>(record);
  let slot = hash & mask;
  let stored = load<u32>(slots + (<usize>slot << 3));
  while (stored != 0) {
    const found = <usize>load<u32>(slots + (<usize>slot << 3), 4) << 3;
    if (stored == hash && hasSameKey(found, record)) return found;
    slot = (slot + 1) & mask;
    stored = load<u32>(slots + (<usize>slot << 3));
  }
  return 0;
}

@inline function hasSameKey(left: usize, right: usize): bool {
  if (load<u64>(left) != load<u64>(right)) return false;
  if (load<u32>(left, 8) != load<u32>(right, 8)) return false;
  const end = headerBytes + <usize>padded(load<u32>(left, 4) + load<u32>(left, 8));
  for (let at = headerBytes; at < end; at += 8) {
    if (load<u64>(left + at) != load<u64>(right + at)) return false;
  }
  return true;
}
