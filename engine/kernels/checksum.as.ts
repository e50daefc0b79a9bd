/** CRC32C through 16 tables, 16 bytes a step. What the tables are: base/checksum.ts, which is the reference. */

@inline function entry(tables: usize, table: u32, byte: u64): u32 {
  return load<u32>(tables + (<usize>table << 10) + (<usize>(byte & 255) << 2));
}

@inline function ofWord(tables: usize, last: u32, word: u64): u32 {
  return entry(tables, last + 7, word) ^ entry(tables, last + 6, word >> 8) ^
    entry(tables, last + 5, word >> 16) ^ entry(tables, last + 4, word >> 24) ^
    entry(tables, last + 3, word >> 32) ^ entry(tables, last + 2, word >> 40) ^
    entry(tables, last + 1, word >> 48) ^ entry(tables, last, word >> 56);
}

export function crc32c(tables: usize, from: usize, sizeBytes: u32, before: u32): u32 {
  let crc = ~before;
  const end = from + <usize>sizeBytes;
  for (; from + 16 <= end; from += 16) {
    crc = ofWord(tables, 8, load<u64>(from) ^ <u64>crc) ^ ofWord(tables, 0, load<u64>(from, 8));
  }
  for (; from < end; from++) crc = entry(tables, 0, crc ^ load<u8>(from)) ^ (crc >>> 8);
  return ~crc;
}
