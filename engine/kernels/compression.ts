/** References of snappy.as.ts, lz4.as.ts and lz4-frame.as.ts: the formats, byte by byte. */

/** Bytes that are read in order; beyond the end they are NaN, which no comparison is true for. */
class Input {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get rest(): number {
    return this.#bytes.length - this.#at;
  }

  byte(): number {
    return this.#bytes[this.#at++] ?? Number.NaN;
  }

  /** A number of so many bytes, the lowest first. */
  number(size: number): number {
    let value = 0;
    for (let index = 0; index < size; index++) value += this.byte() * 256 ** index;
    return value;
  }

  take(size: number): Uint8Array {
    this.#at += size;
    return this.#bytes.subarray(this.#at - size, this.#at);
  }
}

/** Bytes that grow at their end, up to a size. */
class Output {
  readonly bytes: number[] = [];
  readonly #size: number;

  constructor(size: number) {
    this.#size = size;
  }

  /** False when they aren't all there, or too many. */
  literal(input: Input, size: number): boolean {
    if (!(size <= input.rest && this.bytes.length + size <= this.#size)) return false;
    this.bytes.push(...input.take(size));
    return true;
  }

  /** False when there is nothing so far back, or too many. */
  copy(distance: number, size: number): boolean {
    const isThere = distance >= 1 && distance <= this.bytes.length;
    if (!(isThere && this.bytes.length + size <= this.#size)) return false;
    for (let done = 0; done < size; done++) {
      this.bytes.push(this.bytes[this.bytes.length - distance] ?? 0);
    }
    return true;
  }

  /** Null when there are fewer than expected. */
  finish(): Uint8Array | null {
    return this.bytes.length === this.#size ? Uint8Array.from(this.bytes) : null;
  }
}

/** The `size` bytes that Snappy compressed; null where the input is damaged, or has another count. */
export function snappyUncompressed(bytes: Uint8Array, size: number): Uint8Array | null {
  const input = new Input(bytes);
  const output = new Output(size);
  if (snappyLength(input) !== size) return null;
  while (input.rest > 0) {
    const tag = input.byte();
    const isRight = (tag & 3) === 0 ? addLiteral(tag, input, output) : addCopy(tag, input, output);
    if (!isRight) return null;
  }
  return output.finish();
}

function snappyLength(input: Input): number {
  let length = 0;
  for (let shift = 0; shift <= 28; shift += 7) {
    const byte = input.byte();
    length += (byte & 0x7f) * 2 ** shift;
    if (!(byte >= 0x80)) return Number.isNaN(byte) ? byte : length;
  }
  return Number.NaN;
}

function addLiteral(tag: number, input: Input, output: Output): boolean {
  const inTag = tag >> 2;
  return output.literal(input, (inTag < 60 ? inTag : input.number(inTag - 59)) + 1);
}

function addCopy(tag: number, input: Input, output: Output): boolean {
  const kind = tag & 3;
  if (kind === 1) return output.copy((tag >> 5) * 256 + input.byte(), ((tag >> 2) & 7) + 4);
  return output.copy(input.number(kind === 2 ? 2 : 4), (tag >> 2) + 1);
}

/** The `size` bytes that LZ4 compressed; null where the input is damaged, or has another count. */
export function lz4Uncompressed(bytes: Uint8Array, size: number): Uint8Array | null {
  const output = new Output(size);
  return addLz4Block(new Input(bytes), output) ? output.finish() : null;
}

function addLz4Block(input: Input, output: Output): boolean {
  while (input.rest > 0) {
    const token = input.byte();
    if (!output.literal(input, lz4Length(token >> 4, input))) return false;
    if (input.rest === 0) break;
    const distance = input.number(2);
    if (!output.copy(distance, lz4Length(token & 15, input) + 4)) return false;
  }
  return true;
}

/** The `size` bytes that LZ4 frames hold; null where the input is damaged, or has another count. */
export function lz4FrameUncompressed(bytes: Uint8Array, size: number): Uint8Array | null {
  const input = new Input(bytes);
  const output = new Output(size);
  do {
    if (!addLz4Frame(input, output)) return null;
  } while (input.rest > 0);
  return input.rest === 0 ? output.finish() : null;
}

function addLz4Frame(input: Input, output: Output): boolean {
  const magic = input.number(4);
  const flags = input.byte();
  if (magic !== 0x184d_2204 || flags >> 6 !== 1 || (flags & 3) !== 0) return false;
  input.take(2 + (flags & 8 ? 8 : 0)); // Size of blocks, check of the header; size of all.
  for (let head = input.number(4); head !== 0; head = input.number(4)) {
    const size = head % 2 ** 31;
    if (!(size <= input.rest)) return false;
    const block = new Input(input.take(size));
    const isRight = head >= 2 ** 31 ? output.literal(block, size) : addLz4Block(block, output);
    if (!isRight) return false;
    input.take(flags & 16 ? 4 : 0);
  }
  input.take(flags & 4 ? 4 : 0);
  return true;
}

function lz4Length(inToken: number, input: Input): number {
  let length = inToken;
  for (let byte = inToken === 15 ? 255 : 0; byte === 255; length += byte) byte = input.byte();
  return length;
}
