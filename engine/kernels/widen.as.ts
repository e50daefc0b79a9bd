/** Widening kernels: every fixed type as int64, so that it can be a key or an accumulator. */

export function widenInt32(values: usize, rowCount: u32, out: usize): void {
  for (let row: u32 = 0; row < rowCount; row++) {
    store<i64>(out + (<usize>row << 3), <i64>load<i32>(values + (<usize>row << 2)));
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
    const value = load<f64>(values + (<usize>row << 3));
    // Adding 0 turns -0 into 0; all NaN become one.
    const bits = value == value ? reinterpret<u64>(value + 0) : 0x7ff8000000000000;
    store<u64>(out + (<usize>row << 3), bits);
  }
}

export function narrowInt32(values: usize, rowCount: u32, out: usize): void {
  for (let row: u32 = 0; row < rowCount; row++) {
    store<u32>(out + (<usize>row << 2), load<u32>(values + (<usize>row << 3)));
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
