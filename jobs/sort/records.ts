/** The records that are sorted: 100 bytes, of which the first 10 are the key; and what is known of many. */

export const recordBytes = 100;
export const keyBytes = 10;

/**
 * A checksum of records in any order: the sum of a hash of each, modulo 2^64. What is lost, doubled or
 * changed shows in it.
 */
export class RecordSum {
  #low = 0;
  #high = 0;

  /** @param bytes - Of the record at `at`; 4-byte words little-endian. */
  add(bytes: DataView, at: number): void {
    let hash = 0;
    for (let word = 0; word < recordBytes; word += 4) {
      hash = Math.imul(hash ^ bytes.getUint32(at + word, true), 0x85eb_ca6b);
      hash ^= hash >>> 15;
    }
    this.#addHalves(Math.imul(hash, 0xc2b2_ae35) >>> 0, hash >>> 0);
  }

  /** Adds a sum that `text` gave. */
  addText(sum: string): void {
    this.#addHalves(Number.parseInt(sum.slice(8), 16), Number.parseInt(sum.slice(0, 8), 16));
  }

  /** 16 hexadecimal digits. */
  get text(): string {
    const hex = (half: number) => half.toString(16).padStart(8, '0');
    return hex(this.#high) + hex(this.#low);
  }

  #addHalves(low: number, high: number): void {
    const sum = this.#low + low;
    this.#low = sum % 2 ** 32;
    this.#high = (this.#high + high + (sum >= 2 ** 32 ? 1 : 0)) % 2 ** 32;
  }
}

/** Below 0 when the key at `a` comes before the key at `b`. */
export function compareKeys(left: Uint8Array, a: number, right: Uint8Array, b: number): number {
  for (let index = 0; index < keyBytes; index++) {
    const difference = (left[a + index] ?? 0) - (right[b + index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
