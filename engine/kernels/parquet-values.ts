/** References of parquet-values.as.ts: one value at a time. Null: there is no such value. */

/** The byte arrays behind their u32 lengths, as far as they are whole. */
export function plainByteArrays(bytes: Uint8Array, count: number): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const values: Uint8Array[] = [];
  let at = 0;
  while (values.length < count && at + 4 <= bytes.length) {
    const size = view.getUint32(at, true);
    if (at + 4 + size > bytes.length) break;
    values.push(bytes.slice(at + 4, at + 4 + size));
    at += 4 + size;
  }
  return values;
}

/** A decimal of bytes with the highest first. */
export function decimalOfBytes(bytes: Uint8Array): bigint | null {
  if (bytes.length === 0) return null;
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  const signed = BigInt.asIntN(bytes.length * 8, value);
  return BigInt.asIntN(128, signed) === signed ? signed : null;
}

/** A float16 as a number. */
export function float16Value(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 0x3ff;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** A timestamp of so many nanoseconds of a Julian day, in units of `nanosPerUnit`. */
export function timestampOfInt96(nanos: bigint, day: bigint, nanosPerUnit: bigint): bigint | null {
  const perDay = 86_400_000_000_000n;
  if (nanos % nanosPerUnit !== 0n) return null;
  const units = nanos / nanosPerUnit;
  const value = ((day - 2_440_588n) * perDay) / nanosPerUnit + units;
  const isNear = units <= perDay / nanosPerUnit && units >= -perDay / nanosPerUnit;
  return isNear && BigInt.asIntN(64, value) === value ? value : null;
}

export function multipliedInt64Of(value: bigint, factor: number): bigint | null {
  const product = value * BigInt(factor);
  return BigInt.asIntN(64, product) === product ? product : null;
}

export function dividedInt64Of(value: bigint, divisor: number): bigint | null {
  return value % BigInt(divisor) === 0n ? value / BigInt(divisor) : null;
}

/** Values of `size` bytes from streams of `stride` bytes each. */
export function joinedStreams(streams: Uint8Array, stride: number, size: number): Uint8Array[] {
  return Array.from({ length: stride }, (_, index) =>
    Uint8Array.from({ length: size }, (_, byte) => streams[byte * stride + index] ?? 0),
  );
}
