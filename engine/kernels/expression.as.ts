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
