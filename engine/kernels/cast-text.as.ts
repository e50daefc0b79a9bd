/**
 * Casts from and to texts, a value at a time, for compiled expressions. Read here is what texts mostly
 * are; of anything else the caller asks the reference (engine/expr/cast-text.ts), which reads or refuses it.
 *
 *     text   copied to `scratch` + 16, zeroes behind it, so that no byte of another text is read
 *     value  at `scratch`: i32 of dates and bools, f64 of floats, 16 bytes of decimals, else i64
 */
import { dateAt, decimalAt, floatAt, integerAt, timestampAt } from './cells.as';

/** Longer than any number of 19 digits, or a timestamp, with room for zeroes. */
@inline const textBytesMax: u32 = 40;
@inline const copyOffset: usize = 16;

/** The copy of a text; 0 of one that is empty or long. */
@inline function copyOf(text: usize, length: u32, scratch: usize): usize {
  if (length - 1 >= textBytesMax) return 0;
  const copy = scratch + copyOffset;
  for (let done: u32 = 0; done < length; done += 8) store<u64>(copy + done, load<u64>(text + done));
  store<u64>(copy + length, 0);
  return copy;
}

export function integerOfText(text: usize, length: u32, scratch: usize): bool {
  const copy = copyOf(text, length, scratch);
  return copy != 0 && integerAt(copy, scratch, false) == copy + length;
}

export function floatOfText(text: usize, length: u32, scratch: usize): bool {
  const copy = copyOf(text, length, scratch);
  return copy != 0 && floatAt(copy, scratch, scratch, false) == copy + length;
}

/** `size`: the scale, and the precision above it. */
export function decimalOfText(text: usize, length: u32, scratch: usize, size: u32): bool {
  const copy = copyOf(text, length, scratch);
  return copy != 0 && decimalAt(copy, scratch, size, scratch, false) == copy + length;
}

export function dateOfText(text: usize, length: u32, scratch: usize): bool {
  const copy = copyOf(text, length, scratch);
  return copy != 0 && dateAt(copy, scratch) == copy + length;
}

export function timestampOfText(text: usize, length: u32, scratch: usize, isMicros: u32): bool {
  const copy = copyOf(text, length, scratch);
  return copy != 0 && timestampAt(copy, scratch, isMicros) == copy + length;
}

export function boolOfText(text: usize, length: u32, scratch: usize): bool {
  const copy = copyOf(text, length, scratch);
  if (copy == 0) return false;
  const isTrue = length == 4 && load<u32>(copy) == 0x65757274;
  store<u32>(scratch, u32(isTrue));
  return isTrue || (length == 5 && load<u32>(copy) == 0x736c6166 && load<u8>(copy, 4) == 101);
}

/** Digits of a number, with zeroes in front up to `digitsMin`. */
function digitsText(value: u64, digitsMin: u32, out: usize): u32 {
  let count: u32 = 1;
  for (let rest = value / 10; rest != 0; rest /= 10) count++;
  count = max(count, digitsMin);
  let rest = value;
  for (let at = out + count; at > out; rest /= 10) store<u8>(--at, <u8>(48 + rest % 10));
  return count;
}

/** Up to 20 bytes. */
export function integerText(value: i64, out: usize): u32 {
  if (value >= 0) return digitsText(<u64>value, 1, out);
  store<u8>(out, 45);
  return digitsText(<u64>-value, 1, out + 1) + 1;
}

/** A whole number that a float holds exactly, but for -0; 0: the reference writes it. */
export function floatText(value: f64, out: usize): u32 {
  const whole = <i64>value;
  const isExact = abs(value) <= 9007199254740992.0 && <f64>whole == value;
  if (!isExact || (whole == 0 && reinterpret<i64>(value) < 0)) return 0;
  return integerText(whole, out);
}

export function boolText(value: u32, out: usize): u32 {
  store<u32>(out, value ? 0x65757274 : 0x736c6166);
  store<u8>(out, 101, 4);
  return value ? 4 : 5;
}

/** Up to 41 bytes. */
export function decimalText(low: u64, high: u64, scale: u32, out: usize): u32 {
  const isNegative = <i64>high < 0;
  if (isNegative) {
    low = -low;
    high = ~high + u64(low == 0);
  }
  store<u8>(out, 45);
  const start = out + usize(isNegative);
  // Digits from the end on: at least one in front of the point.
  let count: u32 = 0;
  let end = out + 64;
  while (high != 0 || low != 0 || count <= scale) {
    // The four words divided by 10, the highest first.
    const a = high >> 32;
    const b = (a % 10 << 32) | (high & 0xffffffff);
    const c = (b % 10 << 32) | (low >> 32);
    const d = (c % 10 << 32) | (low & 0xffffffff);
    high = (a / 10 << 32) | (b / 10);
    low = (c / 10 << 32) | (d / 10);
    if (count == scale && scale > 0) store<u8>(--end, 46);
    store<u8>(--end, <u8>(48 + d % 10));
    count++;
  }
  const size = <u32>(out + 64 - end);
  memory.copy(start, end, size);
  return size + u32(isNegative);
}

/** A date to `out`, up to 14 bytes, by the calendar of engine/schema/calendar.ts. */
function civilText(days: i64, out: usize): u32 {
  const shifted = days + 719468;
  const era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
  const dayOfEra = shifted - era * 146097;
  const leapDays = dayOfEra / 1460 - dayOfEra / 36524 + dayOfEra / 146096;
  const yearOfEra = (dayOfEra - leapDays) / 365;
  const dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100);
  const monthFromMarch = (5 * dayOfYear + 2) / 153;
  const day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1;
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  const year = yearOfEra + era * 400 + i64(month <= 2);
  let at = out;
  if (year >= 0 && year <= 9999) {
    at += digitsText(<u64>year, 4, at);
  } else {
    store<u8>(at++, year < 0 ? 45 : 43);
    at += digitsText(<u64>(year < 0 ? -year : year), 6, at);
  }
  store<u8>(at++, 45);
  at += digitsText(<u64>month, 2, at);
  store<u8>(at++, 45);
  return <u32>(at + digitsText(<u64>day, 2, at) - out);
}

/** Up to 14 bytes. */
export function dateText(days: i32, out: usize): u32 {
  return civilText(<i64>days, out);
}

/** Up to 33 bytes. */
export function timestampText(value: i64, isMicros: u32, out: usize): u32 {
  const perSecond: i64 = isMicros ? 1000000 : 1000;
  const perDay = perSecond * 86400;
  const remainder = value % perDay;
  const isBefore = remainder < 0;
  const ofDay = isBefore ? remainder + perDay : remainder;
  let at = out + civilText(value / perDay - i64(isBefore), out);
  const seconds = ofDay / perSecond;
  store<u8>(at++, 84);
  at += digitsText(<u64>(seconds / 3600), 2, at);
  store<u8>(at++, 58);
  at += digitsText(<u64>(seconds / 60 % 60), 2, at);
  store<u8>(at++, 58);
  at += digitsText(<u64>(seconds % 60), 2, at);
  store<u8>(at++, 46);
  at += digitsText(<u64>(ofDay % perSecond), isMicros ? 6 : 3, at);
  store<u8>(at++, 90);
  return <u32>(at - out);
}
