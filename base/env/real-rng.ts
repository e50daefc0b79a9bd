/** Real chance: streams seeded by the system unless a seed is given; secrets from the system only. */
import { randomBytes } from 'node:crypto';
import type { RngSource, Secrets } from './rng.ts';
import { createSeededRngSource } from './seeded-rng.ts';

/** @param seed - A whole number below 2^53; without one each process draws its own. */
export function createRealRng(seed?: number): RngSource {
  return createSeededRngSource(seed ?? randomBytes(6).readUIntLE(0, 6));
}

export function createRealSecrets(): Secrets {
  return { hex: (byteCount) => randomBytes(byteCount).toString('hex') };
}
