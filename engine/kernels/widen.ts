/** References of widen.as.ts: one value at a time. */

const buffer = new DataView(new ArrayBuffer(8));

/** Bits that are equal exactly when two float64 keys are: one NaN, no -0. */
export function float64KeyBitsOf(value: number): bigint {
  if (Number.isNaN(value)) return 0x7ff8000000000000n;
  buffer.setFloat64(0, value === 0 ? 0 : value);
  return buffer.getBigInt64(0);
}

export function widenBoolOf(value: boolean): bigint {
  return value ? 1n : 0n;
}

/** The low 32 bits, signed. */
export function narrowInt32Of(value: bigint): number {
  return Number(BigInt.asIntN(32, value));
}
