/** Bytes in the making: what a WebAssembly module consists of, numbers in LEB128 among it. */
export class ByteWriter {
  #bytes = new Uint8Array(256);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  byte(value: number): this {
    if (this.#length === this.#bytes.length) this.#grow(this.#length + 1);
    this.#bytes[this.#length++] = value;
    return this;
  }

  /** A whole number from 0 up to 2^32 - 1. */
  unsigned(value: number): this {
    let rest = value;
    while (rest >= 0x80) {
      this.byte((rest % 0x80) | 0x80);
      rest = Math.floor(rest / 0x80);
    }
    return this.byte(rest);
  }

  /** A signed number of up to 64 bits. */
  signed(value: bigint): this {
    let rest = value;
    for (;;) {
      const low = Number(rest & 0x7fn);
      rest >>= 7n;
      const isLast = rest === ((low & 0x40) === 0 ? 0n : -1n);
      this.byte(isLast ? low : low | 0x80);
      if (isLast) return this;
    }
  }

  float64(value: number): this {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setFloat64(0, value, true);
    return this.append(bytes);
  }

  /** A name: its length and its bytes, which are ASCII here. */
  name(text: string): this {
    this.unsigned(text.length);
    for (let index = 0; index < text.length; index++) this.byte(text.charCodeAt(index));
    return this;
  }

  append(bytes: Uint8Array): this {
    const end = this.#length + bytes.length;
    if (end > this.#bytes.length) this.#grow(end);
    this.#bytes.set(bytes, this.#length);
    this.#length = end;
    return this;
  }

  /** What was written so far. */
  bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  #grow(sizeMin: number): void {
    const grown = new Uint8Array(Math.max(sizeMin, this.#bytes.length * 2));
    grown.set(this.#bytes);
    this.#bytes = grown;
  }
}
