/** References of text.as.ts: the same answers, a byte at a time. */

/** Lines as half-open ranges, and the index behind the last line taken. */
export function linesOf(text: Uint8Array, isLast: boolean, rowsMax = Number.POSITIVE_INFINITY) {
  const lines: { readonly start: number; readonly end: number }[] = [];
  let start = 0;
  for (let index = 0; index < text.length && lines.length < rowsMax; index++) {
    if (text[index] !== 10) continue;
    const end = index > start && text[index - 1] === 13 ? index - 1 : index;
    lines.push({ start, end });
    start = index + 1;
  }
  if (isLast && lines.length < rowsMax && start < text.length) {
    lines.push({ start, end: text.length });
    start = text.length;
  }
  return { lines, consumed: start };
}

/** Smallest and largest second byte, and length, by first byte: table 3-7 of the Unicode standard. */
const sequences = [
  { first: 0xc2, last: 0xdf, low: 0x80, high: 0xbf, length: 2 },
  { first: 0xe0, last: 0xe0, low: 0xa0, high: 0xbf, length: 3 },
  { first: 0xe1, last: 0xec, low: 0x80, high: 0xbf, length: 3 },
  { first: 0xed, last: 0xed, low: 0x80, high: 0x9f, length: 3 },
  { first: 0xee, last: 0xef, low: 0x80, high: 0xbf, length: 3 },
  { first: 0xf0, last: 0xf0, low: 0x90, high: 0xbf, length: 4 },
  { first: 0xf1, last: 0xf3, low: 0x80, high: 0xbf, length: 4 },
  { first: 0xf4, last: 0xf4, low: 0x80, high: 0x8f, length: 4 },
] as const;

/** The first sequence that is not well-formed, or null; `isCut` when only the end of it lacks. */
export function firstInvalidUtf8(bytes: Uint8Array): { index: number; isCut: boolean } | null {
  let index = 0;
  while (index < bytes.length) {
    const lead = bytes[index]!;
    if (lead < 0x80) {
      index++;
      continue;
    }
    const sequence = sequences.find(({ first, last }) => first <= lead && lead <= last);
    if (sequence === undefined) return { index, isCut: false };
    for (let offset = 1; offset < sequence.length; offset++) {
      if (index + offset === bytes.length) return { index, isCut: true };
      const byte = bytes[index + offset]!;
      const [low, high] = offset === 1 ? [sequence.low, sequence.high] : [0x80, 0xbf];
      if (byte < low || byte > high) return { index, isCut: false };
    }
    index += sequence.length;
  }
  return null;
}
