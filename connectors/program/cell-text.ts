/**
 * Values as a table on a terminal shows them: one line each, whatever they hold.
 *
 *     null           `null`                          binary          0x00ff, in full
 *     timestamp      ISO 8601, UTC                   list, struct    as JSON, nearly
 *     text           as it is; line breaks and other control characters as JSON writes them
 */
import type { FieldType } from '../../engine/schema/field-type.ts';

const dateMsMax = 8.64e15;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
const controls = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;

/** @param value - As a user's function reads it. */
export function cellText(value: unknown, type: FieldType): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return value.replace(controls, escaped);
  if (type.kind === 'timestamp') return timestampText(value as number | bigint);
  if (value instanceof Uint8Array) return hexText(value);
  if (typeof value === 'object') return JSON.stringify(value, plainPart).replace(controls, escaped);
  return String(value);
}

/** Whether a column stands to the right. */
export function isNumberType({ kind }: FieldType): boolean {
  return /^(u?int|float|decimal)/.test(kind);
}

/** Milliseconds as a number, microseconds as a bigint. */
function timestampText(value: number | bigint): string {
  if (typeof value === 'number') {
    return Math.abs(value) <= dateMsMax ? new Date(value).toISOString() : String(value);
  }
  const micros = ((value % 1000n) + 1000n) % 1000n;
  const ms = Number((value - micros) / 1000n);
  if (Math.abs(ms) > dateMsMax) return String(value);
  return `${new Date(ms).toISOString().slice(0, -1)}${String(micros).padStart(3, '0')}Z`;
}

function hexText(bytes: Uint8Array): string {
  return `0x${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

/** JSON has no bigint and no bytes. */
function plainPart(_name: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  return value instanceof Uint8Array ? hexText(value) : value;
}

function escaped(character: string): string {
  const text = JSON.stringify(character).slice(1, -1);
  if (text !== character) return text;
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
