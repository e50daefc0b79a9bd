/**
 * Values as the reference computes with them:
 *
 *     bool boolean      up to 32 bits, floats number      int64, timestamp bigint
 *     date number (days since 1970)      decimal bigint (the value × 10^scale)
 *     utf8 string      binary Uint8Array      null null
 *     list array       struct object          of the same, but for decimals, which are exact texts
 */

export type Value = null | boolean | number | bigint | string | Uint8Array | NestedValue;

/** A list or a struct (nested-values.ts). */
export type NestedValue = readonly unknown[] | { readonly [name: string]: unknown };

/** What a function answers where its result does not fit; the evaluator makes a failure of it. */
export const overflow = Symbol('overflow');

/** Texts that a function makes are no longer than this, in UTF-16 units: 16 Mi. */
export const textLengthMax = 16 * 1024 * 1024;
