/** Text kernels: lines of a byte range as views, and the check that bytes are UTF-8. */
import { storeView } from './inline.as';

export function splitLines(from: usize, end: usize, isLast: u32, outViews: usize, rowsMax: u32, result: usize): u32 {
  const newline = i8x16.splat(10);
  let rows: u32 = 0;
  let start = from;
  for (let block = from; block < end && rows < rowsMax; block += 64) {
    let ends = bitsOf(block, newline);
    if (end - block < 64) ends &= (<u64>1 << <u64>(end - block)) - 1;
    for (; ends != 0 && rows < rowsMax; ends &= ends - 1) {
      const stop = block + <usize>ctz(ends);
      // The byte before a line's first is not its own: an empty line has no CR to strip.
      const hasReturn = u32(stop > start) & u32(load<u8>(stop - 1) == 13);
      storeView(outViews + (<usize>rows << 4), start, <u32>(stop - start) - hasReturn);
      start = stop + 1;
      rows++;
    }
  }
  if (isLast && rows < rowsMax && start < end) {
    storeView(outViews + (<usize>rows << 4), start, <u32>(end - start));
    start = end;
    rows++;
  }
  store<u32>(result, <u32>start);
  return rows;
}

/** Bit i is set where byte i of the 64 at `block` equals the splat. */
@inline function bitsOf(block: usize, wanted: v128): u64 {
  const a = <u32>i8x16.bitmask(i8x16.eq(v128.load(block), wanted));
  const b = <u32>i8x16.bitmask(i8x16.eq(v128.load(block, 16), wanted));
  const c = <u32>i8x16.bitmask(i8x16.eq(v128.load(block, 32), wanted));
  const d = <u32>i8x16.bitmask(i8x16.eq(v128.load(block, 48), wanted));
  return <u64>(a | (b << 16)) | (<u64>(c | (d << 16)) << 32);
}

export function findInvalidUtf8(from: usize, end: usize, result: usize): usize {
  store<u32>(result, 0);
  let at = from;
  while (at < end) {
    const lead = <u32>load<u8>(at);
    if (lead < 0x80) {
      at = skipAscii(at + 1, end);
      continue;
    }
    const length = sequenceLength(lead);
    if (length == 0) return at;
    const available = <u32>(end - at);
    const second = available > 1 ? <u32>load<u8>(at, 1) : lowestSecond(lead);
    if (second < lowestSecond(lead) || second > highestSecond(lead)) return at;
    const known = available < length ? available : length;
    for (let i: u32 = 2; i < known; i++) {
      if ((load<u8>(at + i) & 0xc0) != 0x80) return at;
    }
    if (available < length) {
      store<u32>(result, 1);
      return at;
    }
    at += length;
  }
  return 0;
}

@inline function skipAscii(at: usize, end: usize): usize {
  while (at + 16 <= end) {
    const high = i8x16.bitmask(v128.load(at));
    if (high != 0) return at + <usize>ctz(high);
    at += 16;
  }
  return at;
}

/** Bytes of a sequence by its first byte; 0 where no sequence starts so. */
@inline function sequenceLength(lead: u32): u32 {
  if (lead < 0xc2 || lead > 0xf4) return 0;
  return 2 + u32(lead >= 0xe0) + u32(lead >= 0xf0);
}

/** E0 and F0 would otherwise allow overlong forms. */
@inline function lowestSecond(lead: u32): u32 {
  return lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
}

/** ED would otherwise allow surrogates, F4 code points above U+10FFFF. */
@inline function highestSecond(lead: u32): u32 {
  return lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
}
