/** References of runs.as.ts: Parquet's runs, value by value, and a writer of them. */

/** A repeated value, or values that are packed; the last group of those is filled up with zeroes. */
export type Run =
  | { readonly value: number; readonly count: number }
  | { readonly packed: readonly number[] };

/** The bytes of runs whose values have `width` bits. */
export function bytesOfRuns(runs: readonly Run[], width: number): Uint8Array {
  const bytes: number[] = [];
  for (const run of runs) {
    if ('packed' in run) {
      const groups = Math.ceil(run.packed.length / 8);
      pushVarint(bytes, groups * 2 + 1);
      pushPacked(bytes, run.packed, groups * 8, width);
    } else {
      pushVarint(bytes, run.count * 2);
      for (let byte = 0; byte < Math.ceil(width / 8); byte++) {
        bytes.push(Math.floor(run.value / 256 ** byte) & 0xff);
      }
    }
  }
  return Uint8Array.from(bytes);
}

/** The first `count` values; fewer where they end before. */
export function valuesOfRuns(bytes: Uint8Array, width: number, count: number): number[] {
  const values: number[] = [];
  let at = 0;
  while (values.length < count) {
    const header = headerAt(bytes, at);
    if (header === null) break;
    at = header.end;
    const isPacked = header.value % 2 === 1;
    const size = Math.floor(header.value / 2);
    const left = count - values.length;
    if (isPacked) {
      const room = width === 0 ? size * 8 : Math.floor(((bytes.length - at) * 8) / width);
      const wanted = Math.min(left, size * 8, room);
      for (let index = 0; index < wanted; index++) values.push(packedAt(bytes, at, index, width));
      at = Math.min(bytes.length, at + size * width);
    } else {
      const valueBytes = Math.ceil(width / 8);
      if (at + valueBytes > bytes.length) break;
      const value = packedAt(bytes, at, 0, valueBytes * 8);
      for (let index = 0; index < Math.min(left, size); index++) values.push(value);
      at += valueBytes;
    }
  }
  return values;
}

function headerAt(bytes: Uint8Array, start: number): { value: number; end: number } | null {
  let value = 0;
  for (let index = 0; index < 5; index++) {
    const byte = bytes[start + index];
    if (byte === undefined) return null;
    value += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) return { value, end: start + index + 1 };
  }
  return null;
}

function packedAt(bytes: Uint8Array, at: number, index: number, width: number): number {
  let value = 0;
  for (let bit = 0; bit < width; bit++) {
    const place = index * width + bit;
    value += (((bytes[at + (place >>> 3)] ?? 0) >>> (place & 7)) & 1) * 2 ** bit;
  }
  return value;
}

function pushVarint(bytes: number[], value: number): void {
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  bytes.push(rest);
}

function pushPacked(
  bytes: number[],
  values: readonly number[],
  count: number,
  width: number,
): void {
  const start = bytes.length;
  for (let byte = 0; byte < (count * width) / 8; byte++) bytes.push(0);
  values.forEach((value, index) => {
    for (let bit = 0; bit < width; bit++) {
      const place = index * width + bit;
      const isSet = Math.floor(value / 2 ** bit) % 2;
      bytes[start + (place >>> 3)] = (bytes[start + (place >>> 3)] ?? 0) | (isSet << (place & 7));
    }
  });
}
