/**
 * Small files that say whether they are whole: one line with the name and version of the format, the CRC32C of what
 * follows, and that, which is JSON.
 *
 *     millrace-lease-1 1a2b3c4d {"version":7, …}\n
 */
import { crc32c } from './checksum.ts';

export function encodeChecked(format: string, body: string): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  const checksum = crc32c(encoder.encode(body)).toString(16).padStart(8, '0');
  return encoder.encode(`${format} ${checksum} ${body}\n`);
}

/** The body of such a file; null when the bytes are not exactly what was once written in that format. */
export function decodeChecked(format: string, bytes: Uint8Array): string | null {
  const headBytes = format.length + 10;
  const head = asciiOf(bytes.subarray(0, headBytes));
  const body = bytes.subarray(headBytes, -1);
  const isWhole = bytes.length > headBytes && bytes.at(-1) === 0x0a;
  const checksum = crc32c(body).toString(16).padStart(8, '0');
  if (!isWhole || head !== `${format} ${checksum} `) return null;
  return new TextDecoder().decode(body);
}

/** The name and version of the format that the bytes begin with, whatever else they are. */
export function formatOf(bytes: Uint8Array): { name: string; version: number } | null {
  const match = /^([a-z-]{1,60})-(\d{1,6}) /.exec(asciiOf(bytes.subarray(0, 70)));
  return match === null ? null : { name: match[1] ?? '', version: Number(match[2]) };
}

function asciiOf(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
