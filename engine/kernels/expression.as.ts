/** Expression kernels: what compiled expressions call for one value. */
export { isSameTail } from './inline.as';

export function compareTexts(a: usize, aLength: u32, b: usize, bLength: u32): i32 {
  const common = min<u32>(aLength, bLength);
  let at: u32 = 0;
  for (; at + 8 <= common; at += 8) {
    const left = load<u64>(a + at);
    const right = load<u64>(b + at);
    if (left != right) return bswap<u64>(left) < bswap<u64>(right) ? -1 : 1;
  }
  for (; at < common; at++) {
    const difference = <i32>load<u8>(a + at) - <i32>load<u8>(b + at);
    if (difference != 0) return difference;
  }
  return <i32>aLength - <i32>bLength;
}

export function floatModulo(a: f64, b: f64): f64 {
  return a % b;
}

/** The whole part of a decimal, its fraction cut off, modulo 2^64. */
export function wholeOfDecimal(low: u64, high: u64, scale: u32): i64 {
  return <i64>cutDecimal(low, high, scale, 0);
}

/** 1 when that part has more than 64 bits. */
export function isWideDecimal(low: u64, high: u64, scale: u32): i32 {
  const whole = <i64>cutDecimal(low, high, scale, 0);
  return i32(<i64>cutDecimal(low, high, scale, 1) != whole >> 63);
}

/** The low half (0) of the whole part, or the high one (1). */
function cutDecimal(low: u64, high: u64, scale: u32, half: u32): u64 {
  const isNegative = <i64>high < 0;
  if (isNegative) {
    low = -low;
    high = ~high + u64(low == 0);
  }
  for (let digit: u32 = 0; digit < scale; digit++) {
    // The four words divided by 10, the highest first.
    const a = high >> 32;
    const b = (a % 10 << 32) | (high & 0xffffffff);
    const c = (b % 10 << 32) | (low >> 32);
    const d = (c % 10 << 32) | (low & 0xffffffff);
    high = (a / 10 << 32) | (b / 10);
    low = (c / 10 << 32) | (d / 10);
  }
  if (isNegative) {
    low = -low;
    high = ~high + u64(low == 0);
  }
  return half == 0 ? low : high;
}
