/** Where the text of values goes: the output buffer, or something that stands before it. */
export interface TextOutput {
  /** 64 bytes in which a value may be put together before it is written. */
  readonly scratch: Uint8Array;
  writeByte(byte: number): void;
  /** Writes text that has ASCII characters only (not checked). */
  writeAscii(text: string): void;
  /** Writes bytes that are not in the slot's memory. */
  writeBytes(from: Uint8Array): void;
  /** Writes bytes of the slot's memory. */
  copyFrom(address: number, sizeBytes: number): void;
}

/** Doubles every quote on its way: what CSV has between quotes. */
export class QuotedOutput implements TextOutput {
  readonly scratch: Uint8Array;
  readonly #output: TextOutput;
  readonly #quote: number;
  readonly #bytes: Uint8Array;

  /** @param bytes - The slot's memory. */
  constructor(output: TextOutput, quote: number, bytes: Uint8Array) {
    this.scratch = output.scratch;
    this.#output = output;
    this.#quote = quote;
    this.#bytes = bytes;
  }

  writeByte(byte: number): void {
    if (byte === this.#quote) this.#output.writeByte(byte);
    this.#output.writeByte(byte);
  }

  writeAscii(text: string): void {
    for (let index = 0; index < text.length; index++) this.writeByte(text.charCodeAt(index));
  }

  writeBytes(from: Uint8Array): void {
    for (let index = 0; index < from.length; index++) this.writeByte(from[index]!);
  }

  copyFrom(address: number, sizeBytes: number): void {
    const end = address + sizeBytes;
    let from = address;
    for (let at = address; at < end; at++) {
      if (this.#bytes[at] !== this.#quote) continue;
      this.#output.copyFrom(from, at + 1 - from);
      from = at; // The quote again: two of them stand for one.
    }
    this.#output.copyFrom(from, end - from);
  }
}
