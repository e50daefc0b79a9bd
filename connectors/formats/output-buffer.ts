/**
 * Bytes on their way out: writers put them into one block of the slot's memory, and a full block goes
 * to the sink in one call. The block is charged to the operator, like all it holds.
 */
import { assert } from '../../base/assert.ts';
import {
  addressOf,
  type BlockHandle,
  type MemoryScope,
  type SlotMemory,
} from '../../engine/memory/slot-memory.ts';
import type { TextOutput } from './text-output.ts';

/** 256 KiB: larger writes gain nothing, and it stays in the processor's cache. */
const sizeBytesDefault = 256 << 10;
/** Below this a loop copies faster than a call. */
const callBytesMin = 48;

/** Longer than any number or timestamp (30 bytes), and than a decimal of 38 digits behind the point. */
const scratchBytes = 64;

export class OutputBuffer implements TextOutput {
  readonly scratch = new Uint8Array(scratchBytes);
  /** Where `copyFrom` copies from. */
  readonly memory: SlotMemory;
  readonly #scope: MemoryScope;
  readonly #send: (bytes: Uint8Array) => void;
  readonly #bytes: Uint8Array;
  #block: BlockHandle;
  readonly #start: number;
  readonly #end: number;
  #position: number;

  /** @param send - Takes the bytes at once; they are overwritten afterwards. */
  constructor(scope: MemoryScope, send: (bytes: Uint8Array) => void, sizeBytes = sizeBytesDefault) {
    this.#scope = scope;
    this.memory = scope.memory;
    this.#send = send;
    this.#bytes = scope.memory.bytes;
    this.#block = scope.allocate(sizeBytes);
    this.#start = addressOf(this.#block);
    this.#end = this.#start + sizeBytes;
    this.#position = this.#start;
  }

  writeByte(byte: number): void {
    if (this.#position === this.#end) this.flush();
    this.#bytes[this.#position++] = byte;
  }

  writeBytes(from: Uint8Array): void {
    for (let index = 0; index < from.length; index++) this.writeByte(from[index]!);
  }

  writeAscii(text: string): void {
    for (let index = 0; index < text.length; index++) this.writeByte(text.charCodeAt(index));
  }

  /** Writes bytes of the slot's memory; they may be more than the buffer holds. */
  copyFrom(address: number, sizeBytes: number): void {
    let from = address;
    let left = sizeBytes;
    while (left > 0) {
      if (this.#position === this.#end) this.flush();
      const size = Math.min(left, this.#end - this.#position);
      if (size < callBytesMin) {
        for (let index = 0; index < size; index++) {
          this.#bytes[this.#position + index] = this.#bytes[from + index]!;
        }
      } else {
        this.#bytes.copyWithin(this.#position, from, from + size);
      }
      this.#position += size;
      from += size;
      left -= size;
    }
  }

  flush(): void {
    if (this.#position === this.#start) return;
    this.#send(this.#bytes.subarray(this.#start, this.#position));
    this.#position = this.#start;
  }

  /** Gives the memory back; what was not flushed is lost. */
  close(): void {
    assert(this.#block !== 0, 'a buffer is closed once');
    this.#scope.memory.release(this.#block);
    this.#block = 0;
  }
}
