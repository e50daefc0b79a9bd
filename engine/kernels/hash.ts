/** References of hash.as.ts: the hash of a key as written down, in whole numbers of any size. */

const first = 0x9e3779b97f4a7c15n;
const second = 0xd6e8feb86659fd93n;
const lengthFactor = 0xff51afd7ed558ccdn;

/** Hash of a null key of any type. */
export const hashOfNull = 0x6b2a51f7;

export function hashOfInt64(key: bigint): number {
  return finish(wrap(wrap(key ^ lengthFactor) * first));
}

export function hashOfBytes(bytes: Uint8Array): number {
  const seed = wrap(BigInt(bytes.length) * lengthFactor);
  if (bytes.length <= 8) return finish(wrap((wordAt(bytes, 0) + seed) * first));
  let mixed = seed;
  const last = bytes.length - 8;
  for (let index = 0; index < last; index += 8) {
    const product = wrap((mixed ^ wordAt(bytes, index)) * first);
    mixed = wrap((product << 29n) | (product >> 35n));
  }
  // The last word overlaps the one before, so that it is always whole.
  return finish(wrap((mixed ^ wordAt(bytes, last)) * first));
}

function finish(mixed: bigint): number {
  const hash = Number(wrap((mixed ^ (mixed >> 32n)) * second) >> 32n);
  return hash === 0 ? 1 : hash;
}

/** Up to 8 bytes from `index` as a little-endian number. */
export function wordAt(bytes: Uint8Array, index: number): bigint {
  return bytes
    .subarray(index, index + 8)
    .reduceRight((word, byte) => (word << 8n) | BigInt(byte), 0n);
}

/** The low 64 bits. */
export function wrap(value: bigint): bigint {
  return BigInt.asUintN(64, value);
}
