/** References of pack-keys.as.ts: the bytes of one key, part by part, and the parts back. */

/** A value of a key: its bytes as they lie in a column, null, and whether it is a text. */
export interface KeyValue {
  readonly bytes: Uint8Array | null;
  /** Bytes of its type; null of a text. */
  readonly size: number | null;
}

/** The key of a row whose columns are nullable or not. */
export function packKey(
  values: readonly KeyValue[],
  { hasNulls, isAligned }: { readonly hasNulls: boolean; readonly isAligned: boolean },
): Uint8Array {
  const head: number[] = hasNulls ? nullBytesOf(values) : [];
  for (const { bytes, size } of values) {
    if (size === null) head.push(...lengthBytes(bytes?.length ?? 0));
    else head.push(...(bytes ?? new Uint8Array(size)));
  }
  const key = head;
  const align = () => {
    while (isAligned && key.length % 8 !== 0) key.push(0);
  };
  align();
  for (const { bytes, size } of values) {
    if (size !== null) continue;
    align();
    key.push(...(bytes ?? []));
  }
  return Uint8Array.from(key);
}

/** One bit per value, set where it is null. */
function nullBytesOf(values: readonly KeyValue[]): number[] {
  const bytes = new Array<number>(Math.ceil(values.length / 8)).fill(0);
  values.forEach(({ bytes: value }, index) => {
    if (value === null) bytes[index >>> 3] = (bytes[index >>> 3] ?? 0) | (1 << (index & 7));
  });
  return bytes;
}

function lengthBytes(length: number): number[] {
  return [length & 255, (length >>> 8) & 255, (length >>> 16) & 255, length >>> 24];
}
