/** The least and the largest of values that lie side by side, for statistics of pages. */

export function extremesOfInts(values: usize, count: u32, size: u32, isSigned: u32, result: usize): void {
  let least: i64 = i64.MAX_VALUE;
  let most: i64 = i64.MIN_VALUE;
  for (let index: u32 = 0; index < count; index++) {
    const value = size == 8
      ? load<i64>(values + (<usize>index << 3))
      : isSigned
        ? <i64>load<i32>(values + (<usize>index << 2))
        : <i64>load<u32>(values + (<usize>index << 2));
    least = min<i64>(least, value);
    most = max<i64>(most, value);
  }
  store<i64>(result, least);
  store<i64>(result, most, 8);
}

/** Answers with how many are numbers; NaN has no place in an order. */
export function extremesOfFloats(values: usize, count: u32, size: u32, result: usize): u32 {
  let least: f64 = Infinity;
  let most: f64 = -Infinity;
  let numbers: u32 = 0;
  for (let index: u32 = 0; index < count; index++) {
    const value = size == 8
      ? load<f64>(values + (<usize>index << 3))
      : <f64>load<f32>(values + (<usize>index << 2));
    if (value != value) continue;
    numbers++;
    least = min<f64>(least, value);
    most = max<f64>(most, value);
  }
  store<f64>(result, least);
  store<f64>(result, most, 8);
  return numbers;
}

export function extremesOfDecimals(values: usize, count: u32, result: usize): void {
  let least = values;
  let most = values;
  for (let index: u32 = 1; index < count; index++) {
    const value = values + (<usize>index << 4);
    if (isBelow(value, least)) least = value;
    else if (isBelow(most, value)) most = value;
  }
  v128.store(result, v128.load(least));
  v128.store(result, v128.load(most), 16);
}

@inline function isBelow(a: usize, b: usize): bool {
  const highA = load<i64>(a, 8);
  const highB = load<i64>(b, 8);
  return highA < highB || (highA == highB && load<u64>(a) < load<u64>(b));
}

/** At `result`: the numbers of the two. */
export function extremesOfTexts(views: usize, count: u32, result: usize): void {
  let least: u32 = 0;
  let most: u32 = 0;
  for (let index: u32 = 1; index < count; index++) {
    const view = views + (<usize>index << 4);
    if (isTextBelow(view, views + (<usize>least << 4))) least = index;
    else if (isTextBelow(views + (<usize>most << 4), view)) most = index;
  }
  store<u32>(result, least);
  store<u32>(result, most, 4);
}

/** By unsigned bytes; the shorter first where one begins as the other does. */
@inline function isTextBelow(a: usize, b: usize): bool {
  const prefixA = bswap<u64>(load<u64>(a, 8));
  const prefixB = bswap<u64>(load<u64>(b, 8));
  if (prefixA != prefixB) return prefixA < prefixB;
  return isRestBelow(a, b);
}

function isRestBelow(a: usize, b: usize): bool {
  const sizeA = load<u32>(a);
  const sizeB = load<u32>(b);
  const size = min<u32>(sizeA, sizeB);
  if (size > 8) {
    const fromA = <usize>load<u32>(a, 4);
    const fromB = <usize>load<u32>(b, 4);
    for (let at: u32 = 8; at < size; at++) {
      const byteA = load<u8>(fromA + at);
      const byteB = load<u8>(fromB + at);
      if (byteA != byteB) return byteA < byteB;
    }
  }
  return sizeA < sizeB;
}
