/**
 * The codes of all typed errors, each with the kind it always has. `docs/errors.md` explains every
 * one; a test keeps this list, the throw sites and that page equal. A code is never reused.
 */

export type ErrorKind = 'user' | 'external' | 'resource' | 'internal';

/** Code → kind. Keep alphabetical inside an area. */
export const errorKinds = {
  INTERNAL_UNEXPECTED: 'internal',
  MEMORY_EXHAUSTED: 'resource',
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof errorKinds;
