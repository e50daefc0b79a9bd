/**
 * Values of state as JSON, for people who ask for them. What JSON has no form for becomes a text: a whole number
 * that is not safe, a number that is not finite, bytes (as hexadecimal digits), a date.
 */
import type { Json } from '../../contracts/json.ts';
import { timestampText } from '../../expr/date-text.ts';

export function shownValue(value: unknown): Json {
  if (value === null || value === undefined) return null;
  switch (typeof value) {
    case 'boolean':
    case 'string':
      return value;
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'bigint': {
      const number = Number(value);
      return Number.isSafeInteger(number) ? number : String(value);
    }
    default:
      return shownObject(value);
  }
}

/** A time as ISO text; null where there is none, as at the ends of all time. */
export function shownTime(timeMs: number): string | null {
  return Number.isSafeInteger(timeMs) ? timestampText(BigInt(timeMs), 'ms') : null;
}

function shownObject(value: unknown): Json {
  if (value instanceof Uint8Array) {
    return Array.from(value, (byte) => byte.toString(16).padStart(2, '0')).join('');
  }
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(shownValue);
  const entries = Object.entries(value as object);
  return Object.fromEntries(entries.map(([name, one]) => [name, shownValue(one)]));
}
