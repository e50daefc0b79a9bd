/**
 * Spreading: values that lie close together are put in the rows that have one, as a bitmap says;
 * a row without one gets zeroes. Bitmaps start at any bit.
 */

@inline function bitAt(bits: usize, bit: u32): u32 {
  return (<u32>load<u8>(bits + <usize>(bit >> 3)) >> (bit & 7)) & 1;
}

export function spread1Bit(values: usize, bits: usize, fromBit: u32, count: u32, out: usize, outBit: u32): void {
  let taken: u32 = 0;
  for (let index: u32 = 0; index < count; index++) {
    const bit = bitAt(bits, fromBit + index);
    const value = bitAt(values, taken) & bit;
    const at = out + <usize>((outBit + index) >> 3);
    const shift = (outBit + index) & 7;
    const kept = <u32>load<u8>(at) & ((1 << shift) - 1);
    store<u8>(at, <u8>(kept | (value << shift)));
    taken += bit;
  }
}

export function spread1(values: usize, bits: usize, fromBit: u32, count: u32, out: usize): void {
  for (let index: u32 = 0; index < count; index++) {
    const bit = bitAt(bits, fromBit + index);
    store<u8>(out + <usize>index, <u8>(<u32>load<u8>(values) & (0 - bit)));
    values += <usize>bit;
  }
}

export function spread2(values: usize, bits: usize, fromBit: u32, count: u32, out: usize): void {
  for (let index: u32 = 0; index < count; index++) {
    const bit = bitAt(bits, fromBit + index);
    store<u16>(out + (<usize>index << 1), <u16>(<u32>load<u16>(values) & (0 - bit)));
    values += <usize>(bit << 1);
  }
}

export function spread4(values: usize, bits: usize, fromBit: u32, count: u32, out: usize): void {
  for (let index: u32 = 0; index < count; index++) {
    const bit = bitAt(bits, fromBit + index);
    store<u32>(out + (<usize>index << 2), load<u32>(values) & (0 - bit));
    values += <usize>(bit << 2);
  }
}

export function spread8(values: usize, bits: usize, fromBit: u32, count: u32, out: usize): void {
  for (let index: u32 = 0; index < count; index++) {
    const bit = bitAt(bits, fromBit + index);
    store<u64>(out + (<usize>index << 3), load<u64>(values) & (0 - <u64>bit));
    values += <usize>(bit << 3);
  }
}

export function spread16(values: usize, bits: usize, fromBit: u32, count: u32, out: usize): void {
  for (let index: u32 = 0; index < count; index++) {
    const bit = bitAt(bits, fromBit + index);
    v128.store(out + (<usize>index << 4), v128.and(v128.load(values), i64x2.splat(0 - <u64>bit)));
    values += <usize>(bit << 4);
  }
}
