/**
 * Widening kernels: fixed types of up to 4 bytes as int64 or float64, so that they can be keys or
 * accumulators, and back.
 */

/** The bits of a float64 key: adding 0 turns -0 into 0; all NaN become one. */
@inline function keyBits(value: f64): u64 {
  return value == value ? reinterpret<u64>(value + 0) : 0x7ff8000000000000;
}

export function widenInt8(values: usize, rowCount: u32, out: usize): void {
  for (let row: u32 = 0; row < rowCount; row++) {
    store<i64>(out + (<usize>row << 3), <i64>load<i8>(values + <usize>row));
  }
}

export function widenUint8(values: usize, rowCount: u32, out: usize): void {
  for (let row: u32 = 0; row < rowCount; row++) {
    store<u64>(out + (<usize>row << 3), <u64>load<u8>(values + <usize>row));
  }
}

export function widenInt16(values: usize, rowCount: u32, out: usize): void {
  for (let row: u32 = 0; row < rowCount; row++) {
    store<i64>(out + (<usize>row << 3), <i64>load<i16>(values + (<usize>row << 1)));
  }
}

export function widenUint16(values: usize, rowCount: u32, out: usize): void {
  for (let row: u32 = 0; row < rowCount; row++) {
    store<u64>(out + (<usize>row << 3), <u64>load<u16>(values + (<usize>row << 1)));
  }
}

export function widenInt32(values: usize, rowCount: u32, out: usize): void {
  for (let row: u32 = 0; row < rowCount; row++) {
    store<i64>(out + (<usize>row << 3), <i64>load<i32>(values + (<usize>row << 2)));
  }
}

export function widenUint32(values: usize, rowCount: u32, out: usize): void {
  for (let row: u32 = 0; row < rowCount; row++) {
    store<u64>(out + (<usize>row << 3), <u64>load<u32>(values + (<usize>row << 2)));
  }
}

export function widenFloat32(values: usize, rowCount: u32, out: usize): void {
  for (let row: u32 = 0; row < rowCount; row++) {
    store<f64>(out + (<usize>row << 3), <f64>load<f32>(values + (<usize>row << 2)));
  }
}

export function widenBool(values: usize, rowCount: u32, out: usize): void {
  for (let row: u32 = 0; row < rowCount; row++) {
    const bit = (<u64>load<u8>(values + (row >> 3)) >> (row & 7)) & 1;
    store<u64>(out + (<usize>row << 3), bit);
  }
}

export function float64KeyBits(values: usize, rowCount: u32, out: usize): void {
  for (let row: u32 = 0; row < rowCount; row++) {
    store<u64>(out + (<usize>row << 3), keyBits(load<f64>(values + (<usize>row << 3))));
  }
}

export function float32KeyBits(values: usize, rowCount: u32, out: usize): void {
  for (let row: u32 = 0; row < rowCount; row++) {
    store<u64>(out + (<usize>row << 3), keyBits(<f64>load<f32>(values + (<usize>row << 2))));
  }
}

export function narrowInt8(values: usize, rowCount: u32, out: usize): void {
  for (let row: u32 = 0; row < rowCount; row++) {
    store<u8>(out + <usize>row, load<u8>(values + (<usize>row << 3)));
  }
}

export function narrowInt16(values: usize, rowCount: u32, out: usize): void {
  for (let row: u32 = 0; row < rowCount; row++) {
    store<u16>(out + (<usize>row << 1), load<u16>(values + (<usize>row << 3)));
  }
}

export function narrowInt32(values: usize, rowCount: u32, out: usize): void {
  for (let row: u32 = 0; row < rowCount; row++) {
    store<u32>(out + (<usize>row << 2), load<u32>(values + (<usize>row << 3)));
  }
}

export function narrowFloat32(values: usize, rowCount: u32, out: usize): void {
  for (let row: u32 = 0; row < rowCount; row++) {
    store<f32>(out + (<usize>row << 2), <f32>load<f64>(values + (<usize>row << 3)));
  }
}

export function narrowBool(values: usize, rowCount: u32, out: usize): void {
  for (let first: u32 = 0; first < rowCount; first += 64) {
    const end = min<u32>(first + 64, rowCount);
    let word: u64 = 0;
    for (let row = first; row < end; row++) {
      word |= (load<u64>(values + (<usize>row << 3)) & 1) << (row & 63);
    }
    store<u64>(out + (first >> 3), word);
  }
}
