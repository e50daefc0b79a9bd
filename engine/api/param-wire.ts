/**
 * Parameter values as JSON, so that they can travel to the threads that build the graph again. Only
 * an int64 needs a form of its own: a bigint is no JSON, and a number would round it.
 */
import { assert } from '../../base/assert.ts';
import type { Json } from '../contracts/json.ts';

/** Values by parameter name → JSON. Absent optional parameters are left out. */
export function encodeParams(params: Readonly<Record<string, unknown>>): Record<string, Json> {
  const encoded: Record<string, Json> = {};
  for (const [name, value] of Object.entries(params)) {
    if (value === undefined) continue;
    encoded[name] = typeof value === 'bigint' ? { int64: value.toString() } : (value as Json);
  }
  return encoded;
}

/** The values that `encodeParams` was given. */
export function decodeParams(encoded: Readonly<Record<string, Json>>): Record<string, unknown> {
  const params: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(encoded)) {
    params[name] = typeof value === 'object' && value !== null ? BigInt(int64TextOf(value)) : value;
  }
  return params;
}

function int64TextOf(value: object): string {
  const { int64 } = value as { int64?: unknown };
  assert(typeof int64 === 'string', 'the only object among parameter values is an int64');
  return int64;
}
