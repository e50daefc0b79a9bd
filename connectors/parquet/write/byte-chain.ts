/** The bytes of a chunk, kept until they are written. */
import {
  addressOf,
  type BlockHandle,
  type MemoryScope,
} from '../../../engine/memory/slot-memory.ts';
import type { OutputBuffer } from '../../formats/output-buffer.ts';

/** 256 KiB: a few for each column. */
const linkBytes = 256 << 10;

/** Bytes that are kept until they are written: in blocks of one size, so nothing is moved or wasted. */
export class ByteChain {
  readonly #scope: MemoryScope;
  #blocks: BlockHandle[] = [];
  #length = 0;

  constructor(scope: MemoryScope) {
    this.#scope = scope;
  }

  get length(): number {
    return this.#length;
  }

  /** Appends bytes of the slot's memory. */
  append(address: number, sizeBytes: number): void {
    const { bytes } = this.#scope.memory;
    this.#appendParts(sizeBytes, (to, from, size) => {
      bytes.copyWithin(to, address + from, address + from + size);
    });
  }

  /** Appends bytes of JavaScript's. */
  appendBytes(given: Uint8Array): void {
    const { bytes } = this.#scope.memory;
    this.#appendParts(given.length, (to, from, size) => {
      bytes.set(given.subarray(from, from + size), to);
    });
  }

  writeTo(output: OutputBuffer): void {
    for (let at = 0; at < this.#length; at += linkBytes) {
      const block = this.#blocks[at / linkBytes] ?? 0;
      output.copyFrom(addressOf(block), Math.min(linkBytes, this.#length - at));
    }
  }

  clear(): void {
    const blocks = this.#blocks;
    this.#blocks = [];
    this.#length = 0;
    for (const block of blocks) this.#scope.memory.release(block);
  }

  #appendParts(
    sizeBytes: number,
    copy: (to: number, from: number, sizeBytes: number) => void,
  ): void {
    for (let done = 0; done < sizeBytes; ) {
      const inLink = this.#length % linkBytes;
      if (inLink === 0) this.#blocks.push(this.#scope.allocate(linkBytes));
      const size = Math.min(sizeBytes - done, linkBytes - inLink);
      copy(addressOf(this.#blocks.at(-1) ?? 0) + inLink, done, size);
      this.#length += size;
      done += size;
    }
  }
}
