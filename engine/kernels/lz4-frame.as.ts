/**
 * LZ4 frames: blocks (lz4.as.ts) one after the other, with their sizes, as files and Arrow have them.
 *
 *     frame   04 22 4d 18 │ flags │ u8 size of blocks │ [u64 size] │ [u32 dictionary] │ u8 check of this
 *     block   u32 bytes, the highest bit set: stored as they are │ bytes │ [u32 check]
 *     end     u32 0 │ [u32 check of all]
 *
 * Blocks may copy from those before them. Checksums are passed over: who unpacks knows the size, and
 * those who read a column check what is in it. There may be several frames; one with a dictionary is
 * refused. Written are blocks of 4 MiB that stand alone, and no checksums.
 * @see https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md
 */
import { lz4Compress, unpackBlock } from './lz4.as';

@inline const magic: u32 = 0x184d2204;
@inline const storedBit: u32 = 0x80000000;
@inline const blockBytesMax: u32 = 4 << 20;

@inline const dictionaryFlag: u32 = 1;
@inline const allCheckFlag: u32 = 4;
@inline const sizeFlag: u32 = 8;
@inline const blockCheckFlag: u32 = 16;
/** Version 1 in the highest two bits; bit 1 is reserved. */
@inline const versionMask: u32 = 0xc2;
@inline const version: u32 = 0x40;

export function lz4FrameUncompress(from: usize, sizeBytes: u32, to: usize, toBytes: u32): i32 {
  const end = from + <usize>sizeBytes;
  const limit = to + <usize>toBytes;
  let at = from;
  let out = to;
  do {
    if (end - at < 7 || load<u32>(at) != magic) return -1;
    const flags = <u32>load<u8>(at, 4);
    if ((flags & versionMask) != version || (flags & dictionaryFlag) != 0) return -1;
    at += flags & sizeFlag ? 15 : 7;
    for (;;) {
      if (at > end || end - at < 4) return -1;
      const head = load<u32>(at);
      at += 4;
      if (head == 0) break;
      const size = head & ~storedBit;
      if (size > <u32>(end - at)) return -1;
      if (head & storedBit) {
        if (size > <u32>(limit - out)) return -1;
        memory.copy(out, at, size);
        out += <usize>size;
      } else {
        out = unpackBlock(at, at + <usize>size, to, out, limit);
        if (out == 0) return -1;
      }
      at += <usize>size + (flags & blockCheckFlag ? 4 : 0);
    }
    at += flags & allCheckFlag ? 4 : 0;
  } while (at < end);
  return at == end && out == limit ? <i32>toBytes : -1;
}

export function lz4FrameCompress(from: usize, sizeBytes: u32, to: usize, table: usize): u32 {
  store<u32>(to, magic);
  // Version 1, blocks that stand alone and have 4 MiB at most; 0x73 is the check of these two bytes.
  store<u8>(to, 0x60, 4);
  store<u8>(to, 0x70, 5);
  store<u8>(to, 0x73, 6);
  let out = to + 7;
  let at = from;
  for (let left = sizeBytes; left > 0; ) {
    const size = min<u32>(left, blockBytesMax);
    let packed = lz4Compress(at, size, out + 4, table);
    let head = packed;
    if (packed >= size) {
      memory.copy(out + 4, at, size);
      packed = size;
      head = size | storedBit;
    }
    store<u32>(out, head);
    out += 4 + <usize>packed;
    at += <usize>size;
    left -= size;
  }
  store<u32>(out, 0);
  return <u32>(out + 4 - to);
}
