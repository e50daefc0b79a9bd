/** Counting bits: how many values of a bitmap are not null. */

/** Set bits among the first `count` of a bitmap. */
export function countBits(uint32: Uint32Array, bitmap: number, count: number): number {
  let sum = 0;
  const whole = count >>> 5;
  const first = bitmap >>> 2;
  for (let word = 0; word < whole; word++) sum += bitsOf(uint32[first + word] ?? 0);
  const rest = count & 31;
  if (rest > 0) sum += bitsOf((uint32[first + whole] ?? 0) & (2 ** rest - 1));
  return sum;
}

function bitsOf(word: number): number {
  let bits = word - ((word >>> 1) & 0x5555_5555);
  bits = (bits & 0x3333_3333) + ((bits >>> 2) & 0x3333_3333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}
