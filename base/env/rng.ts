/** The randomness seam: a seeded stream per purpose. Secrets come from `Secrets`, never from here. */

export interface Rng {
  /** A whole number in [0, 2^32). */
  u32(): number;
  /** A number in [0, 1). */
  float(): number;
  /** A whole number in [low, high). */
  int(low: number, high: number): number;
}

/** Gives each purpose its own stream, so that a new user of chance does not shift the others. */
export interface RngSource {
  stream(purpose: string): Rng;
}

export interface Secrets {
  /** Unguessable bytes as lower-case hex, for ids and tokens. */
  hex(byteCount: number): string;
}
