/**
 * Snappy, in its plain block format: what Parquet files are compressed with unless told otherwise.
 * What is unpacked is not trusted; a damaged input ends with -1 and has written nothing past the room.
 *
 *     input    varint: bytes unpacked │ elements
 *     element  literal: tag, length, bytes        copy: tag, length, distance back (1, 2 or 4 bytes)
 *
 * @see https://github.com/google/snappy/blob/main/format_description.txt
 */

/** Fragments of 64 KiB, so that a place in one has 16 bits. */
@inline const fragmentBytes: u32 = 1 << 16;
@inline const tableBits: u32 = 14;
/** The end of a fragment is a literal: the search reads 8 bytes ahead without asking. */
@inline const marginBytes: u32 = 15;

export function snappyUncompress(from: usize, sizeBytes: u32, to: usize, toBytes: u32): i32 {
  const end = from + <usize>sizeBytes;
  const limit = to + <usize>toBytes;
  let at = from;
  let length: u64 = 0;
  for (let shift: u64 = 0; ; shift += 7) {
    if (at >= end || shift > 28) return -1;
    const byte = load<u8>(at++);
    length |= <u64>(byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  if (length != <u64>toBytes) return -1;
  let out = to;
  while (at < end) {
    const tag = <u32>load<u8>(at++);
    const kind = tag & 3;
    if (kind == 0) {
      let size = (tag >> 2) + 1;
      if (size <= 16 && size <= <u32>(end - at) && size <= <u32>(limit - out)) {
        v128.store(out, v128.load(at));
        at += size;
        out += size;
        continue;
      }
      if (size > 60) {
        const extra = size - 60;
        if (end - at < <usize>extra) return -1;
        size = (load<u32>(at) & (<u32>-1 >> (32 - (extra << 3)))) + 1;
        at += extra;
      }
      // A length of 2^32 has become 0.
      if (size - 1 >= <u32>(end - at) || size > <u32>(limit - out)) return -1;
      copyLiteral(out, at, size);
      at += size;
      out += size;
      continue;
    }
    let size = (tag >> 2) + 1;
    let distance = load<u32>(at);
    if (kind == 3) {
      at += 4;
    } else {
      // Which of the two it is does not follow from those before, so it is no branch.
      const isShort = kind == 1;
      size = select<u32>(((tag >> 2) & 7) + 4, size, isShort);
      distance = select<u32>(((tag >> 5) << 8) | (distance & 0xff), distance & 0xffff, isShort);
      at += kind;
    }
    if (at > end || distance - 1 >= <u32>(out - to) || size > <u32>(limit - out)) return -1;
    if (size <= 16 && distance >= 8) {
      // The second half may be of what the first one has written.
      const source = out - <usize>distance;
      store<u64>(out, load<u64>(source));
      store<u64>(out, load<u64>(source, 8), 8);
    } else {
      copyBack(out, distance, size);
    }
    out += size;
  }
  return out == limit ? <i32>toBytes : -1;
}

/** `memory.copy` is a call out of the module. Writes up to 15 bytes too many. */
@inline export function copyLiteral(out: usize, from: usize, size: u32): void {
  if (size > 64) memory.copy(out, from, size);
  else for (let done: u32 = 0; done < size; done += 16) v128.store(out + done, v128.load(from + done));
}

/** Copies what lies `distance` back; the two may overlap. Writes up to 16 bytes too many. */
@inline export function copyBack(out: usize, distance: u32, size: u32): void {
  const end = out + <usize>size;
  let source = out - <usize>distance;
  if (distance >= 16) {
    for (; out < end; out += 16, source += 16) v128.store(out, v128.load(source));
    return;
  }
  // A short period is doubled until it has 8 bytes.
  while (out < end && out - source < 8) {
    store<u64>(out, load<u64>(source));
    out += out - source;
  }
  for (; out < end; out += 8, source += 8) store<u64>(out, load<u64>(source));
}

export function snappyCompress(from: usize, sizeBytes: u32, to: usize, table: usize): u32 {
  let out = to;
  let rest = sizeBytes;
  for (; rest >= 0x80; rest >>= 7) store<u8>(out++, <u8>(rest | 0x80));
  store<u8>(out++, <u8>rest);
  for (let done: u32 = 0; done < sizeBytes; done += fragmentBytes) {
    out = compressFragment(from + <usize>done, min<u32>(sizeBytes - done, fragmentBytes), out, table);
  }
  return <u32>(out - to);
}

@inline function placeOf(table: usize, word: u32): usize {
  return table + ((<usize>(word * 0x1e35a7bd) >> (32 - tableBits)) << 1);
}

function compressFragment(from: usize, sizeBytes: u32, to: usize, table: usize): usize {
  const end = from + <usize>sizeBytes;
  let out = to;
  let literal = from;
  if (sizeBytes > marginBytes) {
    memory.fill(table, 0, 1 << (tableBits + 1));
    const searchEnd = end - marginBytes;
    let at = from + 1;
    // The longer nothing is found, the longer the steps: what can't be compressed is passed over.
    let misses: u32 = 32;
    while (at < searchEnd) {
      const word = load<u32>(at);
      const place = placeOf(table, word);
      const candidate = from + <usize>load<u16>(place);
      store<u16>(place, <u16>(at - from));
      if (load<u32>(candidate) != word) {
        at += misses >> 5;
        misses++;
        continue;
      }
      misses = 32;
      if (at > literal) out = writeLiteral(out, literal, <u32>(at - literal));
      const size = 4 + sameBytes(candidate + 4, at + 4, end);
      out = writeCopy(out, <u32>(at - candidate), size);
      at += size;
      literal = at;
      if (at < searchEnd) store<u16>(placeOf(table, load<u32>(at - 1)), <u16>(at - 1 - from));
    }
  }
  return end > literal ? writeLiteral(out, literal, <u32>(end - literal)) : out;
}

/** How many bytes from `a` and `b` on are the same; `b` is the later one. */
@inline export function sameBytes(a: usize, b: usize, end: usize): u32 {
  const start = b;
  while (b + 8 <= end) {
    const difference = load<u64>(a) ^ load<u64>(b);
    if (difference != 0) return <u32>(b - start) + (<u32>ctz(difference) >> 3);
    a += 8;
    b += 8;
  }
  while (b < end && load<u8>(a) == load<u8>(b)) {
    a++;
    b++;
  }
  return <u32>(b - start);
}

function writeLiteral(out: usize, from: usize, size: u32): usize {
  const last = size - 1;
  if (last < 60) {
    store<u8>(out++, <u8>(last << 2));
  } else if (last < 256) {
    store<u8>(out, 60 << 2);
    store<u8>(out + 1, <u8>last);
    out += 2;
  } else {
    store<u8>(out, 61 << 2);
    store<u16>(out + 1, <u16>last);
    out += 3;
  }
  memory.copy(out, from, size);
  return out + <usize>size;
}

function writeCopy(out: usize, distance: u32, size: u32): usize {
  let left = size;
  while (left > 0) {
    if (left >= 4 && left < 12 && distance < 2048) {
      store<u8>(out, <u8>(1 | ((left - 4) << 2) | ((distance >> 8) << 5)));
      store<u8>(out + 1, <u8>distance);
      return out + 2;
    }
    // Never leaves 1 to 3 bytes, which a short copy can't hold.
    const part = left > 67 ? 64 : left > 64 ? 60 : left;
    store<u8>(out, <u8>(2 | ((part - 1) << 2)));
    store<u16>(out + 1, <u16>distance);
    out += 3;
    left -= part;
  }
  return out;
}
