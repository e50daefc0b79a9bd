/**
 * LZ4 in its block format, and in the frame format (lz4-frame.as.ts). What is unpacked is not trusted; a damaged input ends with -1 and has
 * written nothing past the room.
 *
 *     sequence   token (4 bits literals, 4 bits match) │ more length │ literals │ u16 distance │ more length
 *
 * The last sequence is literals only.
 * @see https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md
 */
import { copyBack, copyLiteral, sameBytes } from './snappy.as';

@inline const tableBits: u32 = 13;
@inline const matchMin: u32 = 4;
/** The format wants the last 5 bytes as literals, and no match in the last 12. */
@inline const lastLiterals: u32 = 5;
@inline const searchMargin: u32 = 12;
@inline const distanceMax: u32 = 65535;

export function lz4Uncompress(from: usize, sizeBytes: u32, to: usize, toBytes: u32): i32 {
  const limit = to + <usize>toBytes;
  return unpackBlock(from, from + <usize>sizeBytes, to, to, limit) == limit ? <i32>toBytes : -1;
}

/** Unpacks to `out`; what was unpacked from `start` on may be copied from. Answers the end, 0 for damage. */
export function unpackBlock(
  from: usize,
  end: usize,
  start: usize,
  to: usize,
  limit: usize,
): usize {
  const room = <u32>(limit - to);
  let at = from;
  let out = to;
  while (at < end) {
    const token = <u32>load<u8>(at++);
    let size = token >> 4;
    if (size == 15) {
      let byte: u32;
      do {
        if (at >= end || size > room) return 0;
        byte = <u32>load<u8>(at++);
        size += byte;
      } while (byte == 255);
    }
    if (size > <u32>(end - at) || size > <u32>(limit - out)) return 0;
    copyLiteral(out, at, size);
    at += size;
    out += size;
    if (at == end) break;
    if (end - at < 2) return 0;
    const distance = <u32>load<u16>(at);
    at += 2;
    size = token & 15;
    if (size == 15) {
      let byte: u32;
      do {
        if (at >= end || size > room) return 0;
        byte = <u32>load<u8>(at++);
        size += byte;
      } while (byte == 255);
    }
    size += matchMin;
    if (distance - 1 >= <u32>(out - start) || size > <u32>(limit - out)) return 0;
    copyBack(out, distance, size);
    out += size;
  }
  return out;
}

export function lz4Compress(from: usize, sizeBytes: u32, to: usize, table: usize): u32 {
  const end = from + <usize>sizeBytes;
  let out = to;
  let literal = from;
  if (sizeBytes > searchMargin) {
    memory.fill(table, 0, 1 << (tableBits + 2));
    const searchEnd = end - searchMargin;
    let at = from + 1;
    let misses: u32 = 64;
    while (at < searchEnd) {
      const word = load<u32>(at);
      const place = table + ((<usize>(word * 2654435761) >> (32 - tableBits)) << 2);
      const candidate = from + <usize>load<u32>(place);
      store<u32>(place, <u32>(at - from));
      if (load<u32>(candidate) != word || <u32>(at - candidate) > distanceMax) {
        at += misses >> 6;
        misses++;
        continue;
      }
      misses = 64;
      const size = matchMin + sameBytes(candidate + matchMin, at + matchMin, end - lastLiterals);
      const literals = <u32>(at - literal);
      if (literals < 15) {
        store<u8>(out, <u8>((literals << 4) | min<u32>(size - matchMin, 15)));
        v128.store(out + 1, v128.load(literal));
        out += 1 + <usize>literals;
      } else out = writeSequence(out, literal, literals, size - matchMin);
      // The distance stands behind the literals; what more of the length there is, behind it.
      store<u16>(out, <u16>(at - candidate));
      out += 2;
      if (size - matchMin >= 15) out = writeMore(out, size - matchMin - 15);
      at += size;
      literal = at;
    }
  }
  return <u32>(writeSequence(out, literal, <u32>(end - literal), 0) - to);
}

/** Token and literals. */
function writeSequence(out: usize, literal: usize, size: u32, match: u32): usize {
  store<u8>(out++, <u8>((min<u32>(size, 15) << 4) | min<u32>(match, 15)));
  if (size >= 15) out = writeMore(out, size - 15);
  copyLiteral(out, literal, size);
  return out + <usize>size;
}

function writeMore(out: usize, rest: u32): usize {
  for (; rest >= 255; rest -= 255) store<u8>(out++, 255);
  store<u8>(out++, <u8>rest);
  return out;
}
