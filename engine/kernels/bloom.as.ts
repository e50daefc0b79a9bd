/**
 * Bloom filters of blocks: a value's hash chooses a block of 256 bits, and one bit in each of its eight words.
 * The hash is XXH64 with seed 0. Both are Parquet's, so that others read what is written.
 * @see https://github.com/apache/parquet-format/blob/master/BloomFilter.md
 */

const prime1: u64 = 0x9e3779b185ebca87;
const prime2: u64 = 0xc2b2ae3d27d4eb4f;
const prime3: u64 = 0x165667b19e3779f9;
const prime4: u64 = 0x85ebca77c2b2ae63;
const prime5: u64 = 0x27d4eb2f165667c5;

@inline function round(lane: u64, input: u64): u64 {
  return rotl<u64>(lane + input * prime2, 31) * prime1;
}

@inline function merged(hash: u64, lane: u64): u64 {
  return (hash ^ round(0, lane)) * prime1 + prime4;
}

function xxh64(from: usize, size: u32): u64 {
  const end = from + <usize>size;
  let at = from;
  let hash = prime5;
  if (size >= 32) {
    let a = prime1 + prime2;
    let b = prime2;
    let c: u64 = 0;
    let d = <u64>0 - prime1;
    for (; at + 32 <= end; at += 32) {
      a = round(a, load<u64>(at));
      b = round(b, load<u64>(at, 8));
      c = round(c, load<u64>(at, 16));
      d = round(d, load<u64>(at, 24));
    }
    hash = rotl<u64>(a, 1) + rotl<u64>(b, 7) + rotl<u64>(c, 12) + rotl<u64>(d, 18);
    hash = merged(merged(merged(merged(hash, a), b), c), d);
  }
  hash += <u64>size;
  for (; at + 8 <= end; at += 8) {
    hash = rotl<u64>(hash ^ round(0, load<u64>(at)), 27) * prime1 + prime4;
  }
  if (at + 4 <= end) {
    hash = rotl<u64>(hash ^ (<u64>load<u32>(at) * prime1), 23) * prime2 + prime3;
    at += 4;
  }
  for (; at < end; at++) hash = rotl<u64>(hash ^ (<u64>load<u8>(at) * prime5), 11) * prime1;
  hash = (hash ^ (hash >> 33)) * prime2;
  hash = (hash ^ (hash >> 29)) * prime3;
  return hash ^ (hash >> 32);
}

@inline function setBit(block: usize, key: u32, salt: u32, word: usize): void {
  const at = block + (word << 2);
  store<u32>(at, load<u32>(at) | (<u32>1 << ((key * salt) >>> 27)));
}

@inline function add(hash: u64, blocks: usize, blockCount: u32): void {
  const block = blocks + (<usize>(((hash >> 32) * <u64>blockCount) >> 32) << 5);
  const key = <u32>hash;
  setBit(block, key, 0x47b6137b, 0);
  setBit(block, key, 0x44974d91, 1);
  setBit(block, key, 0x8824ad5b, 2);
  setBit(block, key, 0xa2b7289d, 3);
  setBit(block, key, 0x705495c7, 4);
  setBit(block, key, 0x2df1424b, 5);
  setBit(block, key, 0x9efc4947, 6);
  setBit(block, key, 0x5c6bfb31, 7);
}

export function bloomAddFixed(values: usize, count: u32, size: u32, blocks: usize, blockCount: u32): void {
  for (let index: u32 = 0; index < count; index++) {
    add(xxh64(values + <usize>index * <usize>size, size), blocks, blockCount);
  }
}

export function bloomAddTexts(views: usize, count: u32, blocks: usize, blockCount: u32): void {
  for (let index: u32 = 0; index < count; index++) {
    const view = views + (<usize>index << 4);
    const size = load<u32>(view);
    add(xxh64(size <= 8 ? view + 8 : <usize>load<u32>(view, 4), size), blocks, blockCount);
  }
}
