/**
 * The text of one utf8 column in the making: JavaScript strings become views, with their bytes
 * encoded straight into blocks of the slot's memory.
 *
 * ASCII of moderate length is written in a plain loop, since calling the encoder costs as much as
 * writing some 50 bytes; the encoder does the rest. A lone surrogate, which UTF-8 cannot express,
 * becomes U+FFFD, as everywhere on the web.
 */
import { addressOf, type BlockHandle, type MemoryScope } from '../memory/slot-memory.ts';
import { inlineSizeMax, writeView } from './utf8-view.ts';

const chunkBytes = 65_536;
const firstChunkBytes = 4096;
const plainLoopMax = 48;

const encoder = new TextEncoder();

export class TextArena {
  readonly #scope: MemoryScope;
  #blocks: BlockHandle[] = [];
  #at = 0;
  #end = 0;
  #closedBytes = 0;
  #chunkStart = 0;

  constructor(scope: MemoryScope) {
    this.#scope = scope;
  }

  get blocks(): readonly BlockHandle[] {
    return this.#blocks;
  }

  /** Bytes of text written, without those that are in the views. */
  get usedBytes(): number {
    return this.#closedBytes + this.#at - this.#chunkStart;
  }

  /** Writes the text's bytes, and its view at the address `view`. */
  writeText(view: number, text: string): void {
    const { length } = text;
    if (length <= inlineSizeMax && this.#writeInline(view, text)) return;
    if (length <= plainLoopMax && this.#writePlain(view, text)) return;
    this.#writeEncoded(view, text);
  }

  /** Copies bytes that are not in the memory, and writes their view. */
  writeBytes(view: number, bytes: Uint8Array): void {
    const size = bytes.length;
    const { memory } = this.#scope;
    this.#reserve(size);
    memory.bytes.set(bytes, this.#at);
    writeView(memory, view, this.#at, size);
    if (size > inlineSizeMax) this.#at += size;
  }

  /** The blocks belong to somebody else now; starts anew. */
  forget(): void {
    this.#blocks = [];
    this.#at = 0;
    this.#end = 0;
    this.#closedBytes = 0;
    this.#chunkStart = 0;
  }

  /** Up to 8 ASCII characters, into the view itself; false when there are others. */
  #writeInline(view: number, text: string): boolean {
    const { length } = text;
    let low = 0;
    let high = 0;
    for (let index = 0; index < length; index++) {
      const code = text.charCodeAt(index);
      if (code > 0x7f) return false;
      if (index < 4) low |= code << (index * 8);
      else high |= code << ((index - 4) * 8);
    }
    const { uint32 } = this.#scope.memory;
    const word = view >>> 2;
    uint32[word] = length;
    uint32[word + 1] = 0;
    uint32[word + 2] = low;
    uint32[word + 3] = high;
    return true;
  }

  /** ASCII of moderate length; false, with nothing kept, when there are other characters. */
  #writePlain(view: number, text: string): boolean {
    const { length } = text;
    this.#reserve(length);
    const { memory } = this.#scope;
    const { bytes } = memory;
    const start = this.#at;
    for (let index = 0; index < length; index++) {
      const code = text.charCodeAt(index);
      if (code > 0x7f) return false;
      bytes[start + index] = code;
    }
    this.#at = start + length;
    writeView(memory, view, start, length);
    return true;
  }

  #writeEncoded(view: number, text: string): void {
    // A UTF-16 unit takes at most 3 bytes; long texts are measured, not to reserve three times.
    this.#reserve(text.length <= chunkBytes / 8 ? text.length * 3 : utf8SizeOf(text));
    const { memory } = this.#scope;
    const start = this.#at;
    const { written } = encoder.encodeInto(text, memory.bytes.subarray(start, this.#end));
    if (written > inlineSizeMax) this.#at = start + written;
    writeView(memory, view, start, written);
  }

  #reserve(sizeBytes: number): void {
    if (this.#end - this.#at >= sizeBytes) return;
    const usual = this.#blocks.length === 0 ? firstChunkBytes : chunkBytes;
    const block = this.#scope.allocate(Math.max(usual, sizeBytes));
    this.#closedBytes += this.#at - this.#chunkStart;
    this.#blocks.push(block);
    this.#at = addressOf(block);
    this.#chunkStart = this.#at;
    this.#end = this.#at + this.#scope.memory.sizeOf(block);
  }
}

/** Bytes of the text in UTF-8, a lone surrogate counted as U+FFFD. */
export function utf8SizeOf(text: string): number {
  let size = text.length;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x80) continue;
    if (code < 0x800) {
      size += 1;
    } else if (isPairAt(text, index, code)) {
      // Two units, four bytes.
      size += 2;
      index++;
    } else {
      size += 2;
    }
  }
  return size;
}

function isPairAt(text: string, index: number, code: number): boolean {
  if (code < 0xd800 || code > 0xdbff) return false;
  const next = text.charCodeAt(index + 1);
  return next >= 0xdc00 && next <= 0xdfff;
}
