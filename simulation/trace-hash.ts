/**
 * The trace hash: one number for all that happened in a run, in its order. Two runs of one seed must
 * have equal ones; a difference means that something outside the seams had a say.
 */

export class TraceHash {
  #low = 0x9e3779b9;
  #high = 0x243f6a88;
  readonly #words = new Uint32Array(2);
  readonly #number = new Float64Array(this.#words.buffer);

  addNumber(value: number): void {
    this.#number[0] = value;
    this.#mix(this.#words[0] ?? 0);
    this.#mix(this.#words[1] ?? 0);
  }

  addText(text: string): void {
    for (let index = 0; index < text.length; index++) this.#mix(text.charCodeAt(index));
    this.#mix(text.length);
  }

  /** 16 lower-case hex digits. */
  digest(): string {
    const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, '0');
    return hex(this.#high) + hex(this.#low);
  }

  #mix(word: number): void {
    this.#low = Math.imul(this.#low ^ word, 0x85ebca6b);
    this.#low ^= this.#low >>> 13;
    this.#high = Math.imul(this.#high ^ (word + this.#low), 0xc2b2ae35);
    this.#high ^= this.#high >>> 16;
  }
}
