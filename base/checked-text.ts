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

/**
 * The version of such a file of any version, whose JSON says it as `version`, too; null when it is not whole. So a bit
 * that flips in its head does not make a file look newer.
 */
export function versionOf(name: string, bytes: Uint8Array): number | null {
  const head = asciiOf(bytes.subarray(0, name.length + 8));
  const version = Number(/^-(\d{1,6}) /.exec(head.slice(name.length))?.[1]);
  const body = decodeChecked(`${name}-${version}`, bytes);
  return body !== null && JSON.parse(body).version === version ? version : null;
}

function asciiOf(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
