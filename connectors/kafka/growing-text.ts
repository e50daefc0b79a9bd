/** Text of values that grows in plain memory: where keys and values are written before they become records. */
import type { SlotMemory } from '../../engine/memory/slot-memory.ts';
import type { TextOutput } from '../formats/text-output.ts';

const firstBytes = 64 << 10;
const scratchBytes = 64;
/** Below this a loop copies faster than a call. */
const callBytesMin = 48;

export class GrowingText implements TextOutput {
  readonly scratch = new Uint8Array(scratchBytes);
  /** Where `copyFrom` copies from. */
  readonly memory: SlotMemory;
  #bytes = new Uint8Array(firstBytes);
  #length = 0;

  constructor(memory: SlotMemory) {
    this.memory = memory;
  }

  get length(): number {
    return this.#length;
  }

  /** What is written, in place: valid until more is written. */
  get written(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
  }

  writeByte(byte: number): void {
    if (this.#length === this.#bytes.length) this.#reserve(1);
    this.#bytes[this.#length++] = byte;
  }

  writeAscii(text: string): void {
    for (let index = 0; index < text.length; index++) this.writeByte(text.charCodeAt(index));
  }

  writeBytes(from: Uint8Array): void {
    this.#reserve(from.length);
    this.#bytes.set(from, this.#length);
    this.#length += from.length;
  }

  copyFrom(address: number, sizeBytes: number): void {
    this.#reserve(sizeBytes);
    const { bytes } = this.memory;
    if (sizeBytes < callBytesMin) {
      for (let index = 0; index < sizeBytes; index++) {
        this.#bytes[this.#length + index] = bytes[address + index]!;
      }
    } else {
      this.#bytes.set(bytes.subarray(address, address + sizeBytes), this.#length);
    }
    this.#length += sizeBytes;
  }

  #reserve(sizeBytes: number): void {
    const wanted = this.#length + sizeBytes;
    if (wanted <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(wanted, this.#bytes.length * 2));
    larger.set(this.written);
    this.#bytes = larger;
  }
}
