/**
 * Views of utf8 values: 16 bytes per value, 8-byte aligned, after the "German strings" of Umbra.
 *
 *     offset  0   u32  length in bytes
 *             4   u32  address of the bytes; 0 when the length is at most 8
 *             8   u64  the first 8 bytes, padded with zeroes; up to 8 bytes this is the value
 *
 * Why: a filter, join or sort moves 16 bytes whatever the text; most comparisons end at length and
 * prefix; and two short values are equal exactly when their 16 bytes are. A null is 16 zero bytes,
 * like the empty text: the validity bitmap tells them apart.
 *
 * The bytes are well-formed UTF-8: they were checked where they entered the engine (asserted when a
 * view is read as text).
 * @see Neumann and Freitag 2020, Umbra: the layout, there with a prefix of 4 bytes.
 */
import { assert } from '../../base/assert.ts';
import type { SlotMemory } from '../memory/slot-memory.ts';

export const utf8ViewSize = 16;
/** Values of up to this many bytes are in the view itself. */
export const inlineSizeMax = 8;
/** ASCII of up to this many bytes is read in a plain loop, in a third to half of the decoder's time. */
const plainSizeMax = 12;

/** `ignoreBOM` keeps a byte order mark as the character that it is in the middle of a text. */
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Writes the view of `sizeBytes` bytes that are in the memory at `bytesAddress`. */
export function writeView(
  memory: SlotMemory,
  view: number,
  bytesAddress: number,
  sizeBytes: number,
): void {
  const { bytes, uint32 } = memory;
  const word = view >>> 2;
  const isInline = sizeBytes <= inlineSizeMax;
  uint32[word] = sizeBytes;
  uint32[word + 1] = isInline ? 0 : bytesAddress;
  uint32[word + 2] = 0;
  uint32[word + 3] = 0;
  const prefixSize = isInline ? sizeBytes : inlineSizeMax;
  for (let index = 0; index < prefixSize; index++) {
    bytes[view + 8 + index] = bytes[bytesAddress + index]!;
  }
}

/** Writes the view of a null or an empty text. */
export function clearView(memory: SlotMemory, view: number): void {
  memory.uint32.fill(0, view >>> 2, (view >>> 2) + 4);
}

export function viewSizeOf(memory: SlotMemory, view: number): number {
  return memory.uint32[view >>> 2]!;
}

/** Where the bytes of the value are: in the view itself, or where it points to. */
export function viewBytesAddress(memory: SlotMemory, view: number): number {
  const word = view >>> 2;
  return memory.uint32[word]! <= inlineSizeMax ? view + 8 : memory.uint32[word + 1]!;
}

/** The bytes of the value, in place: valid as long as the block that holds them. */
export function viewBytes(memory: SlotMemory, view: number): Uint8Array<ArrayBuffer> {
  const start = viewBytesAddress(memory, view);
  return memory.bytes.subarray(start, start + viewSizeOf(memory, view));
}

/** The value as JavaScript text. */
export function viewText(memory: SlotMemory, view: number): string {
  return textAt(memory, viewBytesAddress(memory, view), viewSizeOf(memory, view));
}

/** The text of `size` bytes at an address. */
export function textAt({ bytes }: SlotMemory, start: number, size: number): string {
  if (size === 0) return '';
  // Short ASCII, the most frequent case, needs no decoder.
  if (size <= plainSizeMax) {
    const text = asciiText(bytes, start, size);
    if (text !== null) return text;
  }
  return decodeUtf8(bytes.subarray(start, start + size));
}

/** Decodes well-formed UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    assert(false, 'text in a batch is well-formed UTF-8');
  }
}

function asciiText(bytes: Uint8Array, start: number, size: number): string | null {
  const end = start + size;
  let text = '';
  let index = start;
  // Four at a time: half the strings on the way.
  for (; index + 4 <= end; index += 4) {
    const [a, b] = [bytes[index]!, bytes[index + 1]!];
    const [c, d] = [bytes[index + 2]!, bytes[index + 3]!];
    if ((a | b | c | d) > 0x7f) return null;
    text += String.fromCharCode(a, b, c, d);
  }
  for (; index < end; index++) {
    const byte = bytes[index]!;
    if (byte > 0x7f) return null;
    text += String.fromCharCode(byte);
  }
  return text;
}
