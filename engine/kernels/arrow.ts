/** References of arrow.as.ts: what each row of an Arrow column is, or where it is wrong. */
import { firstInvalidUtf8 } from './text.ts';

const distanceMax = 2n ** 31n - 1n;

/** How many offsets are fine, and their distances from the first. */
export function narrowedOffsets(offsets: readonly bigint[]): number[] {
  const first = offsets[0] ?? 0n;
  const distances = offsets.map((offset) => offset - first);
  const bad = distances.findIndex((distance) => distance < 0n || distance > distanceMax);
  return distances.slice(0, bad < 0 ? distances.length : bad).map(Number);
}

/** The first row whose offsets descend, or that starts inside of a character. */
export function badOffsetRow(
  offsets: readonly number[],
  bytes: Uint8Array,
  isText: boolean,
): number {
  const last = offsets.at(-1) ?? 0;
  const rows = offsets.slice(0, -1);
  const bad = rows.findIndex((start, row) => {
    const isInside = isText && start < last && ((bytes[start] ?? 0) & 0xc0) === 0x80;
    return (offsets[row + 1] ?? 0) < start || isInside;
  });
  return bad < 0 ? rows.length : bad;
}

/** The texts by index, null where the index is null; as far as the indexes are right. */
export function indexedTexts(
  indexes: readonly (number | null)[],
  texts: readonly Uint8Array[],
): (Uint8Array | null)[] {
  const isBad = (index: number | null) => index !== null && texts[index] === undefined;
  const bad = indexes.findIndex(isBad);
  const right = bad < 0 ? indexes : indexes.slice(0, bad);
  return right.map((index) => (index === null ? null : (texts[index] ?? null)));
}

/** The first text that is not UTF-8. */
export function invalidTextRow(texts: readonly Uint8Array[]): number {
  const bad = texts.findIndex((text) => firstInvalidUtf8(text) !== null);
  return bad < 0 ? texts.length : bad;
}
