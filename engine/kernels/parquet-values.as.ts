/**
 * Values as Parquet pages hold them, turned into values of columns: texts with their lengths in front,
 * integers of other widths, decimals with their highest byte first, timestamps of other units.
 *
 * Nothing is trusted: a kernel answers with the first value that is wrong, or with the count.
 */
import { storeView } from './inline.as';

export function viewsFromPlain(from: usize, end: usize, count: u32, out: usize, result: usize): u32 {
  let at = from;
  let done: u32 = 0;
  for (; done < count; done++) {
    if (end - at < 4) break;
    const size = load<u32>(at);
    if (size > <u32>(end - at) - 4) break;
    storeView(out + (<usize>done << 4), at + 4, size);
    at += 4 + <usize>size;
  }
  store<u32>(result, <u32>at);
  return done;
}

export function viewsFromFixed(values: usize, size: u32, count: u32, out: usize): void {
  for (let index: u32 = 0; index < count; index++) {
    storeView(out + (<usize>index << 4), values + <usize>(index * size), size);
  }
}

/** Whether there are ASCII characters only. */
export function isAscii(from: usize, end: usize): u32 {
  let at = from;
  let all = i64x2.splat(0);
  for (; at + 16 <= end; at += 16) all = v128.or(all, v128.load(at));
  let rest: u32 = 0;
  for (; at < end; at++) rest |= <u32>load<u8>(at);
  return u32((i8x16.bitmask(all) | <i32>(rest & 0x80)) == 0);
}

export function checkedInt8(values: usize, count: u32, isSigned: u32, out: usize): u32 {
  for (let index: u32 = 0; index < count; index++) {
    const value = load<i32>(values + (<usize>index << 2));
    if (isSigned ? value != <i32>(<i8>value) : <u32>value > 0xff) return index;
    store<u8>(out + <usize>index, <u8>value);
  }
  return count;
}

export function checkedInt16(values: usize, count: u32, isSigned: u32, out: usize): u32 {
  for (let index: u32 = 0; index < count; index++) {
    const value = load<i32>(values + (<usize>index << 2));
    if (isSigned ? value != <i32>(<i16>value) : <u32>value > 0xffff) return index;
    store<u16>(out + (<usize>index << 1), <u16>value);
  }
  return count;
}

export function float64FromInt32(values: usize, count: u32, out: usize): u32 {
  for (let index: u32 = 0; index < count; index++) {
    store<f64>(out + (<usize>index << 3), <f64>load<i32>(values + (<usize>index << 2)));
  }
  return count;
}

export function float32FromFloat16(values: usize, count: u32, out: usize): u32 {
  for (let index: u32 = 0; index < count; index++) {
    const half = <u32>load<u16>(values + (<usize>index << 1));
    store<u32>(out + (<usize>index << 2), float32Bits(half));
  }
  return count;
}

@inline function float32Bits(half: u32): u32 {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >> 10) & 31;
  const fraction = half & 0x3ff;
  if (exponent == 31) return sign | 0x7f800000 | (fraction << 13);
  if (exponent != 0) return sign | ((exponent + 112) << 23) | (fraction << 13);
  // Below the smallest normal one: fraction × 2^-24, which a float32 holds exactly.
  return sign | reinterpret<u32>(<f32>fraction * 5.9604644775390625e-8);
}

export function decimalsFromInt32(values: usize, count: u32, out: usize): u32 {
  for (let index: u32 = 0; index < count; index++) {
    const value = <i64>load<i32>(values + (<usize>index << 2));
    store<i64>(out + (<usize>index << 4), value);
    store<i64>(out + (<usize>index << 4), value >> 63, 8);
  }
  return count;
}

export function decimalsFromInt64(values: usize, count: u32, out: usize): u32 {
  for (let index: u32 = 0; index < count; index++) {
    const value = load<i64>(values + (<usize>index << 3));
    store<i64>(out + (<usize>index << 4), value);
    store<i64>(out + (<usize>index << 4), value >> 63, 8);
  }
  return count;
}

export function decimalsFromFixed(values: usize, size: u32, count: u32, out: usize): u32 {
  for (let index: u32 = 0; index < count; index++) {
    if (!storeDecimal(values + <usize>(index * size), size, out + (<usize>index << 4))) return index;
  }
  return count;
}

export function decimalsFromViews(views: usize, count: u32, out: usize): u32 {
  for (let index: u32 = 0; index < count; index++) {
    const view = views + (<usize>index << 4);
    const size = load<u32>(view);
    const from = size > 8 ? <usize>load<u32>(view, 4) : view + 8;
    if (!storeDecimal(from, size, out + (<usize>index << 4))) return index;
  }
  return count;
}

/** Bytes with the highest first; false when there are more than 16 that mean something. */
@inline function storeDecimal(from: usize, size: u32, out: usize): bool {
  if (size == 0) return false;
  const sign: u64 = load<u8>(from) >= 0x80 ? -1 : 0;
  let at: u32 = 0;
  for (; size - at > 16; at++) if (<u64>load<u8>(from + at) != (sign & 0xff)) return false;
  let low = sign;
  let high = sign;
  for (; at < size; at++) {
    high = (high << 8) | (low >> 56);
    low = (low << 8) | <u64>load<u8>(from + at);
  }
  if ((<i64>high < 0) != (sign != 0)) return false;
  store<u64>(out, low);
  store<u64>(out, high, 8);
  return true;
}

export function checkedNotNegative(values: usize, count: u32, out: usize): u32 {
  for (let index: u32 = 0; index < count; index++) {
    const value = load<i64>(values + (<usize>index << 3));
    if (value < 0) return index;
    store<i64>(out + (<usize>index << 3), value);
  }
  return count;
}

export function multipliedInt64(values: usize, count: u32, factor: u32, out: usize): u32 {
  const most = i64.MAX_VALUE / <i64>factor;
  for (let index: u32 = 0; index < count; index++) {
    const value = load<i64>(values + (<usize>index << 3));
    if (value > most || value < -most) return index;
    store<i64>(out + (<usize>index << 3), value * <i64>factor);
  }
  return count;
}

export function dividedInt64(values: usize, count: u32, divisor: u32, out: usize): u32 {
  for (let index: u32 = 0; index < count; index++) {
    const value = load<i64>(values + (<usize>index << 3));
    const quotient = value / <i64>divisor;
    if (quotient * <i64>divisor != value) return index;
    store<i64>(out + (<usize>index << 3), quotient);
  }
  return count;
}

/** Nanoseconds of a day, and a Julian day: 2,440,588 is 1970-01-01. */
export function timestampsFromInt96(values: usize, count: u32, nanosPerUnit: u32, out: usize): u32 {
  const perDay: i64 = 86_400_000_000_000 / <i64>nanosPerUnit;
  for (let index: u32 = 0; index < count; index++) {
    const at = values + <usize>(index * 12);
    const nanos = load<i64>(at);
    const day = <i64>load<i32>(at, 8) - 2_440_588;
    const units = nanos / <i64>nanosPerUnit;
    if (units * <i64>nanosPerUnit != nanos) return index;
    // 2^31 days in microseconds are 1.9e20, beyond an int64.
    const most = i64.MAX_VALUE / perDay - 1;
    if (day > most || day < -most || units > perDay || units < -perDay) return index;
    store<i64>(out + (<usize>index << 3), day * perDay + units);
  }
  return count;
}

/** Streams of bytes: the first bytes of all values, then the second ones, and so on. */
export function joinStreams(from: usize, stride: u32, size: u32, count: u32, out: usize): void {
  for (let byte: u32 = 0; byte < size; byte++) {
    const stream = from + <usize>(byte * stride);
    for (let index: u32 = 0; index < count; index++) {
      store<u8>(out + <usize>(index * size + byte), load<u8>(stream + <usize>index));
    }
  }
}
