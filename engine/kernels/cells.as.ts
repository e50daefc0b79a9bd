/**
 * Cells: the text of one value to a typed value, as NDJSON and CSV have it in common. Read here is what
 * files mostly have; a parser that meets anything else says so (address 0), and the caller leaves the
 * value to the reference in TypeScript (connectors/formats/cell-values.ts), which reads or refuses it.
 *
 * Digits are taken 8 at a time: XOR with '0' makes digits 0 to 9, one addition flags the other bytes,
 * three multiplications make a number of 8 of them.
 */
import {
  columnKind, columnUnit, columnValues, kindBool, kindDate, kindDecimal, kindFloat32, kindFloat64, kindInt16, kindInt32, kindInt64, kindInt8,
  kindTimestamp, kindUint16, kindUint32, kindUint8,
} from './record-layout.as';

@inline const zeros: u64 = 0x3030303030303030;

/** Count of digits that 8 bytes begin with. */
@inline export function digitCount(word: u64): u32 {
  const digits = word ^ zeros;
  return <u32>ctz(((digits + 0x7676767676767676) | digits) & 0x8080808080808080) >> 3;
}

/** The number of the first `count` digits, 1 to 8. */
@inline function digitsValue(word: u64, count: u32): u64 {
  let digits = (word ^ zeros) << <u64>(64 - (count << 3));
  digits = (digits & 0x0f0f0f0f0f0f0f0f) * 2561 >> 8;
  digits = (digits & 0x00ff00ff00ff00ff) * 6553601 >> 16;
  return (digits & 0x0000ffff0000ffff) * 42949672960001 >> 32;
}

/** 10 to the power of 0 to 19. */
@inline function powerOf10(exponent: u32): u64 {
  const low = (exponent & 1 ? <u64>10 : 1) * (exponent & 2 ? <u64>100 : 1);
  const middle = low * (exponent & 4 ? <u64>10000 : 1) * (exponent & 8 ? <u64>100000000 : 1);
  return middle * (exponent & 16 ? <u64>10000000000000000 : 1);
}

/** Digits to `out` (u64); the address behind them. 0: none, or more than 19. */
@inline function magnitudeAt(at: usize, out: usize): usize {
  const word = load<u64>(at);
  const count = digitCount(word);
  if (count == 0) return 0;
  store<u64>(out, digitsValue(word, count));
  return count < 8 ? at + count : longMagnitudeAt(at + 8, out);
}

/** The digits after the first 8. */
function longMagnitudeAt(at: usize, out: usize): usize {
  let value = load<u64>(out);
  let room: u32 = 11;
  while (true) {
    const word = load<u64>(at);
    const count = digitCount(word);
    if (count > room) return 0;
    if (count > 0) value = value * powerOf10(count) + digitsValue(word, count);
    at += count;
    room -= count;
    if (count < 8) break;
  }
  store<u64>(out, value);
  return at;
}

/** Whether digits begin with a 0 that is not their last: JSON forbids it. */
@inline function hasLeadingZero(at: usize): bool {
  return load<u8>(at) == 48 && <u32>load<u8>(at, 1) - 48 < 10;
}

/** An integer from -2^63 to 2^63 - 1 to `out` (i64); the address behind it. JSON has no leading zeros. */
@inline export function integerAt(at: usize, out: usize, isJson: bool): usize {
  const isNegative = load<u8>(at) == 45;
  const first = at + usize(isNegative);
  if (isJson && hasLeadingZero(first)) return 0;
  const end = magnitudeAt(first, out);
  if (end == 0) return 0;
  if (end - first > 18 && load<u64>(out) > 0x7fffffffffffffff + u64(isNegative)) return 0;
  if (isNegative) store<i64>(out, -load<i64>(out));
  return end;
}

/** An integer that must be in the range of a narrower type. */
@inline function narrowAt(at: usize, scratch: usize, low: i64, high: i64, isJson: bool): usize {
  const end = integerAt(at, scratch, isJson);
  const value = load<i64>(scratch);
  return value < low || value > high ? 0 : end;
}

/**
 * A number to `out` (f64); the address behind it. Exact where the digits make a whole number of up to
 * 2^53 and the exponent is at most 22 either way: both are floats then, and one operation rounds once.
 * @see Clinger 1990, "How to read floating point numbers accurately": the fast path.
 */
export function floatAt(at: usize, out: usize, scratch: usize, isJson: bool): usize {
  const isNegative = load<u8>(at) == 45;
  const first = at + usize(isNegative);
  if (isJson && hasLeadingZero(first)) return 0;
  let end = magnitudeAt(first, scratch);
  if (end == 0) return 0;
  let mantissa = load<u64>(scratch);
  let exponent: i32 = 0;
  if (load<u8>(end) == 46) {
    const fraction = end + 1;
    end = magnitudeAt(fraction, scratch);
    if (end == 0) return 0;
    const count = <u32>(end - fraction);
    // 19 digits are what 64 bits hold, and a point is among these bytes.
    if (end - first > 20) return 0;
    mantissa = mantissa * powerOf10(count) + load<u64>(scratch);
    exponent = -(<i32>count);
  }
  if ((load<u8>(end) | 0x20) == 101) {
    const sign = load<u8>(end, 1);
    const digits = end + 1 + usize(sign == 43 || sign == 45);
    const word = load<u64>(digits);
    const count = digitCount(word);
    if (count == 0 || count > 4) return 0;
    const given = <i32>digitsValue(word, count);
    exponent += sign == 45 ? -given : given;
    end = digits + count;
  }
  if (mantissa > 0x20000000000000 || exponent > 22 || exponent < -22) return 0;
  let value = <f64>mantissa;
  if (exponent < 0) value /= floatPowerOf10(<u32>-exponent);
  else if (exponent > 0) value *= floatPowerOf10(<u32>exponent);
  store<f64>(out, isNegative ? -value : value);
  return end;
}

/** 10 to the power of 0 to 22: each partial product is a float exactly. */
@inline function floatPowerOf10(exponent: u32): f64 {
  const low = (exponent & 1 ? 1e1 : 1.0) * (exponent & 2 ? 1e2 : 1.0) * (exponent & 4 ? 1e4 : 1.0);
  return low * (exponent & 8 ? 1e8 : 1.0) * (exponent & 16 ? 1e16 : 1.0);
}

/**
 * A decimal to `out` (i128); the address behind it. Read here: up to 18 digits with those that are
 * added behind the point, of which none would be lost. `size`: the scale, and the precision above it.
 */
export function decimalAt(at: usize, out: usize, size: u32, scratch: usize, isJson: bool): usize {
  const isNegative = load<u8>(at) == 45;
  const first = at + usize(isNegative);
  if (isJson && hasLeadingZero(first)) return 0;
  let end = magnitudeAt(first, scratch);
  const scale = size & 255;
  const precision = size >> 8;
  if (end == 0 || <u32>(end - first) + scale > 18) return 0;
  let value = load<u64>(scratch) * powerOf10(scale);
  if (load<u8>(end) == 46) {
    const fraction = end + 1;
    end = magnitudeAt(fraction, scratch);
    const count = <u32>(end - fraction);
    if (end == 0 || count > scale) return 0;
    value += load<u64>(scratch) * powerOf10(scale - count);
  }
  if ((load<u8>(end) | 0x20) == 101 || (precision < 19 && value >= powerOf10(precision))) return 0;
  const low = isNegative ? -(<i64>value) : <i64>value;
  store<i64>(out, low);
  store<i64>(out, low >> 63, 8);
  return end;
}

/** Two digits at `at`, or a number above all that are asked for. */
@inline function twoDigits(at: usize): u32 {
  const tens = <u32>load<u8>(at) - 48;
  const ones = <u32>load<u8>(at, 1) - 48;
  return tens < 10 && ones < 10 ? tens * 10 + ones : 1 << 20;
}

/** Days since 1970 of `YYYY-MM-DD`; `i32.MIN_VALUE` where there is no such day. */
function daysAt(at: usize): i32 {
  const year = twoDigits(at) * 100 + twoDigits(at + 2);
  const month = twoDigits(at + 5);
  const day = twoDigits(at + 8);
  const isForm = load<u8>(at, 4) == 45 && load<u8>(at, 7) == 45;
  if (!isForm || year > 9999 || month - 1 > 11 || day - 1 > 30) return i32.MIN_VALUE;
  const isLeap = (year & 3) == 0 && (year % 100 != 0 || year % 400 == 0);
  const last: u32 = month == 2 ? 28 + u32(isLeap) : 30 + ((month ^ (month >> 3)) & 1);
  if (day > last) return i32.MIN_VALUE;
  // Years begin in March here, so that the leap day is a year's last. 400 of them are an era; 400 are
  // added, so that nothing is negative.
  const shifted = year + 400 - u32(month <= 2);
  const monthFromMarch = month > 2 ? month - 3 : month + 9;
  const era = shifted / 400;
  const yearOfEra = shifted - era * 400;
  const dayOfYear = (153 * monthFromMarch + 2) / 5 + day - 1;
  const dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear;
  return <i32>(era * 146097 + dayOfEra) - 719468 - 146097;
}

/** `YYYY-MM-DD` to `out` (i32); the address behind it. */
export function dateAt(at: usize, out: usize): usize {
  const days = daysAt(at);
  store<i32>(out, days);
  return days == i32.MIN_VALUE ? 0 : at + 10;
}

/**
 * `YYYY-MM-DDThh:mm[:ss[.fraction]]` with `Z` or nothing, a space for the T, to `out` (i64, in ms or
 * µs); the address behind it. A fraction finer than the unit is not read here.
 */
export function timestampAt(at: usize, out: usize, isMicros: u32): usize {
  const days = daysAt(at);
  const letter = load<u8>(at, 10);
  const hour = twoDigits(at + 11);
  const minute = twoDigits(at + 14);
  if (days == i32.MIN_VALUE || (letter != 84 && letter != 32) || hour > 23 || minute > 59) return 0;
  if (load<u8>(at, 13) != 58) return 0;
  let end = at + 16;
  let second: u32 = 0;
  let fraction: u32 = 0;
  if (load<u8>(end) == 58) {
    second = twoDigits(end + 1);
    if (second > 59) return 0;
    end += 3;
    if (load<u8>(end) == 46) {
      const word = load<u64>(end, 1);
      const count = digitCount(word);
      const places: u32 = isMicros ? 6 : 3;
      if (count == 0 || count > places) return 0;
      fraction = <u32>(digitsValue(word, count) * powerOf10(places - count));
      end += 1 + count;
    }
  }
  end += usize(load<u8>(end) == 90);
  const seconds = <i64>days * 86400 + <i64>(hour * 3600 + minute * 60 + second);
  store<i64>(out, seconds * (isMicros ? 1000000 : 1000) + <i64>fraction);
  return end;
}

/** `true` or `false` to the column's bit, which is 0; the address behind it. */
@inline function boolAt(at: usize, values: usize, row: u32): usize {
  const word = load<u32>(at);
  if (word == 0x65757274) {
    const byte = values + (row >> 3);
    store<u8>(byte, load<u8>(byte) | (<u8>1 << <u8>(row & 7)));
    return at + 4;
  }
  return word == 0x736c6166 && load<u8>(at, 4) == 101 ? at + 5 : 0;
}

/**
 * The value of a column that is not text, without quotes, to its row; the address behind it, or 0
 * where it is none that is read here. `scratch`: 8 bytes.
 */
@inline export function plainCellAt(at: usize, column: usize, row: u32, scratch: usize, isJson: bool): usize {
  const values = <usize>load<u32>(column, columnValues);
  let end: usize = 0;
  switch (load<u32>(column, columnKind)) {
    case kindInt64:
    case kindTimestamp:
      return integerAt(at, values + (<usize>row << 3), isJson);
    case kindInt32:
      end = narrowAt(at, scratch, i32.MIN_VALUE, i32.MAX_VALUE, isJson);
      store<u32>(values + (<usize>row << 2), load<u32>(scratch));
      return end;
    case kindFloat64:
      return floatAt(at, values + (<usize>row << 3), scratch, isJson);
    case kindBool:
      return boolAt(at, values, row);
    case kindInt8:
      end = narrowAt(at, scratch, -128, 127, isJson);
      store<u8>(values + <usize>row, load<u8>(scratch));
      return end;
    case kindUint8:
      end = narrowAt(at, scratch, 0, 255, isJson);
      store<u8>(values + <usize>row, load<u8>(scratch));
      return end;
    case kindInt16:
      end = narrowAt(at, scratch, -32768, 32767, isJson);
      store<u16>(values + (<usize>row << 1), load<u16>(scratch));
      return end;
    case kindUint16:
      end = narrowAt(at, scratch, 0, 65535, isJson);
      store<u16>(values + (<usize>row << 1), load<u16>(scratch));
      return end;
    case kindUint32:
      end = narrowAt(at, scratch, 0, u32.MAX_VALUE, isJson);
      store<u32>(values + (<usize>row << 2), load<u32>(scratch));
      return end;
    case kindFloat32:
      end = floatAt(at, scratch, scratch, isJson);
      store<f32>(values + (<usize>row << 2), <f32>load<f64>(scratch));
      return end;
    case kindDecimal:
      return decimalAt(at, values + (<usize>row << 4), load<u32>(column, columnUnit), scratch, isJson);
    default:
      return 0;
  }
}

/** A date or a timestamp in text, as `plainCellAt`. */
@inline export function timeCellAt(at: usize, column: usize, row: u32): usize {
  const values = <usize>load<u32>(column, columnValues);
  const kind = load<u32>(column, columnKind);
  if (kind == kindTimestamp) {
    return timestampAt(at, values + (<usize>row << 3), load<u32>(column, columnUnit));
  }
  return kind == kindDate ? dateAt(at, values + (<usize>row << 2)) : 0;
}
