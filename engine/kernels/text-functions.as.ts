/**
 * Text functions: what compiled expressions call for one text. Texts are well-formed UTF-8, so a byte
 * that is no continuation (10xxxxxx) begins a code point, and a part is never found across a border.
 */

@inline function isContinuation(byte: u32): bool {
  return (byte & 0xc0) == 0x80;
}

/** Bits of the bytes that begin a code point, of up to 16 bytes. */
@inline function startsOf(at: usize, length: u32): u32 {
  const bytes = v128.load(at);
  const mask = i8x16.bitmask(i8x16.gt_s(bytes, i8x16.splat(-65)));
  return length < 16 ? <u32>mask & ((1 << length) - 1) : <u32>mask;
}

export function textLength(text: usize, length: u32): u32 {
  let count: u32 = 0;
  for (let at: u32 = 0; at < length; at += 16) count += popcnt<u32>(startsOf(text + at, length - at));
  return count;
}

export function textOffset(text: usize, length: u32, index: u32): u32 {
  let left = index;
  let at: u32 = 0;
  for (; at < length; at += 16) {
    const starts = startsOf(text + at, length - at);
    const count = popcnt<u32>(starts);
    if (left < count) {
      let rest = starts;
      for (; left > 0; left--) rest &= rest - 1;
      return at + ctz<u32>(rest);
    }
    left -= count;
  }
  return length;
}

@inline function isSame(a: usize, b: usize, length: u32): bool {
  let at: u32 = 0;
  for (; at + 8 <= length; at += 8) {
    if (load<u64>(a + at) != load<u64>(b + at)) return false;
  }
  if (at == length) return true;
  const shift = <u64>(64 - ((length - at) << 3));
  return (load<u64>(a + at) ^ load<u64>(b + at)) << shift == 0;
}

/** Looks at 16 places at a time: where the first and the last byte of the part stand. */
export function findText(text: usize, length: u32, part: usize, partLength: u32): i32 {
  if (partLength == 0) return 0;
  if (partLength > length) return -1;
  const placeCount = length - partLength + 1;
  const first = i8x16.splat(load<i8>(part));
  const last = i8x16.splat(load<i8>(part + partLength - 1));
  for (let at: u32 = 0; at < placeCount; at += 16) {
    const begins = i8x16.eq(v128.load(text + at), first);
    const ends = i8x16.eq(v128.load(text + at + partLength - 1), last);
    let places = <u32>i8x16.bitmask(v128.and(begins, ends));
    const left = placeCount - at;
    if (left < 16) places &= (1 << left) - 1;
    for (; places != 0; places &= places - 1) {
      const place = at + ctz<u32>(places);
      if (isSame(text + place, part, partLength)) return <i32>place;
    }
  }
  return -1;
}

export function startsWithText(text: usize, length: u32, part: usize, partLength: u32): bool {
  return partLength <= length && isSame(text, part, partLength);
}

export function endsWithText(text: usize, length: u32, part: usize, partLength: u32): bool {
  return partLength <= length && isSame(text + length - partLength, part, partLength);
}

@inline const percent: u32 = 0x25;
@inline const underscore: u32 = 0x5f;
@inline const backslash: u32 = 0x5c;

/** Only the last `%` is ever gone back to: a place before it could not do more. */
export function likeText(text: usize, length: u32, pattern: usize, patternLength: u32): bool {
  let at: u32 = 0;
  let sign: u32 = 0;
  let retrySign: u32 = 0;
  let retryAt: u32 = 0;
  let hasRetry = false;
  while (at < length) {
    if (sign < patternLength) {
      const expected = <u32>load<u8>(pattern + sign);
      if (expected == percent) {
        hasRetry = true;
        retrySign = ++sign;
        retryAt = at;
        continue;
      }
      if (expected == underscore) {
        sign++;
        at = behind(text, length, at);
        continue;
      }
      const skipped: u32 = isEscape(pattern, patternLength, sign) ? 1 : 0;
      if (load<u8>(pattern + sign + skipped) == load<u8>(text + at)) {
        sign += skipped + 1;
        at++;
        continue;
      }
    }
    if (!hasRetry) return false;
    retryAt = behind(text, length, retryAt);
    at = retryAt;
    sign = retrySign;
  }
  while (sign < patternLength && load<u8>(pattern + sign) == percent) sign++;
  return sign == patternLength;
}

/** The place behind a code point. */
@inline function behind(text: usize, length: u32, at: u32): u32 {
  let next = at + 1;
  while (next < length && isContinuation(load<u8>(text + next))) next++;
  return next;
}

/** Whether a sign is a backslash that takes the meaning from the next one. */
@inline function isEscape(pattern: usize, patternLength: u32, sign: u32): bool {
  if (load<u8>(pattern + sign) != backslash || sign + 1 >= patternLength) return false;
  const next = <u32>load<u8>(pattern + sign + 1);
  return next == percent || next == underscore || next == backslash;
}

export function spacesAtStart(text: usize, length: u32): u32 {
  let at: u32 = 0;
  while (at < length) {
    const size = spaceAt(text + at, length - at);
    if (size == 0) break;
    at += size;
  }
  return at;
}

export function spacesAtEnd(text: usize, length: u32): u32 {
  let end = length;
  while (end > 0) {
    let start = end - 1;
    while (start > 0 && isContinuation(load<u8>(text + start))) start--;
    if (spaceAt(text + start, end - start) == 0) break;
    end = start;
  }
  return length - end;
}

/** Bytes of the white space at the start of a text, as ECMAScript has it; 0 when it is another sign. */
function spaceAt(text: usize, length: u32): u32 {
  const first = <u32>load<u8>(text);
  if (first < 0x80) return u32((first >= 9 && first <= 13) || first == 32);
  // U+00A0.
  if (first == 0xc2) return load<u8>(text + 1) == 0xa0 ? 2 : 0;
  if (first < 0xe1 || first > 0xef || length < 3) return 0;
  const point =
    ((first & 0x0f) << 12) | ((<u32>load<u8>(text + 1) & 0x3f) << 6) | (<u32>load<u8>(text + 2) & 0x3f);
  const isSpace =
    point == 0x1680 || (point >= 0x2000 && point <= 0x200a) || point == 0x2028 || point == 0x2029 ||
    point == 0x202f || point == 0x205f || point == 0x3000 || point == 0xfeff;
  return isSpace ? 3 : 0;
}

export function copyText(text: usize, length: u32, out: usize): void {
  if (length > 64) {
    memory.copy(out, text, length);
    return;
  }
  let at: u32 = 0;
  for (; at + 8 <= length; at += 8) store<u64>(out + at, load<u64>(text + at));
  for (; at < length; at++) store<u8>(out + at, load<u8>(text + at));
}

export function lowerAscii(text: usize, length: u32, out: usize): bool {
  return changeCase(text, length, out, 65);
}

export function upperAscii(text: usize, length: u32, out: usize): bool {
  return changeCase(text, length, out, 97);
}

/** Flips the case of the 26 letters from `first` on; false where a byte is not ASCII. */
@inline function changeCase(text: usize, length: u32, out: usize, first: i8): bool {
  let at: u32 = 0;
  let all = i8x16.splat(0);
  for (; at + 16 <= length; at += 16) {
    const bytes = v128.load(text + at);
    all = v128.or(all, bytes);
    v128.store(out + at, flipped(bytes, first));
  }
  if (v128.any_true(v128.and(all, i8x16.splat(-128)))) return false;
  for (; at < length; at++) {
    const byte = <u32>load<u8>(text + at);
    if (byte >= 0x80) return false;
    store<u8>(out + at, byte - <u32>first < 26 ? byte ^ 0x20 : byte);
  }
  return true;
}

@inline function flipped(bytes: v128, first: i8): v128 {
  const isLetter = i8x16.lt_u(i8x16.sub(bytes, i8x16.splat(first)), i8x16.splat(26));
  return v128.xor(bytes, v128.and(isLetter, i8x16.splat(0x20)));
}

export function replacedSize(
  text: usize, length: u32, part: usize, partLength: u32, replacement: usize, replacementLength: u32,
): u32 {
  if (partLength == 0) return length;
  let size: u64 = length;
  let at: u32 = 0;
  while (true) {
    const found = findText(text + at, length - at, part, partLength);
    // More than any memory has: whoever asks for it is told so.
    if (found < 0) return <u32>min<u64>(size, 0x7fffffff);
    size += <u64>replacementLength - <u64>partLength;
    at += <u32>found + partLength;
  }
}

export function replaceText(
  text: usize, length: u32, part: usize, partLength: u32, replacement: usize, replacementLength: u32,
  out: usize,
): void {
  let at: u32 = 0;
  let target = out;
  while (partLength > 0) {
    const found = findText(text + at, length - at, part, partLength);
    if (found < 0) break;
    copyText(text + at, <u32>found, target);
    target += <u32>found;
    copyText(replacement, replacementLength, target);
    target += replacementLength;
    at += <u32>found + partLength;
  }
  copyText(text + at, length - at, target);
}

export function reverseText(text: usize, length: u32, out: usize): void {
  let end = out + length;
  let at: u32 = 0;
  while (at < length) {
    const next = behind(text, length, at);
    end -= next - at;
    copyText(text + at, next - at, end);
    at = next;
  }
}

export function utf16Length(text: usize, length: u32): u32 {
  let units: u32 = 0;
  for (let at: u32 = 0; at < length; at++) {
    const byte = <u32>load<u8>(text + at);
    units += u32(!isContinuation(byte)) + u32(byte >= 0xf0);
  }
  return units;
}

export function fillSize(text: usize, length: u32, points: u32): u32 {
  const perText = textLength(text, length);
  return (points / perText) * length + textOffset(text, length, points % perText);
}

export function fillText(text: usize, length: u32, out: usize, size: u32): void {
  let done = min<u32>(length, size);
  copyText(text, done, out);
  // What is written already is copied behind itself, twice as much each time.
  while (done < size) {
    const next = min<u32>(done, size - done);
    copyText(out, next, out + done);
    done += next;
  }
}
