/**
 * Assertions: statements about our own code that must hold. They stay on in production. What a user
 * or another system can cause is no assertion but a `TypedError`.
 */

/** Throws when `condition` is false; `invariant` states positively what should have held. */
export function assert(condition: boolean, invariant: string): asserts condition {
  if (!condition)
    throw new Error(`assertion failed: ${invariant}; this is a bug, please report it`);
}

/** Makes the compiler prove that a switch over a union is complete. */
export function assertNever(value: never): never {
  throw new Error(`assertion failed: no case for ${JSON.stringify(value)}; this is a bug`);
}
