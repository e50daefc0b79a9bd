/**
 * Parquet's delta encodings: integers as differences, packed in blocks by their smallest; texts as
 * lengths and as what they share with the one before.
 *
 *     stream   varints: block size, miniblocks per block, count, first value (zigzag)
 *     block    varint: smallest difference (zigzag) │ a width per miniblock │ miniblocks
 *
 * Resumable: the state is `deltaLayout` (parquet-kernels.ts). Nothing is trusted.
 */
import { storeView } from './inline.as';
import { copyLiteral } from './snappy.as';

@inline const atField: usize = 0;
@inline const endField: usize = 4;
/** Values that are still to come, the first included. */
@inline const leftField: usize = 8;
@inline const perMiniblockField: usize = 12;
@inline const miniblocksField: usize = 16;
/** The next miniblock of the block; `miniblocks` when a block is to be started. */
@inline const miniblockField: usize = 20;
/** Where the widths of the block are. */
@inline const widthsField: usize = 24;
/** The next value within the miniblock, from its start. */
@inline const indexField: usize = 28;
@inline const valueField: usize = 32;
@inline const smallestField: usize = 40;
@inline const isFirstField: usize = 48;
/** Width of the miniblock that is being read. */
@inline const widthField: usize = 52;

/** Reads a varint at the state's place; a damaged one moves the place behind the end. */
function varint(state: usize): u64 {
  const end = <usize>load<u32>(state, endField);
  let at = <usize>load<u32>(state, atField);
  let value: u64 = 0;
  for (let shift: u64 = 0; ; shift += 7) {
    if (at >= end || shift > 63) {
      store<u32>(state, <u32>end + 1, atField);
      return 0;
    }
    const byte = load<u8>(at++);
    value |= <u64>(byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  store<u32>(state, <u32>at, atField);
  return value;
}

@inline function isDamaged(state: usize): bool {
  return load<u32>(state, atField) > load<u32>(state, endField);
}

@inline function unzigzag(value: u64): i64 {
  return <i64>(value >> 1) ^ -(<i64>(value & 1));
}

/** Starts a stream in [from, end); answers with its count of values, or -1 where it is damaged. */
export function startDelta(state: usize, from: usize, end: usize): i32 {
  store<u32>(state, <u32>from, atField);
  store<u32>(state, <u32>end, endField);
  const blockSize = varint(state);
  const miniblocks = varint(state);
  const count = varint(state);
  const first = unzigzag(varint(state));
  if (isDamaged(state) || count > 0x7fff_ffff || miniblocks == 0 || miniblocks > 1024) return -1;
  const perMiniblock = blockSize / miniblocks;
  const isRegular = perMiniblock * miniblocks == blockSize && perMiniblock % 8 == 0;
  if (!isRegular || perMiniblock == 0 || perMiniblock > 65536) return -1;
  store<u32>(state, <u32>count, leftField);
  store<u32>(state, <u32>perMiniblock, perMiniblockField);
  store<u32>(state, <u32>miniblocks, miniblocksField);
  store<u32>(state, <u32>miniblocks, miniblockField);
  store<u32>(state, <u32>perMiniblock, indexField);
  store<i64>(state, first, valueField);
  store<u32>(state, 1, isFirstField);
  return <i32>count;
}

/** Makes the next miniblock the current one: leaves the place behind its bytes. */
function nextMiniblock(state: usize): bool {
  const miniblocks = load<u32>(state, miniblocksField);
  const end = <usize>load<u32>(state, endField);
  let miniblock = load<u32>(state, miniblockField);
  if (miniblock == miniblocks) {
    store<i64>(state, unzigzag(varint(state)), smallestField);
    const widths = <usize>load<u32>(state, atField);
    if (widths > end || end - widths < <usize>miniblocks) return false;
    store<u32>(state, <u32>widths, widthsField);
    store<u32>(state, <u32>widths + miniblocks, atField);
    miniblock = 0;
  }
  const width = <u32>load<u8>(<usize>load<u32>(state, widthsField) + <usize>miniblock);
  const at = <usize>load<u32>(state, atField);
  const size = (load<u32>(state, perMiniblockField) >> 3) * width;
  if (width > 64 || <u32>(end - at) < size) return false;
  store<u32>(state, <u32>at + size, atField);
  store<u32>(state, width, widthField);
  store<u32>(state, miniblock + 1, miniblockField);
  store<u32>(state, 0, indexField);
  return true;
}

/** `outSize` 4 or 8; answers with how many values were read, fewer than `count` where it is damaged. */
export function readDelta(state: usize, count: u32, outSize: u32, out: usize): u32 {
  const left = load<u32>(state, leftField);
  const wanted = min<u32>(count, left);
  const perMiniblock = load<u32>(state, perMiniblockField);
  const smallest = state + smallestField;
  let value = load<i64>(state, valueField);
  let done: u32 = 0;
  if (wanted > 0 && load<u32>(state, isFirstField)) {
    store<u32>(state, 0, isFirstField);
    storeInteger(out, outSize, value);
    done = 1;
  }
  while (done < wanted) {
    if (load<u32>(state, indexField) == perMiniblock && !nextMiniblock(state)) break;
    const index = load<u32>(state, indexField);
    const width = load<u32>(state, widthField);
    const base = <usize>(load<u32>(state, atField) - (perMiniblock >> 3) * width);
    const part = min<u32>(perMiniblock - index, wanted - done);
    const add = load<i64>(smallest);
    for (let one: u32 = 0; one < part; one++) {
      value += add + <i64>packedAt(base, width, index + one);
      storeInteger(out + <usize>((done + one) * outSize), outSize, value);
    }
    store<u32>(state, index + part, indexField);
    done += part;
  }
  store<i64>(state, value, valueField);
  store<u32>(state, left - done, leftField);
  return done;
}

@inline function storeInteger(out: usize, size: u32, value: i64): void {
  if (size == 8) store<i64>(out, value);
  else store<u32>(out, <u32>value);
}

@inline function packedAt(base: usize, width: u32, index: u32): u64 {
  const bit = index * width;
  const at = base + <usize>(bit >> 3);
  const shift = <u64>(bit & 7);
  const low = load<u64>(at) >> shift;
  if (width <= 56) return low & ((<u64>1 << <u64>width) - 1);
  const word = shift ? low | (<u64>load<u8>(at, 8) << (64 - shift)) : low;
  return width == 64 ? word : word & ((<u64>1 << <u64>width) - 1);
}

/** Passes over the rest of a stream; answers with where it ends (address), 0 where it is damaged. */
export function skipDelta(state: usize): u32 {
  const perMiniblock = load<u32>(state, perMiniblockField);
  let left = load<u32>(state, leftField);
  if (left > 0 && load<u32>(state, isFirstField)) left--;
  left -= min<u32>(left, perMiniblock - load<u32>(state, indexField));
  while (left > 0) {
    if (!nextMiniblock(state)) return 0;
    left -= min<u32>(left, perMiniblock);
  }
  return load<u32>(state, atField);
}

/** Views of texts that lie side by side at `from`; answers with the first that leads beyond `end`. */
export function viewsFromLengths(lengths: usize, count: u32, from: usize, end: usize, out: usize): u32 {
  let at = from;
  for (let index: u32 = 0; index < count; index++) {
    const size = load<u32>(lengths + (<usize>index << 2));
    if (size > <u32>(end - at)) return index;
    storeView(out + (<usize>index << 4), at, size);
    at += <usize>size;
  }
  return count;
}

/**
 * Texts that begin as the one before them does. `prefixes` and `suffixes` are u32 lengths; the bytes of
 * the suffixes are at `from`. The whole texts go to `bytes` one after the other, and up to 15 bytes more;
 * `previous` is the view of the one before.
 */
export function joinPrefixes(
  prefixes: usize,
  suffixes: usize,
  count: u32,
  from: usize,
  end: usize,
  previous: usize,
  bytes: usize,
  out: usize,
): u32 {
  let at = from;
  let to = bytes;
  let size = load<u32>(previous);
  let text = size > 8 ? <usize>load<u32>(previous, 4) : previous + 8;
  for (let index: u32 = 0; index < count; index++) {
    const prefix = load<u32>(prefixes + (<usize>index << 2));
    const suffix = load<u32>(suffixes + (<usize>index << 2));
    if (prefix > size || suffix > <u32>(end - at)) return index;
    copyLiteral(to, text, prefix);
    copyLiteral(to + <usize>prefix, at, suffix);
    size = prefix + suffix;
    storeView(out + (<usize>index << 4), to, size);
    text = to;
    to += <usize>size;
    at += <usize>suffix;
  }
  return count;
}
