/** Reference of registers.as.ts: the hash as written down, in whole numbers of any size. */

import { wordAt, wrap } from './hash.ts';

const first = 0x9e3779b97f4a7c15n;
const lengthFactor = 0xff51afd7ed558ccdn;

/** Register and share of a value of 8 bytes. */
export function registerOfInt64(value: bigint): { register: number; share: number } {
  return parted(mixed(wrap(value) ^ first));
}

/** The same of a text. */
export function registerOfBytes(bytes: Uint8Array): { register: number; share: number } {
  if (bytes.length <= 8) {
    return parted(mixed(wrap(wordAt(bytes, 0) + BigInt(bytes.length + 1) * lengthFactor)));
  }
  let hash = wrap(BigInt(bytes.length) * lengthFactor);
  const last = bytes.length - 8;
  for (let index = 0; index < last; index += 8) {
    const product = wrap((hash ^ wordAt(bytes, index)) * first);
    hash = wrap((product << 29n) | (product >> 35n));
  }
  return parted(mixed(wrap((hash ^ wordAt(bytes, last)) * first)));
}

function mixed(key: bigint): bigint {
  let hash = wrap((key ^ (key >> 33n)) * 0xff51afd7ed558ccdn);
  hash = wrap((hash ^ (hash >> 33n)) * 0xc4ceb9fe1a85ec53n);
  return hash ^ (hash >> 33n);
}

function parted(hash: bigint): { register: number; share: number } {
  const rest = (hash >> 12n).toString(2).padStart(52, '0');
  const zeroes = Math.min(rest.indexOf('1') < 0 ? 52 : rest.indexOf('1'), 51);
  return { register: Number(hash & 4095n), share: 2 ** -(zeroes + 1) };
}
