/**
 * References of bloom.as.ts; with these, filters of files are asked, too, a value at a time.
 * @see https://github.com/apache/parquet-format/blob/master/BloomFilter.md
 */

const [prime1, prime2, prime3] = [0x9e3779b185ebca87n, 0xc2b2ae3d27d4eb4fn, 0x165667b19e3779f9n];
const [prime4, prime5] = [0x85ebca77c2b2ae63n, 0x27d4eb2f165667c5n];

/** Bytes of a block. */
export const bloomBlockBytes = 32;

/** XXH64 with seed 0. */
export function xxh64(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  let hash = prime5;
  if (bytes.length >= 32) {
    const lanes = [wrapped(prime1 + prime2), prime2, 0n, wrapped(-prime1)];
    for (; at + 32 <= bytes.length; at += 32) {
      for (const [lane, value] of lanes.entries()) {
        lanes[lane] = round(value, view.getBigUint64(at + lane * 8, true));
      }
    }
    const turns = [1n, 7n, 12n, 18n];
    hash = wrapped(lanes.reduce((sum, lane, index) => sum + rotated(lane, turns[index] ?? 0n), 0n));
    for (const lane of lanes) hash = wrapped((hash ^ round(0n, lane)) * prime1 + prime4);
  }
  hash = wrapped(hash + BigInt(bytes.length));
  for (; at + 8 <= bytes.length; at += 8) {
    const mixed = rotated(hash ^ round(0n, view.getBigUint64(at, true)), 27n);
    hash = wrapped(mixed * prime1 + prime4);
  }
  if (at + 4 <= bytes.length) {
    const mixed = rotated(hash ^ wrapped(BigInt(view.getUint32(at, true)) * prime1), 23n);
    hash = wrapped(mixed * prime2 + prime3);
    at += 4;
  }
  for (; at < bytes.length; at++) {
    hash = wrapped(rotated(hash ^ wrapped(BigInt(bytes[at]!) * prime5), 11n) * prime1);
  }
  hash = wrapped((hash ^ (hash >> 33n)) * prime2);
  hash = wrapped((hash ^ (hash >> 29n)) * prime3);
  return hash ^ (hash >> 32n);
}

function round(lane: bigint, input: bigint): bigint {
  return wrapped(rotated(wrapped(lane + input * prime2), 31n) * prime1);
}

function rotated(value: bigint, bits: bigint): bigint {
  return wrapped((value << bits) | (value >> (64n - bits)));
}

function wrapped(value: bigint): bigint {
  return BigInt.asUintN(64, value);
}

const salts = [
  ...[0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d],
  ...[0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31],
];

/** Which of the blocks a hash belongs to. */
export function bloomBlockOf(hash: bigint, blockCount: number): number {
  return Number(((hash >> 32n) * BigInt(blockCount)) >> 32n);
}

/** The bit of a hash in each word of its block. */
export function bloomWordsOf(hash: bigint): number[] {
  const key = Number(hash & 0xffff_ffffn);
  return salts.map((salt) => (1 << (Math.imul(key, salt) >>> 27)) >>> 0);
}
