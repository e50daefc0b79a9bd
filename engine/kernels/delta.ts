/** References of delta.as.ts: a writer and a reader of delta encodings, value by value. */

const perBlock = 128;
const perMiniblock = 32;

/** The stream of the integers: blocks of 128, miniblocks of 32. */
export function bytesOfDeltas(values: readonly bigint[]): Uint8Array {
  const bytes: number[] = [];
  pushVarint(bytes, BigInt(perBlock));
  pushVarint(bytes, BigInt(perBlock / perMiniblock));
  pushVarint(bytes, BigInt(values.length));
  pushVarint(bytes, zigzag(values[0] ?? 0n));
  for (let from = 1; from < values.length; from += perBlock) {
    const deltas = values
      .slice(from, from + perBlock)
      .map((value, index) => BigInt.asIntN(64, value - (values[from + index - 1] ?? 0n)));
    pushBlock(bytes, deltas);
  }
  return Uint8Array.from(bytes);
}

/** The integers of a stream, and where it ends; null where it is damaged. */
export function valuesOfDeltas(bytes: Uint8Array): { values: bigint[]; end: number } | null {
  const input = new Input(bytes);
  const header = [input.varint(), input.varint(), input.varint()].map(Number);
  const [blockSize = 0, miniblocks = 0, count = 0] = header;
  const first = unzigzag(input.varint());
  const values = count === 0 ? [] : [first];
  const size = blockSize / miniblocks;
  while (values.length < count && input.isWhole) {
    const smallest = unzigzag(input.varint());
    const widths = input.take(miniblocks);
    for (const width of widths) {
      if (values.length >= count) break;
      const packed = input.take((size * width) / 8);
      const wanted = Math.min(size, count - values.length);
      for (let index = 0; index < wanted; index++) {
        const delta = smallest + packedAt(packed, index, width);
        values.push(BigInt.asIntN(64, (values.at(-1) ?? 0n) + delta));
      }
    }
  }
  return input.isWhole ? { values, end: input.at } : null;
}

/** Bytes that are read in order. */
class Input {
  at = 0;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Whether nothing beyond the end was read. */
  get isWhole(): boolean {
    return this.at <= this.#bytes.length;
  }

  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift <= 63n; shift += 7n) {
      const byte = this.#bytes[this.at++] ?? 0;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    this.at = Number.POSITIVE_INFINITY;
    return 0n;
  }

  take(size: number): Uint8Array {
    this.at += size;
    return this.#bytes.subarray(this.at - size, this.at);
  }
}

function pushBlock(bytes: number[], deltas: readonly bigint[]): void {
  let smallest = deltas[0] ?? 0n;
  for (const delta of deltas) if (delta < smallest) smallest = delta;
  pushVarint(bytes, zigzag(smallest));
  const rests = deltas.map((delta) => BigInt.asUintN(64, delta - smallest));
  const miniblocks = Array.from({ length: perBlock / perMiniblock }, (_, index) =>
    rests.slice(index * perMiniblock, (index + 1) * perMiniblock),
  );
  const widths = miniblocks.map((rest) => Math.max(0, ...rest.map(bitsOf)));
  bytes.push(...widths);
  miniblocks.forEach((rest, index) => {
    if (rest.length > 0) pushPacked(bytes, rest, widths[index] ?? 0);
  });
}

function pushPacked(bytes: number[], values: readonly bigint[], width: number): void {
  let word = 0n;
  values.forEach((value, index) => {
    word |= value << BigInt(index * width);
  });
  for (let byte = 0; byte < (perMiniblock * width) / 8; byte++) {
    bytes.push(Number((word >> BigInt(byte * 8)) & 0xffn));
  }
}

function packedAt(bytes: Uint8Array, index: number, width: number): bigint {
  let value = 0n;
  for (let bit = 0; bit < width; bit++) {
    const place = index * width + bit;
    const isSet = ((bytes[place >>> 3] ?? 0) >>> (place & 7)) & 1;
    value |= BigInt(isSet) << BigInt(bit);
  }
  return value;
}

function bitsOf(value: bigint): number {
  return value === 0n ? 0 : value.toString(2).length;
}

function pushVarint(bytes: number[], value: bigint): void {
  let rest = value;
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
}

function zigzag(value: bigint): bigint {
  return BigInt.asUintN(64, value < 0n ? -value * 2n - 1n : value * 2n);
}

function unzigzag(value: bigint): bigint {
  return value % 2n === 0n ? value / 2n : -(value / 2n) - 1n;
}
