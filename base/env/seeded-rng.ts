/**
 * Seeded chance: the generator sfc32, one stream per purpose. Real processes seed it from the
 * system, a simulation from its seed; the numbers are the same on every machine. Not for secrets:
 * who sees some numbers can compute the next.
 *
 * @see Chris Doty-Humphrey, PractRand, sfc32: passes its tests, period about 2^128.
 */
import { assert } from '../assert.ts';
import type { Rng, RngSource } from './rng.ts';

export function createSeededRngSource(seed: number): RngSource {
  return { stream: (purpose) => new SeededRng(seed, purpose) };
}

class SeededRng implements Rng {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number, purpose: string) {
    this.#a = hashOf(purpose);
    this.#b = seed | 0;
    this.#c = Math.floor(seed / 2 ** 32) | 0;
    for (let round = 0; round < 15; round++) this.u32(); // Mixes a weak seed into all bits.
  }

  u32(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    this.#c |= 0;
    return sum >>> 0;
  }

  float(): number {
    return this.u32() / 2 ** 32;
  }

  int(low: number, high: number): number {
    assert(low < high, 'the range of whole numbers is not empty');
    return low + Math.floor(this.float() * (high - low));
  }
}

/** FNV-1a over the code units: small, and stable for ever, as seeds in bug reports need. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash | 0;
}
