/** References of expression.as.ts. */

/** -1, 0 or 1, as the bytes of `a` are to those of `b`: a text comes before what continues it. */
export function compareTextsOf(a: Uint8Array, b: Uint8Array): number {
  for (let index = 0; index < a.length && index < b.length; index++) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return Math.sign(difference);
  }
  return Math.sign(a.length - b.length);
}

/** The rest of a division towards zero, with the sign of `a`. */
export function floatModuloOf(a: number, b: number): number {
  return a % b;
}

/** The whole part of a decimal, its fraction cut off. */
export function wholeOfDecimal(value: bigint, scale: number): bigint {
  return value / 10n ** BigInt(scale);
}
