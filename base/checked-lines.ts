/**
 * Logs of lines that say whether they are whole (checked-text.ts): each line is one write, and the next is written only when
 * it is durable. So after a crash only the end can be torn, and nobody was told of it.
 *
 *     millrace-metadata-1 1a2b3c4d {"version":1, …}\n        whole
 *     millrace-metadata-1 5e6f7a8b {"version":1, …}\n        whole
 *     millrace-metadata-1 9c0d1e2f {"vers                    torn: cut off
 *
 * What is not whole with a whole line behind it is damage, not the end of a write: an error, never a guess. What no checksum can
 * tell: damage to the very last line looks like a write that was cut short.
 */
import { decodeChecked, encodeChecked, versionOf } from './checked-text.ts';

export interface LineFormat {
  /** Name without version, such as `millrace-metadata`. */
  readonly name: string;
  readonly version: number;
}

export interface CheckedLines {
  /** The JSON of each whole line. */
  readonly bodies: readonly string[];
  /** Bytes behind the last whole line. */
  readonly tornBytes: number;
  /** The line, 1-based, that is not whole though one behind it is. */
  readonly damagedLine: number | null;
  /** The version of a line that is whole, and newer than what is read here. */
  readonly newerVersion: number | null;
}

const lineEnd = 0x0a;

/** `body` with the version in front: a bit that flips in the head does not make a line look newer. */
export function encodeCheckedLine(
  { name, version }: LineFormat,
  body: object,
): Uint8Array<ArrayBuffer> {
  return encodeChecked(`${name}-${version}`, JSON.stringify({ version, ...body }));
}

export function decodeCheckedLines({ name, version }: LineFormat, bytes: Uint8Array): CheckedLines {
  const lines = linesOf(bytes);
  const format = `${name}-${version}`;
  const bodies: string[] = [];
  for (const line of lines) {
    const body = decodeChecked(format, line);
    if (body === null) break;
    bodies.push(body);
  }
  const torn = lines.slice(bodies.length);
  const newer = torn.map((line) => versionOf(name, line) ?? 0).filter((found) => found > version);
  return {
    bodies,
    tornBytes: torn.reduce((sum, line) => sum + line.length, 0),
    damagedLine: torn.some((line) => hidesWholeLine(format, line)) ? bodies.length + 1 : null,
    newerVersion: newer[0] ?? null,
  };
}

/** With their ends; what is behind the last end is one, too. */
function linesOf(bytes: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  for (let start = 0; start < bytes.length; ) {
    const found = bytes.indexOf(lineEnd, start);
    const end = found < 0 ? bytes.length : found + 1;
    lines.push(bytes.subarray(start, end));
    start = end;
  }
  return lines;
}

/** True for a whole line, and for what ends with one because the end of the line before it is damaged. */
function hidesWholeLine(format: string, line: Uint8Array): boolean {
  const name = new TextEncoder().encode(`${format} `);
  for (let at = 0; at + name.length < line.length; at++) {
    const isName = name.every((byte, index) => line[at + index] === byte);
    if (isName && decodeChecked(format, line.subarray(at)) !== null) return true;
  }
  return false;
}
